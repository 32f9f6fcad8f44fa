package files

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// makeDirectory makes one directory; one that is there is taken as it is.
func (a *applier) makeDirectory(ctx context.Context, dir int, n int32) error {
	e := &a.Entries[n]
	if e.more().Subvolume && a.kind == "btrfs" {
		if err := a.makeSubvolume(ctx, dir, e.Name); err != nil {
			return err
		}
	} else {
		err := again(func() error { return unix.Mkdirat(dir, e.Name, 0o700) })
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return err
		}
		if e.more().Subvolume {
			a.lose(n, "subvolume", unix.ENOTSUP)
		}
	}
	if (e.Flags|a.Entries[e.Parent].Flags)&earlyFlags == 0 {
		return nil
	}
	fd, err := openBelow(dir, e.Name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	a.setFlags(fd, n, earlyFlags)
	return nil
}

// forProgram names an open directory for a program that is started.
func forProgram(fd int) string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd) }

func (a *applier) makeSubvolume(ctx context.Context, dir int, name string) error {
	_, err := tool.Command{Name: tool.Btrfs, Args: []string{"subvolume", "create", forProgram(dir) + "/" + name}}.Run(ctx)
	return err
}

// defaultSubvolume makes the subvolume the default that was it.
func (a *applier) defaultSubvolume(ctx context.Context) error {
	name, ok := a.Spec[SpecDefaultSubvolume]
	if !ok || a.kind != "btrfs" {
		return nil
	}
	n, ok := a.Find(name)
	if !ok || !a.Entries[n].more().Subvolume {
		return nil
	}
	return a.inDirectory(n, func(dir int) error {
		_, err := tool.Command{Name: tool.Btrfs, Args: []string{"subvolume", "set-default", forProgram(dir)}}.Run(ctx)
		return err
	})
}

// withoutBytes makes everything that takes nothing of the contents, and the files
// that have streams, which must be there before these.
func (a *applier) withoutBytes(ctx context.Context) error {
	wanted := func(e *Entry) bool {
		return e.Type != Link && (e.Type != File && e.Type != Dir || e.Type == File && e.length() == 0 || len(e.more().Streams) > 0)
	}
	return a.eachDirectory(ctx, wanted, func(dir int, n int32) error {
		e := &a.Entries[n]
		if e.Type == File {
			return a.makeFile(dir, n)
		}
		if e.Type != Dir {
			if err := makeSpecial(dir, e); err != nil {
				return err
			}
			return a.finishByName(dir, n, false)
		}
		return a.makeStreams(n)
	})
}

// makeFile makes a file that has no bytes, or none yet.
func (a *applier) makeFile(dir int, n int32) error {
	e := &a.Entries[n]
	o, err := a.create(dir, n)
	if err != nil {
		return err
	}
	defer o.close()
	if len(e.more().Streams) > 0 {
		return a.makeStreams(n)
	}
	if a.isReparse(n) {
		return a.finishByName(dir, n, false)
	}
	if err := o.reserve(&e.Data); err != nil {
		return err
	}
	return a.finishFile(o.fd, n)
}

// makeStreams makes the streams of an entry, empty.
func (a *applier) makeStreams(n int32) error {
	if a.Entries[n].Type == File {
		a.setLast(n)
	}
	if a.kind != "ntfs" {
		a.lose(n, "named streams", unix.ENOTSUP)
		return nil
	}
	for i := range a.Entries[n].More.Streams {
		d := datum{n, int32(i)}
		fd, err := a.tree.open(a.path(d), unix.O_WRONLY|unix.O_CREAT, 0o600)
		if err != nil {
			return err
		}
		closeFD(fd)
	}
	return nil
}

// setLast marks an entry for attributes at the end.
func (a *applier) setLast(n int32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = append(a.last, n)
}

// makeSpecial makes what is neither file nor directory. mknod(2) takes no more
// than the permissions that a umask leaves; the rest comes later.
func makeSpecial(dir int, e *Entry) error {
	kind, device := uint32(0), 0
	switch e.Type {
	case Symlink:
		return again(func() error { return unix.Symlinkat(e.More.Target, dir, e.Name) })
	case CharDevice:
		kind, device = unix.S_IFCHR, int(unix.Mkdev(e.More.Major, e.More.Minor))
	case BlockDevice:
		kind, device = unix.S_IFBLK, int(unix.Mkdev(e.More.Major, e.More.Minor))
	case FIFO:
		kind = unix.S_IFIFO
	case Socket:
		kind = unix.S_IFSOCK
	}
	return again(func() error { return unix.Mknodat(dir, e.Name, kind|0o600, device) })
}
