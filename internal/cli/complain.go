package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/remote"
	"github.com/ingot-imaging/ingot/internal/verify"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// refusedError is a refusal for safety that the command line makes itself.
type refusedError struct{ why string }

func (e *refusedError) Error() string { return e.why }

func refuse(format string, args ...any) error {
	return &refusedError{fmt.Sprintf(format, args...)}
}

// leftError adds to a failure in what state it leaves things.
type leftError struct {
	err   error
	left  string           // sentences
	state wire.TargetState // of a target, "" where there is none
}

func (e *leftError) Error() string { return e.err.Error() + "\n" + e.left }
func (e *leftError) Unwrap() error { return e.err }

// complaint is an error as JSON.
type complaint struct {
	Error       string              `json:"error"`
	ExitCode    int                 `json:"exitCode"`
	Hints       []string            `json:"hints,omitempty"`
	Differences []verify.Difference `json:"differences,omitempty"`
	Problems    []profile.Problem   `json:"problems,omitempty"`
	Target      wire.TargetState    `json:"target,omitempty"` // what is left there
	Retry       bool                `json:"retry,omitempty"`  // the same command may well succeed later
	NeedsRoot   bool                `json:"needsRoot,omitempty"`
}

// complain prints an error, as JSON where the result would have been JSON. A
// result that is out already stays the only document.
func (a *App) complain(cmd *cobra.Command, err error, code int) {
	c := complaint{Error: err.Error(), ExitCode: code, Hints: a.hints(err), Retry: is[*remote.UnreachableError](err), NeedsRoot: is[*RootError](err)}
	var left *leftError
	if errors.As(err, &left) {
		c.Target = left.state
	}
	var mistakes *profile.Error
	if errors.As(err, &mistakes) {
		c.Problems = mistakes.Problems
	} else if code == wire.ExitUsage {
		c.Hints = append(c.Hints, usage(cmd)...)
	}
	if code == wire.ExitInterrupted {
		c.Error = "interrupted"
		if left != nil {
			c.Error += "\n" + left.left
		}
	}
	var differs *verify.DifferenceError
	if errors.As(err, &differs) {
		c.Differences = differs.Differences
	}
	if a.json && !a.printed {
		a.encode(c)
		return
	}
	lines := strings.Join(append([]string{c.Error}, c.Hints...), "\n")
	a.tell(func(w io.Writer) { fmt.Fprintf(w, "ingot: %s\n", strings.ReplaceAll(lines, "\n", "\n       ")) })
}

// hints are sentences that say what to do about err, where it does not itself.
func (a *App) hints(err error) []string {
	var hints []string
	add := func(format string, args ...any) { hints = append(hints, fmt.Sprintf(format, args...)) }
	var coded *CodedError
	if errors.As(err, &coded) {
		hints = append(hints, coded.Hints...)
	}
	if errors.Is(err, store.ErrNoStore) {
		add("'ingot capture' makes one; --store or INGOT_STORE name another.")
	}
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
		add("Run it as root, or name a store of your own with --store.")
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		add("%s", room(pathOf(err)))
	}
	if is[*capture.UnreadableError](err) {
		add("--rescue reads around what cannot be read, and records it in the image.")
	}
	if is[*store.IntegrityError](err) || is[*store.ChunkError](err) {
		add("'ingot check --read-data' names the images that are touched.")
	}
	var busy *host.BusyError
	if errors.As(err, &busy) {
		add("%s", a.release(busy))
	}
	return hints
}

// release says how a disk gets free; not at all when the store lies on it.
func (a *App) release(busy *host.BusyError) string {
	for _, u := range busy.Uses {
		if u.What == host.UseMounted && a.storeOn(u.Where) {
			return fmt.Sprintf("The store lies on %s: it cannot be overwritten.", busy.Path)
		}
	}
	return "Unmount it, or stop what uses it; 'ingot disks' shows which disk is which."
}

// storeOn reports whether the store in use lies on the file system mounted at where.
func (a *App) storeOn(where string) bool {
	folder, err := storeFolder(a.storeURL)
	if err != nil {
		return false
	}
	store, err := os.Stat(folder)
	mount, merr := os.Stat(where)
	return err == nil && merr == nil && device(store) == device(mount)
}

// device is the number of the file system that a file lies on.
func device(f fs.FileInfo) uint64 { return f.Sys().(*syscall.Stat_t).Dev }

// pathOf is the file that an error of the operating system names, "" for none.
func pathOf(err error) string {
	var path *fs.PathError
	var link *os.LinkError
	var io *host.IOError
	switch {
	case errors.As(err, &path):
		return path.Path
	case errors.As(err, &link):
		return link.New
	case errors.As(err, &io):
		return io.Path
	}
	return ""
}

// room says how full the file system of a file is.
func room(path string) string {
	dir := filepath.Dir(path)
	var st syscall.Statfs_t
	if path == "" || syscall.Statfs(dir, &st) != nil {
		return "Make room and run the same command again."
	}
	unit := int64(st.Bsize)
	return fmt.Sprintf("The file system of %s has %s free of %s. Make room and run the same command again.",
		dir, report.Bytes(int64(st.Bavail)*unit), report.Bytes(int64(st.Blocks)*unit))
}
