// Package volumetest is the conformance suite for volume formats, and the
// foreign judges it calls: mkfs, mount, fsck, partclone.
//
// A format's test makes volumes with the real tools (Mkfs, Mount), checks them
// with Check, and holds the used map against partclone (AgainstPartclone) and
// against an actual restore (Restore, then fsck and Digest). Fuzz and Fixtures
// keep the parser honest on hostile bytes. A tool that is missing fails the
// test; it never skips it.
package volumetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// File is an image file opened as a block.Reader.
type File struct {
	*os.File
	size int64
}

func (f File) Size() int64 { return f.size }

// Open opens an image file for reading until the test ends.
func Open(t testing.TB, path string) File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	return File{f, size}
}

// Tool runs a program and returns what it printed; a non-zero exit or a missing
// program fails the test.
func Tool(t testing.TB, name string, args ...string) string {
	t.Helper()
	path := lookTool(t, name)
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// lookTool finds a program also where an unprivileged PATH does not look.
func lookTool(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed; 'make tools' installs everything the tests need", name)
	return ""
}

// Mkfs makes a sparse file of size bytes and runs a command on it, in which the
// argument "{}" stands for the file. It returns the file's path.
func Mkfs(t testing.TB, size int64, command ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "volume.img")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	Tool(t, command[0], fill(command[1:], path)...)
	return path
}

func fill(args []string, path string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = strings.ReplaceAll(a, "{}", path)
	}
	return out
}

// Mount mounts an image file by loop device with the kernel's driver and
// returns the directory. Unmount it with the returned function, at the latest
// it happens when the test ends.
//
// A mount namespace that any other process made meanwhile keeps the volume
// mounted behind our back. Turning it read-only first leaves it clean all the same.
func Mount(t testing.TB, path string, options ...string) (dir string, unmount func()) {
	t.Helper()
	dir = t.TempDir()
	opts := strings.Join(append([]string{"loop"}, options...), ",")
	Tool(t, "mount", "-o", opts, path, dir)
	mounted := true
	unmount = func() {
		if mounted {
			mounted = false
			Tool(t, "mount", "-o", "remount,ro", dir)
			Tool(t, "umount", dir)
		}
	}
	t.Cleanup(unmount)
	return dir, unmount
}

// Check opens r with format and asserts what every clean volume of every format
// must satisfy. It returns the volume and its used map.
func Check(t testing.TB, format volume.Format, r block.Reader) (volume.Volume, extent.List) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if ok, err := format.Recognise(r); !ok || err != nil {
		t.Fatalf("%s: Recognise = %v, %v", format.Name(), ok, err)
	}
	v, err := format.Open(ctx, r)
	if err != nil {
		t.Fatalf("%s: Open: %v", format.Name(), err)
	}
	info := v.Info()
	if info.Kind == "" || info.Size <= 0 || info.Size > r.Size() {
		t.Errorf("%s: Info has kind %q, size %d of %d", format.Name(), info.Kind, info.Size, r.Size())
	}
	if !info.Clean() {
		t.Fatalf("%s: refused: %+v", format.Name(), info.Refusals)
	}
	used, err := v.Used(ctx)
	if err != nil {
		t.Fatalf("%s: Used: %v", format.Name(), err)
	}
	if err := used.Valid(r.Size()); err != nil {
		t.Fatalf("%s: used map: %v", format.Name(), err)
	}
	return v, used
}

// Restore copies the used bytes of an image file into a new file of the same
// size whose other bytes are garbage, as on a second-hand disk: what fsck and
// the kernel then find wrong was missing from the used map.
func Restore(t testing.TB, path string, used extent.List) string {
	t.Helper()
	src := Open(t, path)
	out := filepath.Join(t.TempDir(), "restored.img")
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(src.Size()); err != nil {
		t.Fatal(err)
	}
	for _, e := range used.Complement(src.Size()) {
		scribble(t, f, e)
	}
	for _, e := range used {
		if _, err := io.Copy(io.NewOffsetWriter(f, e.Start), io.NewSectionReader(src, e.Start, e.Length)); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// scribble fills e with 0xA5; of a long range only both ends and a block every
// 16 MiB, to keep sparse multi-terabyte files sparse.
func scribble(t testing.TB, w io.WriterAt, e extent.Extent) {
	t.Helper()
	const most, step, piece = 64 << 20, 16 << 20, 4096
	junk := make([]byte, piece)
	for i := range junk {
		junk[i] = 0xA5
	}
	for at := e.Start; at < e.End(); {
		n := min(piece, e.End()-at)
		if _, err := w.WriteAt(junk[:n], at); err != nil {
			t.Fatal(err)
		}
		if e.Length > most && at > e.Start+(1<<20) && at < e.End()-(1<<20)-step {
			at += step
			continue
		}
		at += n
	}
}

// Digest hashes a directory tree: names, modes, owners, sizes, link targets,
// extended attributes as GNU tar writes them, and contents.
func Digest(t testing.TB, dir string) string {
	t.Helper()
	return digest(t, dir, "delete=atime") // which reading the tree changes
}

// DigestFiles is Digest without the times at which inodes changed, for files that
// were moved or made anew.
func DigestFiles(t testing.TB, dir string) string {
	t.Helper()
	return digest(t, dir, "delete=atime,delete=ctime")
}

func digest(t testing.TB, dir, pax string) string {
	t.Helper()
	cmd := exec.Command(lookTool(t, "tar"), "--xattrs", "--xattrs-include=*", "--sort=name", "--numeric-owner",
		"--pax-option="+pax, "--exclude=./lost+found", "-C", dir, "-cf", "-", ".")
	var stderr strings.Builder
	h := sha256.New()
	cmd.Stdout, cmd.Stderr = h, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("tar %s: %v\n%s", dir, err, stderr.String())
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Refused asserts that the volume opens and refuses its used map for the reason.
func Refused(t testing.TB, format volume.Format, r block.Reader, reason volume.Reason) volume.Refusal {
	t.Helper()
	v, err := format.Open(context.Background(), r)
	if err != nil {
		t.Fatalf("%s: Open: %v", format.Name(), err)
	}
	for _, refusal := range v.Info().Refusals {
		if refusal.Reason != reason {
			continue
		}
		if refusal.What == "" || refusal.Do == "" {
			t.Errorf("%s: refusal %q does not say what to do: %+v", format.Name(), reason, refusal)
		}
		var refused *volume.RefusedError
		if _, err := v.Used(context.Background()); !refusal.Waivable && !errors.As(err, &refused) {
			t.Errorf("%s: Used of a volume refused as %q: %v, want a RefusedError", format.Name(), reason, err)
		}
		return refusal
	}
	t.Fatalf("%s: refusals %+v, want one with reason %q", format.Name(), v.Info().Refusals, reason)
	return volume.Refusal{}
}
