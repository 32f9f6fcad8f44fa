package files

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// earlyFlags are set on files that are still empty: they say how bytes, or names,
// are stored.
const earlyFlags = flagCompress | flagNoCompress | flagNoCow | flagDAX | flagCasefold | flagProjInherit

// setFlags sets those flags of an open file that mask has.
func (a *applier) setFlags(fd int, n int32, mask uint32) {
	if err := writeFlags(fd, a.Entries[n].Flags, mask); err != nil {
		a.lose(n, "flags of chattr", err)
	}
}

// handle is a file by which attributes are set: open, or by its name.
type handle struct {
	chown func(uid, gid int) error
	attr  func(name string, value []byte) error
	chmod func(mode uint32) error // nil: it has none of its own
	times func(ts []unix.Timespec) error
}

func byFD(fd int) handle {
	return handle{
		func(uid, gid int) error { return unix.Fchown(fd, uid, gid) },
		func(name string, value []byte) error { return unix.Fsetxattr(fd, name, value, 0) },
		func(mode uint32) error { return unix.Fchmod(fd, mode) },
		func(ts []unix.Timespec) error { return unix.UtimesNanoAt(fd, "", ts, unix.AT_EMPTY_PATH) },
	}
}

func byName(dir int, name string, link bool) handle {
	h := handle{
		chown: func(uid, gid int) error { return unix.Fchownat(dir, name, uid, gid, unix.AT_SYMLINK_NOFOLLOW) },
		attr:  func(attr string, value []byte) error { return setByName(inProc(dir, name), attr, value) },
		times: func(ts []unix.Timespec) error { return unix.UtimesNanoAt(dir, name, ts, unix.AT_SYMLINK_NOFOLLOW) },
	}
	if !link {
		h.chmod = func(mode uint32) error { return unix.Fchmodat(dir, name, mode, 0) }
	}
	return h
}

// setByName tries again when FUSE found that a file became a reparse point, which
// looks like a link: the name leads to the new inode only the next time.
func setByName(path, attr string, value []byte) error {
	err := unix.Lsetxattr(path, attr, value, 0)
	if errors.Is(err, unix.EIO) {
		err = unix.Lsetxattr(path, attr, value, 0)
	}
	return err
}

// finishFile gives an open file everything but its bytes. Flags that would keep
// it from getting other names come later.
func (a *applier) finishFile(fd int, n int32) error {
	e := &a.Entries[n]
	if e.Flags&lockingFlags != 0 {
		a.setLast(n)
	}
	if rest := uint32(keptFlags &^ (earlyFlags | lockingFlags)); e.Flags&rest != 0 {
		a.setFlags(fd, n, rest)
	}
	return a.set(byFD(fd), n)
}

// finishByName is for what is not open; flags are left to the end.
func (a *applier) finishByName(dir int, n int32, flags bool) error {
	e := &a.Entries[n]
	if a.isReparse(n) {
		// FUSE notices that the file has become another type when it looks at it next,
		// and fails that once.
		defer statAt(dir, e.Name, 0)
	}
	if err := a.set(byName(dir, e.Name, e.Type == Symlink), n); err != nil || !flags || e.Type != File || e.Flags == 0 {
		return err
	}
	fd, err := openBelow(dir, e.Name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	a.setFlags(fd, n, keptFlags&^earlyFlags)
	return nil
}

func (a *applier) finishDirectory(ctx context.Context, n int32) error {
	e := &a.Entries[n]
	if a.isReparse(n) {
		return a.inDirectory(e.Parent, func(dir int) error { return a.finishByName(dir, n, false) })
	}
	fd, err := a.tree.open(a.Path(n), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := a.set(byFD(fd), n); err != nil {
		return err
	}
	if e.Flags != 0 {
		a.setFlags(fd, n, keptFlags&^earlyFlags)
	}
	if !e.more().ReadOnly || a.kind != "btrfs" {
		return nil
	}
	_, err = tool.Command{Name: tool.Btrfs, Args: []string{"property", "set", "-ts", forProgram(fd), "ro", "true"}}.Run(ctx)
	return err
}

// set gives a file its owner, attributes, mode and times, in this order: each
// changes what comes before it in no way.
func (a *applier) set(h handle, n int32) error {
	e := &a.Entries[n]
	ntfs := a.kind == "ntfs" && a.Kind == "ntfs" // owner and mode are in its security descriptor
	if !ntfs {
		if err := again(func() error { return h.chown(int(e.UID), int(e.GID)) }); err != nil && !a.tolerable(n, "owner", err) {
			return err
		}
	}
	for _, attr := range a.attrsOf(n) {
		if err := again(func() error { return h.attr(attr.Name, attr.Value) }); err != nil && !a.tolerable(n, "attribute "+attr.Name, err) {
			return failure("set attribute "+attr.Name+" of", "/"+a.Path(n), err)
		}
	}
	if h.chmod != nil && !ntfs {
		if err := again(func() error { return h.chmod(uint32(e.Mode)) }); err != nil && !a.tolerable(n, "mode", err) {
			return err
		}
	}
	return a.setTimes(h, n, ntfs)
}

func (a *applier) setTimes(h handle, n int32, ntfs bool) error {
	e := &a.Entries[n]
	if ntfs && e.more().Times != nil {
		var b []byte
		for _, t := range []Time{e.More.Times.Birth, e.Mtime, e.Atime, e.More.Times.Change} {
			b = t.toNTFS(b)
		}
		return h.attr(ntfsTimes, b)
	}
	times := []unix.Timespec{{Sec: e.Atime.Sec, Nsec: int64(e.Atime.Nsec)}, {Sec: e.Mtime.Sec, Nsec: int64(e.Mtime.Nsec)}}
	if err := again(func() error { return h.times(times) }); err != nil && !a.tolerable(n, "times", err) {
		return err
	}
	return nil
}

// tolerable notes an error that says that the file system cannot hold something.
func (a *applier) tolerable(n int32, what string, err error) bool {
	for _, no := range []error{unix.ENOTSUP, unix.ENOSYS, unix.EPERM, unix.EINVAL, unix.E2BIG, unix.ERANGE, unix.ENOSPC} {
		if errors.Is(err, no) {
			a.lose(n, what, err)
			return true
		}
	}
	return false
}

func (a *applier) isReparse(n int32) bool {
	return a.kind == "ntfs" && slices.ContainsFunc(a.Sets[a.Entries[n].Attrs], func(a Attr) bool { return a.Name == ntfsReparse })
}

// attrsOf are the extended attributes of an entry in the order in which they are
// set.
func (a *applier) attrsOf(n int32) []Attr {
	set := a.Sets[a.Entries[n].Attrs]
	if a.kind == "ntfs" {
		return inOrder(set)
	}
	return set
}

// inOrder puts what makes a file of NTFS another kind of file last, and what
// hides or locks it behind that.
func inOrder(set []Attr) []Attr {
	ordered := slices.Clone(set)
	slices.SortStableFunc(ordered, func(a, b Attr) int { return cmp.Compare(turn(a.Name), turn(b.Name)) })
	return ordered
}

func turn(name string) int {
	return slices.Index([]string{ntfsReparse, ntfsAttrib}, name)
}
