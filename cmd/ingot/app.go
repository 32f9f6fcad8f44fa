package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
)

// app is one run of the program: its streams and the flags every command has.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	storeURL string
	json     bool
	quiet    bool
	verbose  bool
}

// run parses args, does what they say, and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	code := exitCode(ctx, err)
	if err != nil {
		a.complain(err, code)
	}
	return code
}

// complain prints an error, as JSON where the result would have been JSON.
func (a *app) complain(err error, code int) {
	if code == exitInterrupted {
		err = errors.New("interrupted")
	}
	if a.json {
		json.NewEncoder(a.stdout).Encode(map[string]any{"error": err.Error(), "exitCode": code})
		return
	}
	fmt.Fprintf(a.stderr, "ingot: %s\n", strings.ReplaceAll(err.Error(), "\n", "\n       "))
}

// print shows a command's result: v as JSON, or what text writes.
func (a *app) print(v any, text func(io.Writer)) error {
	if a.json {
		e := json.NewEncoder(a.stdout)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	if !a.quiet {
		text(a.stdout)
	}
	return nil
}

// note tells the user something that is no result.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

// show draws the progress of work until stop is called.
func (a *app) show(work *progress.Work) (stop func()) {
	if a.quiet {
		return func() {}
	}
	return report.Show(a.stderr, work)
}

// openStore opens the store that --store, INGOT_STORE or the default names.
// create says whether one is made where there is none.
func (a *app) openStore(ctx context.Context, create bool) (*store.Store, error) {
	return openStoreAt(ctx, a.storeURL, create)
}

func openStoreAt(ctx context.Context, url string, create bool) (*store.Store, error) {
	folder, err := storeFolder(url)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(folder); err != nil && !create {
		return nil, fmt.Errorf("store %s: %w", folder, store.ErrNoStore)
	}
	b, err := local.Open(folder)
	if err != nil {
		return nil, err
	}
	open := store.Open
	if create {
		open = store.OpenOrCreate
	}
	s, err := open(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", folder, err)
	}
	return s, nil
}

// storeFolder is the folder that a store URL names; file:// or a plain path.
func storeFolder(url string) (string, error) {
	if url == "" {
		url = os.Getenv("INGOT_STORE")
	}
	if url == "" {
		return defaultStore()
	}
	if path, ok := strings.CutPrefix(url, "file://"); ok {
		url = path
	} else if scheme, _, ok := strings.Cut(url, "://"); ok {
		return "", usageError{fmt.Errorf("this version knows no %s:// stores; give a folder", scheme)}
	}
	return filepath.Abs(url)
}

// defaultStore is one folder for the system when root works, else the user's own.
func defaultStore() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/ingot/store", nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "ingot", "store"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usageError{fmt.Errorf("no place for a store is known (%w); name one with --store", err)}
	}
	return filepath.Join(home, ".local", "share", "ingot", "store"), nil
}

// exactArgs is cobra.ExactArgs with a message that shows how the command is used.
func exactArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return usageError{fmt.Errorf("%s takes %d arguments, got %d; as in:\n%s", cmd.CommandPath(), n, len(args), cmd.Example)}
	}
}
