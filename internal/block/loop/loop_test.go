package loop

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAttach(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, bytes.Repeat([]byte("0123456789abcdef"), 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sector := range []int{0, 512, 4096} {
		d, err := Attach(path, Options{Offset: 8192, Size: 64 << 10, SectorSize: sector})
		if err != nil {
			t.Fatal(err)
		}
		got, err := unix.IoctlGetInt(int(d.file.Fd()), unix.BLKSSZGET)
		if want := max(sector, 512); err != nil || got != want {
			t.Errorf("its sectors have %d bytes, not %d: %v", got, want, err)
		}
		if _, err := d.file.WriteAt(bytes.Repeat([]byte{byte(sector)}, 4096), 0); err != nil {
			t.Error(err)
		}
		if size, err := d.file.Seek(0, 2); size != 64<<10 || err != nil {
			t.Errorf("it has %d bytes, %v", size, err)
		}
		name := strings.TrimPrefix(d.Path(), "/dev/")
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if data, _ := os.ReadFile("/sys/block/" + name + "/loop/backing_file"); strings.Contains(string(data), path) {
			t.Errorf("%s is still attached", name)
		}
		data, err := os.ReadFile(path)
		if err != nil || data[8192] != byte(sector) || data[8191] != 'f' || data[8192+4096] != '0' {
			t.Errorf("the file does not hold what was written: %v", err)
		}
	}
	d, err := Attach(path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.file.WriteAt(make([]byte, 512), 0); err == nil {
		t.Error("a read-only device was written")
	}
}

func TestAttachNothing(t *testing.T) {
	if _, err := Attach(filepath.Join(t.TempDir(), "none"), Options{}); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}
