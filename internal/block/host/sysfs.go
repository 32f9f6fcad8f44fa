package host

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// system is where the kernel's tables are read: "/" on a real machine, a copied
// tree in a test.
type system struct {
	root string
	// claimed reports whether somebody holds a block device exclusively.
	claimed func(path string) bool
}

func local() system { return system{"/", claimed} }

func (s system) path(elem ...string) string {
	return filepath.Join(append([]string{s.root}, elem...)...)
}

// node is one block device: a whole disk, a partition, or a virtual one.
// Source: Documentation/ABI/stable/sysfs-block of the kernel.
type node struct {
	dir string // its folder below /sys/devices, without symbolic links
}

// node finds a device by the name of its folder, such as "sda2".
func (s system) node(name string) (node, error) {
	dir, err := filepath.EvalSymlinks(s.path("sys/class/block", name))
	return node{dir}, err
}

// nodeOf finds a device by its number.
func (s system) nodeOf(dev uint64) (node, error) {
	number := fmt.Sprintf("%d:%d", unix.Major(dev), unix.Minor(dev))
	dir, err := filepath.EvalSymlinks(s.path("sys/dev/block", number))
	return node{dir}, err
}

func (n node) name() string { return filepath.Base(n.dir) }

// path is the device's name in /dev as the kernel makes it; a "!" in sysfs
// stands for a "/".
func (n node) path() string { return "/dev/" + strings.ReplaceAll(n.name(), "!", "/") }

// displayPath is the name that people know the device by.
func (n node) displayPath() string {
	if name := n.attr("dm/name"); name != "" {
		return "/dev/mapper/" + name
	}
	return n.path()
}

// attr reads one attribute, "" where the device has none.
func (n node) attr(name string) string {
	b, err := os.ReadFile(filepath.Join(n.dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.TrimRight(string(b), "\x00\n"))
}

func (n node) flag(name string) bool { return n.attr(name) == "1" }

func (n node) number(name string) int64 {
	v, err := strconv.ParseInt(n.attr(name), 10, 64)
	if err != nil {
		return 0
	}
	return v
}

// dev is the device's number, as stat(2) encodes it.
func (n node) dev() (uint64, error) {
	dev, err := parseDev(n.attr("dev"))
	if err != nil {
		return 0, fmt.Errorf("read the device number in %s: %w", n.dir, err)
	}
	return dev, nil
}

func parseDev(s string) (uint64, error) {
	major, minor, _ := strings.Cut(s, ":")
	ma, err := strconv.ParseUint(major, 10, 32)
	if err != nil {
		return 0, err
	}
	mi, err := strconv.ParseUint(minor, 10, 32)
	if err != nil {
		return 0, err
	}
	return unix.Mkdev(uint32(ma), uint32(mi)), nil
}

func (n node) isPartition() bool { return n.attr("partition") != "" }

// disk is the whole disk that n is or lies on.
func (n node) disk() node {
	if n.isPartition() {
		return node{filepath.Dir(n.dir)}
	}
	return n
}

// partitions lists a whole disk's partitions by number.
func (n node) partitions() []node {
	var parts []node
	for _, name := range names(n.dir) {
		if p := (node{filepath.Join(n.dir, name)}); p.isPartition() {
			parts = append(parts, p)
		}
	}
	slices.SortStableFunc(parts, func(a, b node) int {
		return int(a.number("partition") - b.number("partition"))
	})
	return parts
}

// names lists a folder in order; one that cannot be read is empty.
func names(dir string) []string {
	entries, _ := os.ReadDir(dir)
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.Name()
	}
	return list
}
