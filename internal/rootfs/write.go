package rootfs

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Attr is what a new file gets. A zero Attr keeps mode and owner of the file that
// is replaced, and is 0644 of root where there was none.
type Attr struct {
	Mode     fs.FileMode // permission, setuid, setgid and sticky bits; 0: see above
	UID, GID int
}

// WriteFile replaces or makes a regular file, so that every reader finds the old
// or the new bytes and never a part. A link in name's last place is followed,
// inside the tree. Extended attributes of what is replaced are kept.
func (r *Root) WriteFile(name string, data []byte, a Attr) error {
	name, err := r.follow(name)
	if err != nil {
		return err
	}
	a, xattrs, err := r.like(name, a)
	if err != nil {
		return err
	}
	return r.at("write", name, func(dir int, base string) error {
		temp := ".ingot-" + rand.Text()
		fd, err := unix.Openat(dir, temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return err
		}
		f := os.NewFile(uintptr(fd), base)
		defer f.Close()
		if err := fill(f, data, a, xattrs); err != nil {
			unix.Unlinkat(dir, temp, 0)
			return err
		}
		return unix.Renameat(dir, temp, dir, base)
	})
}

// fill completes a new file before it gets its name. The mode comes after the
// owner, whose change takes setuid bits away.
func fill(f *os.File, data []byte, a Attr, xattrs map[string][]byte) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chown(a.UID, a.GID); err != nil {
		return err
	}
	if err := f.Chmod(a.Mode); err != nil {
		return err
	}
	for name, value := range xattrs {
		if err := unix.Fsetxattr(int(f.Fd()), name, value, 0); err != nil && !errors.Is(err, unix.ENOTSUP) {
			return err
		}
	}
	return f.Sync()
}

// like completes a with what the file at name has.
func (r *Root) like(name string, a Attr) (Attr, map[string][]byte, error) {
	f, err := r.openat(name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if a.Mode == 0 {
			a.Mode = 0o644
		}
		return a, nil, nil
	}
	if err != nil {
		return a, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return a, nil, err
	}
	if !info.Mode().IsRegular() {
		return a, nil, &fs.PathError{Op: "write", Path: r.host(name), Err: errors.New("it is there already and no regular file")}
	}
	if a.Mode != 0 {
		return a, nil, nil
	}
	owner := ownerOf(info)
	xattrs, err := xattrsOf(int(f.Fd()))
	return Attr{info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky), owner.UID, owner.GID}, xattrs, err
}

// maxLinks is how many links in a row are followed, as Linux does.
const maxLinks = 40

// follow returns the name that name's last place leads to, through links.
func (r *Root) follow(name string) (string, error) {
	for range maxLinks {
		target, err := r.Readlink(name)
		switch {
		case errors.Is(err, unix.EINVAL), errors.Is(err, fs.ErrNotExist): // no link, or nothing yet
			return name, nil
		case err != nil:
			return "", err
		case strings.HasPrefix(target, "/"):
			name = target
		default:
			dir, _ := split(name)
			name = dir + target
		}
	}
	return "", &fs.PathError{Op: "write", Path: r.host(name), Err: unix.ELOOP}
}

// Create makes a new regular file for writing; one that is there is an error.
func (r *Root) Create(name string, a Attr) (*os.File, error) {
	var f *os.File
	err := r.at("create", name, func(dir int, base string) error {
		fd, err := unix.Openat(dir, base, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return err
		}
		f = os.NewFile(uintptr(fd), r.host(name))
		return fill(f, nil, a, nil)
	})
	return f, err
}

// Mkdir makes a directory, with its parents; one that is there is left as it is.
func (r *Root) Mkdir(name string, a Attr) error {
	name = path.Clean("/" + name)
	if name == "/" || r.Exists(name) {
		return nil
	}
	if err := r.Mkdir(path.Dir(name), Attr{Mode: 0o755}); err != nil {
		return err
	}
	if a.Mode == 0 {
		a.Mode = 0o755
	}
	return r.at("mkdir", name, func(dir int, base string) error {
		if err := unix.Mkdirat(dir, base, 0o700); err != nil {
			return err
		}
		if err := unix.Fchownat(dir, base, a.UID, a.GID, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		return unix.Fchmodat(dir, base, modeBits(a.Mode), 0)
	})
}

// Symlink makes name a link that says target, in the place of a file or link
// that is there.
func (r *Root) Symlink(target, name string) error {
	return r.at("symlink", name, func(dir int, base string) error {
		temp := ".ingot-" + rand.Text()
		if err := unix.Symlinkat(target, dir, temp); err != nil {
			return err
		}
		err := unix.Renameat(dir, temp, dir, base)
		if err != nil {
			unix.Unlinkat(dir, temp, 0)
		}
		return err
	})
}

// Remove removes a file, a link or an empty directory; what is not there is no
// error.
func (r *Root) Remove(name string) error {
	err := r.at("remove", name, func(dir int, base string) error {
		err := unix.Unlinkat(dir, base, 0)
		if errors.Is(err, unix.EISDIR) {
			err = unix.Unlinkat(dir, base, unix.AT_REMOVEDIR)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func readAll(f *os.File, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(f, limit))
}
