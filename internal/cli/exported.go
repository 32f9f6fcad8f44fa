package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// Usage is an error for a wrong word on the command line.
func Usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Version is the program's version, as the go command recorded it.
func Version() string { return version() }

// Verbose reports whether the user wants every step told.
func (a *App) Verbose() bool { return a.verbose }

// LintElsewhere looks an image of a store in folder over, by another run of this
// program: that takes mounts, which are nobody else's. The answer is that of 'ingot
// lint --json'. It is a *RootError when only root can do it.
func (a *App) LintElsewhere(ctx context.Context, folder, id string) (json.RawMessage, error) {
	var out bytes.Buffer
	_, err := tool.Command{Name: tool.Self, Args: []string{"lint", id, "--json", "--store", folder}, Out: &out}.Run(ctx)
	if err != nil {
		return nil, complained(out.Bytes(), err)
	}
	return out.Bytes(), nil
}

// complained is the failure of another run of this program, in the words of the
// complaint that it printed.
func complained(document []byte, err error) error {
	var c complaint
	if !is[*tool.FailedError](err) || json.Unmarshal(document, &c) != nil || c.Error == "" {
		return err
	}
	if c.NeedsRoot {
		return &RootError{c.Error}
	}
	return errors.New(c.Error)
}
