package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/control"
)

// TestForRoot: what a page is to show is an answer of control's.
func TestForRoot(t *testing.T) {
	other := errors.New("the disk is broken")
	if err := forRoot(other, "/s", "ab"); err != other {
		t.Error(err)
	}
	var conflict *control.ConflictError
	err := forRoot(fmt.Errorf("look: %w", &cli.RootError{}), "/var/lib/ingot/store", strings.Repeat("ab", 32))
	if !errors.As(err, &conflict) || !strings.Contains(conflict.Message, "'ingot lint abababababab --store /var/lib/ingot/store'") {
		t.Error(err)
	}
}
