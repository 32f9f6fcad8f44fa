package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// App is one run of the program: its streams and the flags every command has.
//
// What goes where: results to stdout, one JSON document with --json; progress,
// notes, questions and errors to stderr, but for the error that takes a JSON
// result's place. --quiet silences all of that but errors, questions and what
// was asked for by a command that only answers.
type App struct {
	stdin          io.Reader
	input          *bufio.Reader // of stdin, for questions
	stdout, stderr io.Writer

	storeURL string
	json     bool
	quiet    bool
	verbose  bool
	progress string        // "auto" or "json"
	lines    *report.Lines // with "json": what goes to stderr

	network *progress.Traffic // of a store behind a server; nil: none is used

	running bool // a command was understood and does its work
	printed bool // the result is out
}

// Run parses args, does what they say, and returns the exit code.
func (p Program) Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &App{stdin: stdin, input: bufio.NewReader(stdin), stdout: stdout, stderr: stderr}
	root := a.root(p)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return wire.ExitDone
	}
	if !a.running { // then flags may not be parsed
		err = usageError{err}
		a.json = a.json || slices.Contains(args, "--json")
	}
	code := exitCode(ctx, err)
	a.complain(cmd, err, code)
	return code
}

// markRunning makes cmd, and the commands below it, say when their work begins:
// whatever fails before that is the command line's fault.
func (a *App) markRunning(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		a.markRunning(c)
	}
	work := cmd.RunE
	if work == nil {
		return
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a.running = true
		if err := a.chooseDisplay(); err != nil {
			return err
		}
		return work(cmd, args)
	}
}

// chooseDisplay reads --progress.
func (a *App) chooseDisplay() error {
	switch a.progress {
	case "auto":
	case "json":
		a.lines = report.NewLines(a.stderr)
	default:
		return usageError{fmt.Errorf("--progress is auto or json, not %q", a.progress)}
	}
	return nil
}

// Print shows the result of work: v as JSON, or what text writes unless --quiet.
func (a *App) Print(v any, text func(io.Writer)) error {
	if a.quiet && !a.json {
		return nil
	}
	return a.Answer(v, text)
}

// Answer shows what a command was called for, and is not silenced.
func (a *App) Answer(v any, text func(io.Writer)) error {
	a.printed = true
	if a.json {
		return a.encode(v)
	}
	text(a.stdout)
	return nil
}

func (a *App) encode(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Note tells the user something that is no result.
func (a *App) Note(format string, args ...any) {
	switch {
	case a.quiet:
	case a.lines != nil:
		a.lines.Log(fmt.Sprintf(format, args...))
	default:
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

// tell is given text of whole lines that is no result.
func (a *App) tell(text func(io.Writer)) {
	var b bytes.Buffer
	text(&b)
	if a.lines != nil {
		a.lines.Write(b.Bytes())
		return
	}
	a.stderr.Write(b.Bytes())
}

// work counts one run of a verb.
func (a *App) work(verb string) *progress.Work {
	return &progress.Work{Verb: verb, Network: a.network}
}

// show draws the progress of work until stop is called.
func (a *App) show(work *progress.Work) (stop func()) {
	if a.quiet {
		return func() {}
	}
	if a.lines != nil {
		return a.lines.Show(work)
	}
	return report.Show(a.stderr, work)
}
