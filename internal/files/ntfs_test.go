package files

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestNTFS takes what only NTFS has from one volume to another. wimlib, which
// reads the volumes without a mount, judges.
func TestNTFS(t *testing.T) {
	from, to := makeNTFS(t), makeNTFS(t)
	withMount(t, from, func(dir string) { plantNTFS(t, dir) })
	withMount(t, from, func(dir string) {
		withMount(t, to, func(target string) { apply(t, dir, target) })
	})
	a, b := wimDump(t, from), wimDump(t, to)
	if a != b {
		t.Errorf("wimlib finds: %s", firstDifference(a, b))
	}
	for _, sign := range []string{"HIDDEN", "EMPTYD~1", "\"big\"", "Reparse", "SPARSE", "bf011f00"} {
		if !strings.Contains(a, sign) {
			t.Errorf("wimlib says nothing about %q", sign)
		}
	}
}

func makeNTFS(t *testing.T) string {
	return volumetest.Mkfs(t, 64<<20, "mkntfs", "-q", "-F", "-f", "{}")
}

func withMount(t *testing.T, path string, do func(dir string)) {
	t.Helper()
	m, err := mount.Volume(t.Context(), path, "ntfs", t.TempDir(), mount.Options{})
	must(t, err)
	defer func() { must(t, m.Close()) }()
	do(m.Dir)
}

func plantNTFS(t *testing.T, dir string) {
	path := func(name string) string { return filepath.Join(dir, name) }
	set := func(name, attr string, value []byte) {
		t.Helper()
		must(t, unix.Lsetxattr(path(name), attr, value, 0))
	}
	plant(t, dir, "Windows/System32/config/SYSTEM", "a file", "Users/täst/日本語.txt", "empty dir/x")
	must(t, os.Remove(path("empty dir/x")))
	must(t, os.WriteFile(path("a file:big"), bytes.Repeat([]byte("stream "), 30_000), 0o600))
	must(t, os.WriteFile(path("a file:empty"), nil, 0o600))
	must(t, os.WriteFile(path("Windows:on a directory"), []byte("yes"), 0o600))
	must(t, os.WriteFile(path("large"), bytes.Repeat([]byte("0123456789abcde\n"), 600_000), 0o600))
	sparse(t, path("holes"), 2<<20, 1<<20)
	must(t, os.Link(path("a file"), path("Users/another name")))
	must(t, os.Symlink("a file", path("made by ntfs-3g")))
	must(t, os.Mkdir(path("junction"), 0o755))
	set("junction", ntfsReparse, mountPoint(`\??\C:\Windows`, `C:\Windows`))
	plant(t, dir, "symbolic")
	must(t, os.Truncate(path("symbolic"), 0))
	set("symbolic", ntfsReparse, symbolicLink(`Windows\System32`))
	set("Users/täst/日本語.txt", ntfsDOSName, []byte("JAPAN~1.TXT"))
	set("empty dir", ntfsDOSName, []byte("EMPTYD~1"))
	acl := make([]byte, 1024)
	n, err := unix.Lgetxattr(path("a file"), ntfsACL, acl)
	must(t, err)
	acl = acl[:n]
	const mask = 0x34 + 8 + 4 // of the first entry: behind owner and group, [MS-DTYP] 2.4.6
	acl[mask] ^= 0x40
	set("a file", ntfsACL, acl)
	set("Windows/System32", ntfsACL, acl)
	for name, bits := range map[string]uint32{"a file": 0x27, "large": 0x2 | 0x2000, "Users": 0x16, "Windows/System32/config/SYSTEM": 0x1 | 0x1000} {
		set(name, ntfsAttrib, binary.BigEndian.AppendUint32(nil, bits))
	}
	set("a file", ntfsObject, bytes.Repeat([]byte{7}, 16))
	var times []byte
	for i := range int64(4) {
		times = Time{-6_000_000_000 + i*1e9, 123456700}.toNTFS(times)
	}
	set("a file", ntfsTimes, times)
	set("Windows", ntfsTimes, times)
	must(t, os.Chtimes(path("large"), time.Unix(5, 700), time.Unix(1<<33, 999999900)))
}

// reparse builds a reparse point by [MS-FSCC] 2.1.2.
func reparsePoint(tag uint32, flags []byte, full, shown string) []byte {
	a, b := utf16Bytes(full), utf16Bytes(shown)
	body := binary.LittleEndian.AppendUint16(nil, 0)
	body = binary.LittleEndian.AppendUint16(body, uint16(len(a)))
	body = binary.LittleEndian.AppendUint16(body, uint16(len(a)+2))
	body = binary.LittleEndian.AppendUint16(body, uint16(len(b)))
	body = append(body, flags...)
	body = slices.Concat(body, a, []byte{0, 0}, b, []byte{0, 0})
	head := binary.LittleEndian.AppendUint32(nil, tag)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(body)))
	return append(append(head, 0, 0), body...)
}

func mountPoint(full, shown string) []byte { return reparsePoint(0xA0000003, nil, full, shown) }

func symbolicLink(to string) []byte { return reparsePoint(0xA000000C, []byte{1, 0, 0, 0}, to, to) }

func utf16Bytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// wimDump is what wimlib knows of every file of a volume.
func wimDump(t *testing.T, path string) string {
	t.Helper()
	wim := filepath.Join(t.TempDir(), "x.wim")
	dev := strings.TrimSpace(volumetest.Tool(t, "losetup", "--find", "--show", "--read-only", path))
	defer exec.Command("losetup", "--detach", dev).Run()
	volumetest.Tool(t, "wimlib-imagex", "capture", dev, wim, "x", "--compress=none")
	out := volumetest.Tool(t, "wimlib-imagex", "dir", wim, "1", "--detailed")
	// Each volume and each WIM counts anew.
	return regexp.MustCompile(`(?m)^(Link Group ID|Offset in WIM) .*\n`).ReplaceAllString(out, "")
}
