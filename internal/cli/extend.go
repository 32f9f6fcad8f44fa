package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// What a program's own commands (Program.More) use, so that they look and end like
// the shared ones.

// CodedError is an error that ends the program with a code of its own.
type CodedError struct {
	Err   error
	Code  int
	Hints []string // sentences that say what to do about it
}

func (e *CodedError) Error() string { return e.Err.Error() }
func (e *CodedError) Unwrap() error { return e.Err }

// Refuse is a refusal for safety.
func Refuse(format string, args ...any) error { return refuse(format, args...) }

// Args wants least to most arguments, as the command's usage line names them.
func Args(least, most int) cobra.PositionalArgs { return betweenArgs(least, most) }

// Family is a command that only has other commands below it.
func Family(c *cobra.Command, below ...*cobra.Command) *cobra.Command {
	c.Args = cobra.ArbitraryArgs
	c.SuggestionsMinimumDistance = 2 // cobra's own default, which it sets for the root alone
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return noSuchCommand(cmd, args[0])
		}
		return cmd.Help()
	}
	c.AddCommand(below...)
	return c
}

// JSON reports whether the result is to be one JSON document.
func (a *App) JSON() bool { return a.json }

// Quiet reports whether only errors are to be shown.
func (a *App) Quiet() bool { return a.quiet }

// Stdin is where data comes from that the user was not asked for.
func (a *App) Stdin() io.Reader { return a.input }

// Screen is the terminal on which progress is drawn, and how wide it is; nil where
// lines are to be written with Note instead.
func (a *App) Screen() (screen io.Writer, columns int) {
	f, ok := a.stderr.(*os.File)
	if !ok || a.quiet || a.lines != nil {
		return nil, 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil || os.Getenv("TERM") == "dumb" {
		return nil, 0
	}
	return f, columns
}

// Show gives the user text of whole lines that is no result, such as a plan before
// a question.
func (a *App) Show(text func(io.Writer)) { a.tell(text) }

// Ask asks a question, and returns the line that the user typed, "" at the end of
// input.
func (a *App) Ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(a.stderr, question)
	answer, err := a.ask(ctx)
	if err != nil {
		fmt.Fprintln(a.stderr)
	}
	return answer, err
}

// AskSecret is Ask for what must not be seen on the screen.
func (a *App) AskSecret(ctx context.Context, question string) (string, error) {
	f, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return a.Ask(ctx, question)
	}
	state, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", err
	}
	type line struct {
		text []byte
		err  error
	}
	typed := make(chan line, 1)
	fmt.Fprint(a.stderr, question)
	go func() {
		text, err := term.ReadPassword(int(f.Fd()))
		typed <- line{text, err}
	}()
	defer fmt.Fprintln(a.stderr)
	select {
	case l := <-typed:
		return string(l.text), l.err
	case <-ctx.Done():
		term.Restore(int(f.Fd()), state) // the read is left behind, since nobody can take it back
		return "", ctx.Err()
	}
}
