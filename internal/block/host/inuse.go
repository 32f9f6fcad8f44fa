package host

import (
	"fmt"
	"path/filepath"
)

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
