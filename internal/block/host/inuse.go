package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// What somebody does with a device.
const (
	UseMounted  = "mounted"  // Where is the mount point
	UseSwap     = "swap"     // Where is empty
	UseHeld     = "held"     // by the device-mapper, md or bcache device Where
	UseAttached = "attached" // to the loop device Where
	UseClaimed  = "claimed"  // by somebody this process cannot see: another mount namespace, a daemon
	UseLocked   = "locked"   // an image file, by another process: QEMU, another ingot
)

// Use is one way in which a disk, one of its partitions or something stacked on
// them is in use.
type Use struct {
	Device string // what is in use, such as "/dev/sda2" or an image file
	What   string // one of the constants above
	Where  string
	// ReadOnly is true when the user cannot write. Of a mount it speaks for the
	// whole file system, not for one mount point of it.
	ReadOnly bool
}

func (u Use) String() string {
	mode := ""
	if u.ReadOnly {
		mode = " read-only"
	}
	switch u.What {
	case UseMounted:
		return fmt.Sprintf("%s is mounted%s on %s", u.Device, mode, u.Where)
	case UseSwap:
		return u.Device + " is in use as swap space"
	case UseHeld:
		return fmt.Sprintf("%s is part of %s", u.Device, u.Where)
	case UseAttached:
		return fmt.Sprintf("%s is attached%s to %s", u.Device, mode, u.Where)
	case UseLocked:
		return u.Device + " is locked by another process"
	}
	return u.Device + " is in use by a program or a mount that cannot be seen from here"
}

// InUse tells who uses a disk, partition or image file: itself, its partitions,
// the disk that a partition lies on, and all that is stacked on them (loop
// devices, device-mapper, md, bcache). Order: bottom up, partitions by number.
// Errors: *NotFoundError, *KindError.
//
// Mounts are those of this process's mount namespace; a device that is mounted
// in another one is reported as claimed, since the kernel lets nobody else have
// it exclusively.
func InUse(path string) ([]Use, error) { return local().inUse(path) }

func (s system) inUse(path string) ([]Use, error) {
	if _, err := statKind(path); err != nil {
		return nil, err
	}
	id, err := identify(path)
	if err != nil {
		return nil, err
	}
	tables, err := s.readTables()
	if err != nil {
		return nil, err
	}
	w := walk{system: s, tables: tables, seen: map[identity]bool{}}
	if !id.device {
		err := w.visitFile(id, path)
		return w.uses, err
	}
	n, err := s.nodeOf(id.dev)
	if err != nil {
		return nil, fmt.Errorf("find %s in sysfs: %w", path, err)
	}
	if err := w.visitNode(n); err != nil {
		return nil, err
	}
	if n.isPartition() {
		_, err = w.visitAlone(n.disk())
	}
	return w.uses, err
}

// walk collects uses upwards from one device or file. seen ends it where two
// ways lead to one device, as with a mirror of two partitions of one disk.
type walk struct {
	system system
	tables tables
	seen   map[identity]bool
	uses   []Use
}

// visitNode visits a device with its partitions. Whoever has the disk has its
// partitions too, and the other way round: the kernel is asked about claims
// only where nobody was found.
func (w *walk) visitNode(n node) error {
	before := len(w.uses)
	fresh, err := w.visitAlone(n)
	if !fresh || err != nil {
		return err
	}
	taken := len(w.uses) > before
	for _, p := range n.partitions() {
		found := len(w.uses)
		fresh, err := w.visitAlone(p)
		if err != nil {
			return err
		}
		if fresh && !taken && len(w.uses) == found {
			w.askClaim(p)
		}
	}
	if len(w.uses) == before {
		w.askClaim(n)
	}
	return nil
}

func (w *walk) askClaim(n node) {
	if w.system.claimed(n.path()) {
		w.uses = append(w.uses, Use{Device: n.displayPath(), What: UseClaimed})
	}
}

// visitAlone visits a device without its partitions, and reports whether it was
// not visited before.
func (w *walk) visitAlone(n node) (fresh bool, err error) {
	dev, err := n.dev()
	id := identity{device: true, dev: dev}
	if err != nil || w.seen[id] {
		return false, err
	}
	if err := w.visit(id, n.displayPath()); err != nil {
		return true, err
	}
	for _, name := range names(filepath.Join(n.dir, "holders")) {
		holder, err := w.system.node(name)
		if err != nil {
			continue // it went away since the folder was read
		}
		w.uses = append(w.uses, Use{n.displayPath(), UseHeld, holder.displayPath(), holder.flag("ro")})
		if err := w.visitNode(holder); err != nil {
			return true, err
		}
	}
	return true, nil
}

func (w *walk) visitFile(id identity, path string) error {
	if locked(path) {
		w.uses = append(w.uses, Use{Device: path, What: UseLocked})
	}
	return w.visit(id, path)
}

// visit adds what the tables say about a device or file.
func (w *walk) visit(id identity, path string) error {
	w.seen[id] = true
	for _, u := range w.tables.uses[id] {
		u.Device = path
		w.uses = append(w.uses, u)
	}
	for _, loop := range w.tables.loops[id] {
		w.uses = append(w.uses, Use{path, UseAttached, loop.path(), loop.flag("ro")})
		if err := w.visitNode(loop); err != nil {
			return err
		}
	}
	return nil
}

// claimed tries to become a device's exclusive holder, which fails while it or
// a partition of it is mounted, swapped on or held anywhere. It asks more than
// once because others may be asking the same question.
func claimed(path string) bool {
	for range 3 {
		f, err := os.OpenFile(path, os.O_RDONLY|unix.O_EXCL, 0)
		if err == nil {
			f.Close()
			return false
		}
		if !errors.Is(err, unix.EBUSY) {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
	return true
}

// locked reports whether somebody has a lock on any part of a file, as QEMU has
// on the disk images of a running machine. A file system without locks has no
// locked files.
func locked(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	all := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err = control(f, func(fd int) error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &all) })
	return err == nil && all.Type != unix.F_UNLCK
}
