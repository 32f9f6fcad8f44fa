package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// confirm asks for the target's name when it holds data.
func (a *App) confirm(ctx context.Context, t targetLook, yes bool) error {
	if yes || t.Blank {
		return nil
	}
	fmt.Fprintf(a.stderr, "Everything on %s will be overwritten. Type %s to go on: ", t.Path, t.disk.Name)
	answer, err := a.ask(ctx)
	if err != nil {
		fmt.Fprintln(a.stderr)
		return &leftError{fmt.Errorf("read the answer: %w", err), "Nothing was written.", wire.Untouched}
	}
	if answer != t.disk.Name {
		return refuse("%s holds data and was not confirmed by typing %q; nothing was written (--yes does not ask)", t.Path, t.disk.Name)
	}
	return nil
}

// ask reads one line, "" at the end of input. Waiting ends with ctx; the read is
// then left behind, since nobody can take it back.
func (a *App) ask(ctx context.Context) (string, error) {
	type line struct {
		text string
		err  error
	}
	answer := make(chan line, 1)
	go func() {
		text, err := a.input.ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		answer <- line{strings.TrimSpace(text), err}
	}()
	select {
	case l := <-answer:
		return l.text, l.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
