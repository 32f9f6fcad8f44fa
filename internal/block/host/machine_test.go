package host

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// machine plants testdata/machine.sysfs as the tree of a machine in which
// nothing is mounted.
func machine(t *testing.T) system {
	t.Helper()
	root, err := os.MkdirTemp("/dev/shm", "ingot-test-") // some 200 files: not on a disk
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	s := system{root, func(string) bool { return false }}
	text, err := os.ReadFile("testdata/machine.sysfs")
	if err != nil {
		t.Fatal(err)
	}
	plant(t, s, "proc/self/mountinfo", "")
	plant(t, s, "proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")
	dir, dev := "", ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, " = ")
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			dir = "sys/devices/" + strings.Trim(line, "[]")
			plantDevice(t, s, dir)
		case key == "dev":
			dev = value
			plant(t, s, dir+"/dev", value+"\n")
			plantNode(t, s, dir, value)
		case key == "holder":
			plant(t, s, dir+"/holders/"+value, "") // a link, in truth
		case strings.HasPrefix(key, "udev/"):
			path := s.path("run/udev/data/b" + dev)
			old, _ := os.ReadFile(path)
			plant(t, s, "run/udev/data/b"+dev, string(old)+"E:"+key[len("udev/"):]+"="+value+"\n")
		default:
			plant(t, s, dir+"/"+key, value+"\n")
		}
	}
	return s
}

func plant(t *testing.T, s system, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(path)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(path), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// plantDevice makes the folders that point to a device.
func plantDevice(t *testing.T, s system, dir string) {
	t.Helper()
	name := filepath.Base(dir)
	link(t, s, dir, "sys/class/block/"+name)
	parent := filepath.Base(filepath.Dir(dir))
	if _, err := os.Stat(s.path("sys/class/block", parent)); err != nil { // it is no partition
		link(t, s, dir, "sys/block/"+name)
	}
}

// plantNode makes the device's node in /dev. Nobody opens it.
func plantNode(t *testing.T, s system, dir, number string) {
	t.Helper()
	link(t, s, dir, "sys/dev/block/"+number)
	dev, err := parseDev(number)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.path("dev"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mknod(s.path("dev", filepath.Base(dir)), unix.S_IFBLK|0o600, int(dev)); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, s system, dir, at string) {
	t.Helper()
	for _, d := range []string{s.path(dir), filepath.Dir(s.path(at))} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(s.path(dir), s.path(at)); err != nil {
		t.Fatal(err)
	}
}
