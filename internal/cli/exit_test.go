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
	"github.com/ingot-imaging/ingot/internal/wire"
)

// TestExitCode holds every error that a caller can tell apart against the contract.
func TestExitCode(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, wire.ExitDone},

		{errors.New("anything else"), wire.ExitFailed},
		{&host.IOError{Op: "read", Err: syscall.EIO}, wire.ExitFailed},
		{&capture.UnreadableError{Err: syscall.EIO}, wire.ExitFailed},
		{&store.VersionError{Format: 2}, wire.ExitFailed},
		{fmt.Errorf("write: %w", syscall.ENOSPC), wire.ExitFailed},
		{&fs.PathError{Op: "open", Err: fs.ErrPermission}, wire.ExitFailed},

		{usageError{errors.New("wrong word")}, wire.ExitUsage},
		{&fit.OptionError{}, wire.ExitUsage},
		{&catalog.AmbiguousError{IDs: make([]chunk.ID, 2)}, wire.ExitUsage},
		{&profile.Error{}, wire.ExitUsage},

		{refuse("because"), wire.ExitRefused},
		{&capture.RefusedError{}, wire.ExitRefused},
		{&deploy.RefusedError{}, wire.ExitRefused},
		{&deploy.TooSmallError{}, wire.ExitRefused},
		{&volume.RefusedError{}, wire.ExitRefused},
		{&host.BusyError{}, wire.ExitRefused},
		{&host.ReadOnlyError{}, wire.ExitRefused},
		{&host.KindError{}, wire.ExitRefused},
		{&part.TooSmallError{}, wire.ExitRefused},
		{&part.DamageError{}, wire.ExitRefused},
		{&fit.TooSmallError{}, wire.ExitRefused},
		{&fit.RefusedError{}, wire.ExitRefused},
		{&resize.TooSmallError{}, wire.ExitRefused},
		{&resize.TooLargeError{}, wire.ExitRefused},
		{&resize.NotPossibleError{}, wire.ExitRefused},
		{&mount.KindError{}, wire.ExitRefused},
		{&tool.MissingError{}, wire.ExitRefused},
		{&adapt.NoSystemError{}, wire.ExitRefused},
		{&files.ReparseError{}, wire.ExitRefused},
		{&windows.NotGeneralizedError{}, wire.ExitRefused},
		{&windows.NeedsSetupError{}, wire.ExitRefused},
		{&windows.HibernatedError{}, wire.ExitRefused},
		{&hive.DirtyError{}, wire.ExitRefused},

		{&store.IntegrityError{}, wire.ExitIntegrity},
		{&store.ChunkError{Err: errors.New("gone")}, wire.ExitIntegrity},
		{fmt.Errorf("maps/12: %w", store.ErrNotFound), wire.ExitIntegrity},
		{fmt.Errorf("maps/12: %w", store.ErrShort), wire.ExitIntegrity},
		{&deploy.ReadbackError{}, wire.ExitIntegrity},
		{&verify.DifferenceError{}, wire.ExitIntegrity},
		{&verify.DamageError{}, wire.ExitIntegrity},
		{&verify.DamageError{Bad: []error{fs.ErrNotExist}}, wire.ExitIntegrity},
		{&block.RangeError{}, wire.ExitIntegrity},
		{&adapt.NoBootError{}, wire.ExitIntegrity},
		{&adapt.DifferentError{}, wire.ExitIntegrity},
		{&files.FormatError{}, wire.ExitIntegrity},

		{&catalog.NotFoundError{}, wire.ExitNotFound},
		{&host.NotFoundError{}, wire.ExitNotFound},
		{&capture.PartitionError{}, wire.ExitNotFound},
		{&browse.NoPartitionError{}, wire.ExitNotFound},
		{&browse.NoSystemError{}, wire.ExitNotFound},
		{&browse.KindError{}, wire.ExitRefused},
		{&imagesDifferError{}, wire.ExitIntegrity},
		{&wim.ChoiceError{}, wire.ExitUsage},
		{store.ErrNoStore, wire.ExitNotFound},
		{&fs.PathError{Op: "open", Err: fs.ErrNotExist}, wire.ExitNotFound},

		{errUnreadable, wire.ExitUnreadable},

		// Not ours to call interrupted: nobody asked for it.
		{context.Canceled, wire.ExitFailed},
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
		fmt.Errorf("read: %w", context.Canceled): wire.ExitInterrupted,
		&store.IntegrityError{}:                  wire.ExitIntegrity, // found before the signal
		errors.New("the pipe broke"):             wire.ExitFailed,
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
	if code, _, stderr := ingot(t.Context(), "capture", disk, "lab"); code != wire.ExitDone {
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
		if code != wire.ExitInterrupted || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: %d, %s", test.args, code, stderr)
		}
		code, stdout, _ := ingot(ctx, append(test.args, "--json")...)
		if code != wire.ExitInterrupted || !strings.Contains(stdout, `"exitCode": 130`) {
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
	a.complain(nil, errUnreadable, wire.ExitUnreadable)
	if strings.Count(out.String(), "\n}\n") != 1 || !strings.Contains(stderr.String(), "could not be read") {
		t.Errorf("stdout %q, stderr %q", out.String(), stderr.String())
	}
}
