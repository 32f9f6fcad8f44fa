package cli

import (
	"context"
	"errors"
	"testing"

	"github.com/ingot-imaging/ingot/internal/tool"
)

func TestComplained(t *testing.T) {
	failed := &tool.FailedError{Command: "ingot lint", Code: 1}
	for _, c := range []struct {
		document string
		err      error
		want     string
		root     bool
	}{
		{`{"error": "it broke", "exitCode": 1}`, failed, "it broke", false},
		{`{"error": "only root", "needsRoot": true}`, failed, "only root", true},
		{`{"subject": "x"}`, failed, failed.Error(), false},
		{``, failed, failed.Error(), false},
		{`{"error": "interrupted"}`, context.Canceled, context.Canceled.Error(), false},
	} {
		err := complained([]byte(c.document), c.err)
		if err.Error() != c.want || is[*RootError](err) != c.root || errors.Is(c.err, context.Canceled) != errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", c.document, err)
		}
	}
}
