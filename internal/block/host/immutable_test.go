package host

import (
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestMakeMutable(t *testing.T) {
	name := filepath.Join(t.TempDir(), "variable")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flags := uint32(immutable)
	if err := ioctl(f, unix.FS_IOC_SETFLAGS, unsafe.Pointer(&flags)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("new"), 0o644); err == nil {
		t.Error("an immutable file was changed")
	}
	for range 2 {
		if err := MakeMutable(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, []byte("new"), 0o644); err != nil {
		t.Error(err)
	}
	if err := MakeMutable(name + "2"); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
}
