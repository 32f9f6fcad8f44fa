package files

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// tree is a directory and what lies below it, whose files are reached by their
// names one directory at a time, never by a link.
type tree struct {
	root *os.File
	dir  string
}

func openTree(dir string) (*tree, error) {
	f, err := os.OpenFile(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &tree{f, dir}, nil
}

func (t *tree) Close() error { return t.root.Close() }

// longest is what one open gets of a path; the kernel takes 4,095 bytes.
const longest = 4000

// open opens what a path leads to, without following a link.
func (t *tree) open(path string, flags int, mode uint32) (int, error) {
	at, opened := int(t.root.Fd()), -1
	defer func() { closeFD(opened) }()
	for len(path) > longest {
		i := strings.LastIndexByte(path[:longest], '/')
		if i < 0 {
			return -1, failure("open", path, unix.ENAMETOOLONG)
		}
		next, err := openBelow(at, path[:i], unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			return -1, failure("open", path[:i], err)
		}
		closeFD(opened)
		at, opened, path = next, next, path[i+1:]
	}
	if path == "" {
		path = "."
	}
	fd, err := openBelow(at, path, flags, mode)
	if err != nil {
		return -1, failure("open", path, err)
	}
	return fd, nil
}

// openBelow opens a path below a directory.
func openBelow(at int, path string, flags int, mode uint32) (int, error) {
	how := unix.OpenHow{
		Flags: uint64(flags | unix.O_NOFOLLOW | unix.O_CLOEXEC), Mode: uint64(mode),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	for {
		fd, err := unix.Openat2(at, path, &how)
		if err != unix.EINTR && err != unix.EAGAIN {
			return fd, err
		}
	}
}

// openToRead opens a file without a trace in its time of access, where that is
// allowed.
func openToRead(open func(flags int) (int, error), flags int) (int, error) {
	flags |= unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY
	fd, err := open(flags | unix.O_NOATIME)
	if errors.Is(err, unix.EPERM) {
		return open(flags)
	}
	return fd, err
}

func closeFD(fd int) {
	if fd >= 0 {
		unix.Close(fd)
	}
}

// failure says what was done to which file.
func failure(op, path string, err error) error {
	var named *fs.PathError
	if err == nil || errors.As(err, &named) {
		return err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// again repeats a call that a signal interrupted.
func again(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// dirent is one entry of a directory as getdents64(2) gives it.
type dirent struct {
	ino  uint64
	kind uint8 // DT_DIR and so on
	name string
}

// direntBuffer holds a few hundred entries.
const direntBuffer = 64 << 10

// readDir lists an open directory but for '.' and '..'. The layout is that of
// struct linux_dirent64.
func readDir(fd int, buf []byte) ([]dirent, error) {
	var all []dirent
	for {
		n, err := unix.Getdents(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return all, err
		}
		for rest := buf[:n]; len(rest) >= 20; {
			size := int(binary.NativeEndian.Uint16(rest[16:]))
			if size < 20 || size > len(rest) {
				return nil, fmt.Errorf("the kernel gave an entry of %d bytes", size)
			}
			name, _, _ := strings.Cut(string(rest[19:size]), "\x00")
			if name != "." && name != ".." {
				all = append(all, dirent{binary.NativeEndian.Uint64(rest), rest[18], name})
			}
			rest = rest[size:]
		}
	}
}

// inProc is a name for a file of an open directory that calls without a
// directory argument take, as those for extended attributes are. The last
// element is not followed where the call does not.
func inProc(dir int, name string) string { return fmt.Sprintf("/proc/self/fd/%d/%s", dir, name) }
