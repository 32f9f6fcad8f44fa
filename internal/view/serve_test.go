package view

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
)

// TestCloseWaits holds a file open for longer than an unmount takes.
func TestCloseWaits(t *testing.T) {
	s, f := inUse(t)
	const held = time.Second
	began := time.Now()
	time.AfterFunc(held, func() { f.Close() })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < held {
		t.Errorf("closed after %v, while a file was in use", took)
	}
}

// TestCloseInUse holds that a Close that fails changes nothing.
func TestCloseInUse(t *testing.T) {
	s, f := inUse(t)
	if err := s.close(time.Millisecond); !errors.Is(err, unix.EBUSY) {
		t.Errorf("closed while a file is in use: %v", err)
	}
	if _, err := f.WriteAt([]byte("still there"), 0); err != nil {
		t.Errorf("the file cannot be used any more: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// inUse returns a server and an open file of it.
func inUse(t *testing.T) (*Server, *os.File) {
	t.Helper()
	disk := blocktest.NewMemory(1<<20, 512)
	layer, err := NewLayer(disk, disk.Size(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { layer.Close() })
	s, err := Serve(t.TempDir(), map[string]*Layer{"volume": layer})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(s.Path("volume"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s, f
}
