// Package rootfs reaches the files of a mounted image by the names they have
// inside it.
//
// It owns one promise: no name, and no link that an image holds, leads out of
// the image. Every name is resolved by the kernel the way it would be after a
// chroot (openat2(2) with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS): an absolute
// link stays inside, '..' stops at the root. It refuses to read what is not a
// regular file, so that a FIFO or a device in a hostile image cannot stall or
// surprise its reader.
//
// Names are slash-separated and may begin with a slash. Start at Open.
package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Root is a directory tree. It may be used by several goroutines.
type Root struct {
	dir  *os.File
	name string
}

// Open returns the tree below dir, with everything that is mounted in it.
func Open(dir string) (*Root, error) {
	f, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &Root{f, dir}, nil
}

// Close lets go of the tree.
func (r *Root) Close() error { return r.dir.Close() }

// Dir is where the tree lies on this machine; for tools that do their own
// chroot, never for joining names to it.
func (r *Root) Dir() string { return r.name }

// host is a name as messages show it.
func (r *Root) host(name string) string { return path.Join("/", name) }

// openat opens name; links are followed inside the tree unless flags say no.
func (r *Root) openat(name string, flags int, mode uint32) (*os.File, error) {
	how := &unix.OpenHow{
		Flags: uint64(flags | unix.O_CLOEXEC), Mode: uint64(mode),
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	if strings.Trim(name, "/") == "" {
		name = "."
	}
	for {
		fd, err := unix.Openat2(int(r.dir.Fd()), name, how)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: r.host(name), Err: err}
		}
		return os.NewFile(uintptr(fd), r.host(name)), nil
	}
}

// parent opens the directory that holds name and returns name's last element.
func (r *Root) parent(name string) (*os.File, string, error) {
	dir, base := split(name)
	if base == "" || base == "." || base == ".." {
		return nil, "", &fs.PathError{Op: "open", Path: r.host(name), Err: errors.New("it names no entry of a directory")}
	}
	f, err := r.openat(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	return f, base, err
}

// split cuts a name before its last element. Unlike path.Split it does not judge
// '..', whose meaning depends on where links lead.
func split(name string) (dir, base string) {
	name = strings.TrimRight(name, "/")
	i := strings.LastIndexByte(name, '/')
	return name[:i+1], name[i+1:]
}

// at calls do with the directory that holds name.
func (r *Root) at(op, name string, do func(dir int, base string) error) error {
	dir, base, err := r.parent(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := do(int(dir.Fd()), base); err != nil {
		return &fs.PathError{Op: op, Path: r.host(name), Err: err}
	}
	return nil
}

// Stat describes what name leads to; the error is fs.ErrNotExist when it leads
// nowhere.
func (r *Root) Stat(name string) (fs.FileInfo, error) { return r.stat(name, 0) }

// Lstat describes name itself, be it a link.
func (r *Root) Lstat(name string) (fs.FileInfo, error) { return r.stat(name, unix.O_NOFOLLOW) }

func (r *Root) stat(name string, flag int) (fs.FileInfo, error) {
	f, err := r.openat(name, unix.O_PATH|flag, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

// Exists reports whether name leads to something.
func (r *Root) Exists(name string) bool {
	_, err := r.Stat(name)
	return err == nil
}

// Open opens a regular file for reading.
func (r *Root) Open(name string) (*os.File, error) {
	f, err := r.openat(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: r.host(name), Err: errors.New("it is not a regular file")}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Folder opens what name leads to, a folder, as a place to mount something at.
func (r *Root) Folder(name string) (*os.File, error) {
	return r.openat(name, unix.O_PATH|unix.O_DIRECTORY, 0)
}

// ReadFile returns the bytes of a regular file of at most limit bytes.
func (r *Root) ReadFile(name string, limit int64) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, &fs.PathError{Op: "read", Path: r.host(name), Err: fmt.Errorf("it has %d bytes, more than the %d that are possible here", info.Size(), limit)}
	}
	return readAll(f, limit)
}

// Peek returns the first n bytes of a regular file, fewer of one that is shorter.
func (r *Root) Peek(name string, n int64) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, n)
}

// ReadDir lists a directory, sorted by name.
func (r *Root) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := r.openat(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return entriesOf(f)
}

// Readlink returns what a link says.
func (r *Root) Readlink(name string) (string, error) {
	var target string
	err := r.at("readlink", name, func(dir int, base string) error {
		buf := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(dir, base, buf)
		target = string(buf[:max(n, 0)])
		return err
	})
	return target, err
}

// Fold returns name as the tree spells it, for names that ignore case, as those
// of Windows do. The error is fs.ErrNotExist when no such entry is there.
func (r *Root) Fold(name string) (string, error) {
	found := "/"
	for _, want := range strings.Split(strings.Trim(path.Clean("/"+name), "/"), "/") {
		if want == "" {
			continue
		}
		entries, err := r.ReadDir(found)
		if err != nil {
			return "", err
		}
		next := ""
		for _, e := range entries {
			if e.Name() == want {
				next = want
				break
			}
			if next == "" && strings.EqualFold(e.Name(), want) {
				next = e.Name()
			}
		}
		if next == "" {
			return "", &fs.PathError{Op: "find", Path: path.Join(found, want), Err: fs.ErrNotExist}
		}
		found = path.Join(found, next)
	}
	return found, nil
}
