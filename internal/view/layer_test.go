package view

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestLayer holds a layer against a slice of bytes.
func TestLayer(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		base := blocktest.NewMemory(3<<20+512*int64(r.IntN(20)), block.DefaultSectorSize)
		random(t, r, base, 0, base.Size())
		before := bytesOf(t, base)
		l, err := NewLayer(base, base.Size(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		want := bytes.Clone(before)
		if seed%2 == 1 {
			want = append(want, make([]byte, 1<<20)...)
			if err := l.Resize(int64(len(want))); err != nil {
				t.Fatal(err)
			}
		}
		for range 60 {
			want = step(t, r, l, want)
		}
		if got := bytesOf(t, l); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: the layer differs from what was written", seed)
		}
		if !bytes.Equal(bytesOf(t, base), before) {
			t.Fatalf("seed %d: the volume below was changed", seed)
		}
		checkDirty(t, l, before, want)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// step does one random thing to both.
func step(t *testing.T, r *rand.Rand, l *Layer, want []byte) []byte {
	t.Helper()
	size := len(want)
	off := r.IntN(size)
	n := min(1+r.IntN(1<<(1+r.IntN(18))), size-off)
	var err error
	switch r.IntN(8) {
	case 0:
		err = l.Zero(int64(off), int64(n))
		clear(want[off : off+n])
	case 1:
		size = max(1<<20, size-1<<16+r.IntN(1<<17))
		err = l.Resize(int64(size))
		if size < len(want) {
			want = want[:size:size]
		} else {
			want = append(want, make([]byte, size-len(want))...)
		}
	default:
		for i := off; i < off+n; i++ {
			want[i] = byte(r.Uint32())
		}
		_, err = l.WriteAt(want[off:off+n], int64(off))
	}
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// checkDirty checks that what is not called changed is as it was.
func checkDirty(t *testing.T, l *Layer, before, want []byte) {
	t.Helper()
	clean := l.Dirty().Complement(int64(len(want)))
	for _, e := range clean {
		old := make([]byte, e.Length)
		if e.Start < int64(len(before)) {
			copy(old, before[e.Start:])
		}
		if !bytes.Equal(old, want[e.Start:e.End()]) {
			t.Errorf("%v differs and is not called changed", e)
		}
	}
	if err := l.Dirty().Valid(l.Size()); err != nil {
		t.Error(err)
	}
}

func random(t *testing.T, r *rand.Rand, w block.Writer, off, n int64) {
	t.Helper()
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	if _, err := w.WriteAt(data, off); err != nil {
		t.Fatal(err)
	}
}

func bytesOf(t *testing.T, r block.Reader) []byte {
	t.Helper()
	data, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestServe changes a file system through its file, by tools and by a mount, and
// looks at what is below.
func TestServe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "volume")
	run(t, "truncate", "-s", "64M", path)
	run(t, "mke2fs", "-q", "-t", "ext4", path)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := NewLayer(volumetest.Open(t, path), 256<<20, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer layer.Close()
	server, err := Serve(t.TempDir(), map[string]*Layer{"root": layer})
	if err != nil {
		t.Fatal(err)
	}
	file := server.Path("root")
	run(t, "e2fsck", "-fy", file)
	run(t, "resize2fs", file)
	dir := t.TempDir()
	m, err := mount.Volume(t.Context(), file, "ext4", dir, mount.Options{})
	if err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat([]byte("ingot "), 100<<20/6)
	if err := os.WriteFile(filepath.Join(dir, "big"), big, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, "e2fsck", "-fn", file)
	if m, err = mount.Volume(t.Context(), file, "ext4", dir, mount.Options{ReadOnly: true}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "big")); !bytes.Equal(got, big) || err != nil {
		t.Errorf("the file reads back otherwise: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(path); !bytes.Equal(after, before) || err != nil {
		t.Errorf("the volume below was changed: %v", err)
	}
}

func run(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "PATH=/usr/sbin:/sbin:"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}
