package host

import (
	"errors"
	"fmt"
)

// Overlap reports whether writing to b could change what a holds: they are one
// device or file, or one is a disk and the other a partition of it. What does not
// exist overlaps nothing. What is stacked on other devices, such as a loop device
// on an image file, InUse tells.
func Overlap(a, b string) (bool, error) { return local().overlap(a, b) }

func (s system) overlap(a, b string) (bool, error) {
	wholeA, idA, err := s.whole(a)
	if err != nil {
		return false, err
	}
	wholeB, idB, err := s.whole(b)
	if err != nil {
		return false, err
	}
	none := identity{}
	return idA != none && (idA == idB || idA == wholeB || idB == wholeA), nil
}

// whole returns the identity of a path and that of the disk it lies on, which are
// the same but for a partition, and both zero where there is nothing.
func (s system) whole(path string) (disk, id identity, err error) {
	if _, err := statKind(path); err != nil {
		var missing *NotFoundError
		if errors.As(err, &missing) {
			err = nil
		}
		return identity{}, identity{}, err
	}
	if id, err = identify(path); err != nil || !id.device {
		return id, id, err
	}
	n, err := s.nodeOf(id.dev)
	if err != nil {
		return id, id, fmt.Errorf("find %s in sysfs: %w", path, err)
	}
	dev, err := n.disk().dev()
	return identity{device: true, dev: dev}, id, err
}
