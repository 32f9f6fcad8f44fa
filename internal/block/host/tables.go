package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// identity is what makes two paths the same thing: of a block device its
// number, of a file its file system and inode.
type identity struct {
	device   bool
	dev, ino uint64
}

func identify(path string) (identity, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return identity{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT == unix.S_IFBLK {
		return identity{device: true, dev: uint64(st.Rdev)}, nil
	}
	return identity{dev: uint64(st.Dev), ino: st.Ino}, nil
}

// tables is what the kernel says about the use of all devices and files.
type tables struct {
	uses  map[identity][]Use // mounts and swap; Device is not set
	loops map[identity][]node
}

func (s system) readTables() (tables, error) {
	t := tables{map[identity][]Use{}, map[identity][]node{}}
	mounts, err := os.ReadFile(s.path("proc/self/mountinfo"))
	if err != nil {
		return t, fmt.Errorf("read the mounts: %w", err)
	}
	for line := range strings.Lines(string(mounts)) {
		if err := s.addMount(t, line); err != nil {
			return t, err
		}
	}
	swaps, err := os.ReadFile(s.path("proc/swaps"))
	if err != nil && !os.IsNotExist(err) { // absent in a kernel without swap
		return t, fmt.Errorf("read the swap areas: %w", err)
	}
	for line := range strings.Lines(string(swaps)) {
		s.addSwap(t, line)
	}
	s.addBtrfs(t)
	s.addLoops(t)
	return t, nil
}

// addMount adds one line of mountinfo. Source: proc_pid_mountinfo(5).
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
func (s system) addMount(t tables, line string) error {
	left, right, _ := strings.Cut(line, " - ")
	mount, super := strings.Fields(left), strings.Fields(right)
	if len(mount) < 6 || len(super) < 2 {
		return fmt.Errorf("read the mounts: cannot make sense of %q", line)
	}
	dev, err := parseDev(mount[2])
	if err != nil {
		return fmt.Errorf("read the mounts: device in %q: %w", line, err)
	}
	id := identity{device: true, dev: dev}
	if unix.Major(dev) == 0 { // not on one device: btrfs, FUSE, or not on disk at all
		source := unescape(super[1])
		if !strings.HasPrefix(source, "/") {
			return nil
		}
		if id, err = identify(s.path(source)); err != nil {
			return nil
		}
	}
	// The mount point's own options come first; only those of the super block
	// say whether the file system is written.
	readOnly := len(super) > 2 && hasOption(super[2], "ro")
	t.uses[id] = append(t.uses[id], Use{What: UseMounted, Where: unescape(mount[4]), ReadOnly: readOnly})
	return nil
}

func hasOption(options, want string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == want {
			return true
		}
	}
	return false
}

// addSwap adds one line of /proc/swaps: path, then columns that do not matter.
func (s system) addSwap(t tables, line string) {
	path, _, _ := strings.Cut(line, " ")
	path, _, _ = strings.Cut(path, "\t")
	if !strings.HasPrefix(path, "/") { // the heading
		return
	}
	if id, err := identify(s.path(unescape(path))); err == nil {
		t.uses[id] = append(t.uses[id], Use{What: UseSwap})
	}
}

// addBtrfs gives every member of a mounted btrfs the mounts that mountinfo lists
// under one of them. Source: fs/btrfs/sysfs.c, /sys/fs/btrfs/UUID/devices.
func (s system) addBtrfs(t tables) {
	base := s.path("sys/fs/btrfs")
	for _, uuid := range names(base) {
		var members []identity
		for _, name := range names(s.path("sys/fs/btrfs", uuid, "devices")) {
			if dev, err := s.devOf(name); err == nil {
				members = append(members, identity{device: true, dev: dev})
			}
		}
		mounts := []Use{{What: UseMounted, Where: "btrfs " + uuid}}
		for _, id := range members {
			if len(t.uses[id]) > 0 {
				mounts = t.uses[id]
			}
		}
		for _, id := range members {
			t.uses[id] = mounts
		}
	}
}

func (s system) devOf(name string) (uint64, error) {
	n, err := s.node(name)
	if err != nil {
		return 0, err
	}
	return n.dev()
}

// addLoops finds what stands behind each loop device. A file that was deleted
// since has no name that could be asked about.
func (s system) addLoops(t tables) {
	for _, name := range names(s.path("sys/block")) {
		if !strings.HasPrefix(name, "loop") {
			continue
		}
		n, err := s.node(name)
		if err != nil {
			continue
		}
		backing := n.attr("loop/backing_file")
		if backing == "" {
			continue
		}
		if id, err := identify(s.path(backing)); err == nil {
			t.loops[id] = append(t.loops[id], n)
		}
	}
}

// unescape undoes the octal escapes (\040 for a blank) of the tables in /proc.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
