package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/adapt"
	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/customise/windows"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/hive"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/resize"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/verify"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/wim"
)

// TestExitCode holds every error that a caller can tell apart against the contract.
func TestExitCode(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, exitDone},

		{errors.New("anything else"), exitFailed},
		{&host.IOError{Op: "read", Err: syscall.EIO}, exitFailed},
		{&capture.UnreadableError{Err: syscall.EIO}, exitFailed},
		{&store.VersionError{Format: 2}, exitFailed},
		{fmt.Errorf("write: %w", syscall.ENOSPC), exitFailed},
		{&fs.PathError{Op: "open", Err: fs.ErrPermission}, exitFailed},

		{usageError{errors.New("wrong word")}, exitUsage},
		{&fit.OptionError{}, exitUsage},
		{&catalog.AmbiguousError{IDs: make([]chunk.ID, 2)}, exitUsage},
		{&profile.Error{}, exitUsage},

		{refuse("because"), exitRefused},
		{&capture.RefusedError{}, exitRefused},
		{&deploy.RefusedError{}, exitRefused},
		{&deploy.TooSmallError{}, exitRefused},
		{&volume.RefusedError{}, exitRefused},
		{&host.BusyError{}, exitRefused},
		{&host.ReadOnlyError{}, exitRefused},
		{&host.KindError{}, exitRefused},
		{&part.TooSmallError{}, exitRefused},
		{&part.DamageError{}, exitRefused},
		{&fit.TooSmallError{}, exitRefused},
		{&fit.RefusedError{}, exitRefused},
		{&resize.TooSmallError{}, exitRefused},
		{&resize.TooLargeError{}, exitRefused},
		{&resize.NotPossibleError{}, exitRefused},
		{&mount.KindError{}, exitRefused},
		{&tool.MissingError{}, exitRefused},
		{&adapt.NoSystemError{}, exitRefused},
		{&files.ReparseError{}, exitRefused},
		{&windows.NotGeneralizedError{}, exitRefused},
		{&windows.NeedsSetupError{}, exitRefused},
		{&windows.HibernatedError{}, exitRefused},
		{&hive.DirtyError{}, exitRefused},

		{&store.IntegrityError{}, exitIntegrity},
		{&store.ChunkError{Err: errors.New("gone")}, exitIntegrity},
		{fmt.Errorf("maps/12: %w", store.ErrNotFound), exitIntegrity},
		{fmt.Errorf("maps/12: %w", store.ErrShort), exitIntegrity},
		{&deploy.ReadbackError{}, exitIntegrity},
		{&verify.DifferenceError{}, exitIntegrity},
		{&verify.DamageError{}, exitIntegrity},
		{&verify.DamageError{Bad: []error{fs.ErrNotExist}}, exitIntegrity},
		{&block.RangeError{}, exitIntegrity},
		{&adapt.NoBootError{}, exitIntegrity},
		{&adapt.DifferentError{}, exitIntegrity},
		{&files.FormatError{}, exitIntegrity},

		{&catalog.NotFoundError{}, exitNotFound},
		{&host.NotFoundError{}, exitNotFound},
		{&capture.PartitionError{}, exitNotFound},
		{&browse.NoPartitionError{}, exitNotFound},
		{&browse.NoSystemError{}, exitNotFound},
		{&browse.KindError{}, exitRefused},
		{&imagesDifferError{}, exitIntegrity},
		{&wim.ChoiceError{}, exitUsage},
		{store.ErrNoStore, exitNotFound},
		{&fs.PathError{Op: "open", Err: fs.ErrNotExist}, exitNotFound},

		{errUnreadable, exitUnreadable},

		// Not ours to call interrupted: nobody asked for it.
		{context.Canceled, exitFailed},
	} {
		for _, err := range []error{test.err, wrap(test.err), join(test.err)} {
			if got := exitCode(t.Context(), err); got != test.want {
				t.Errorf("exit code of %T %v = %d, want %d", test.err, err, got, test.want)
			}
		}
	}
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return &leftError{err: fmt.Errorf("doing this: %w", err), left: "It is half done."}
}

func join(err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(errors.New("closing"), err)
}

func TestExitCodeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for err, want := range map[error]int{
		fmt.Errorf("read: %w", context.Canceled): exitInterrupted,
		&store.IntegrityError{}:                  exitIntegrity, // found before the signal
		errors.New("the pipe broke"):             exitFailed,
	} {
		if got := exitCode(ctx, err); got != want {
			t.Errorf("exit code of %v = %d, want %d", err, got, want)
		}
	}
}

// TestInterrupted: a command that is interrupted while it works says in what
// state it leaves things, as text and as JSON.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	disk, target := filepath.Join(dir, "disk.img"), filepath.Join(dir, "target.img")
	if err := os.WriteFile(disk, bytes.Repeat([]byte("content "), 1<<17), 0o600); err != nil {
		t.Fatal(err)
	}
	base := []string{"--store", filepath.Join(dir, "store")}
	ingot := func(ctx context.Context, args ...string) (code int, stdout, stderr string) {
		var out, err bytes.Buffer
		code = Program{}.Run(ctx, append(args, base...), strings.NewReader(""), &out, &err)
		return code, out.String(), err.String()
	}
	if code, _, stderr := ingot(t.Context(), "capture", disk, "lab"); code != exitDone {
		t.Fatalf("capture: %d, %s", code, stderr)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"capture", disk, "lab"}, "ingot: interrupted\n"},
		{[]string{"deploy", "lab", target}, "ingot: interrupted\n"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		code, _, stderr := ingot(ctx, test.args...)
		if code != exitInterrupted || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: %d, %s", test.args, code, stderr)
		}
		code, stdout, _ := ingot(ctx, append(test.args, "--json")...)
		if code != exitInterrupted || !strings.Contains(stdout, `"exitCode": 130`) {
			t.Errorf("%v --json: %d, %s", test.args, code, stdout)
		}
	}
}

// TestUnreadable: the image was made, so its description stays the only document.
func TestUnreadable(t *testing.T) {
	var out, stderr bytes.Buffer
	a := &App{stdout: &out, stderr: &stderr, json: true}
	if err := a.Print(captured{Name: "lab:v1", Unreadable: 4096}, nil); err != nil {
		t.Fatal(err)
	}
	a.complain(nil, errUnreadable, exitUnreadable)
	if strings.Count(out.String(), "\n}\n") != 1 || !strings.Contains(stderr.String(), "could not be read") {
		t.Errorf("stdout %q, stderr %q", out.String(), stderr.String())
	}
}
