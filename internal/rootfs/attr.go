package rootfs

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Owner is who a file belongs to.
type Owner struct{ UID, GID int }

func ownerOf(info fs.FileInfo) Owner {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Owner{}
	}
	return Owner{int(st.Uid), int(st.Gid)}
}

// Owner returns who name, or what it leads to, belongs to.
func (r *Root) Owner(name string) (Owner, error) {
	info, err := r.Stat(name)
	if err != nil {
		return Owner{}, err
	}
	return ownerOf(info), nil
}

// Chmod sets the permission bits of what name leads to.
func (r *Root) Chmod(name string, mode fs.FileMode) error {
	name, err := r.follow(name)
	if err != nil {
		return err
	}
	return r.at("chmod", name, func(dir int, base string) error {
		return unix.Fchmodat(dir, base, modeBits(mode), 0)
	})
}

// Chown sets the owner of name itself.
func (r *Root) Chown(name string, uid, gid int) error {
	return r.at("chown", name, func(dir int, base string) error {
		return unix.Fchownat(dir, base, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
	})
}

// modeBits are the bits of a mode as chmod(2) wants them.
func modeBits(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: unix.S_ISUID, fs.ModeSetgid: unix.S_ISGID, fs.ModeSticky: unix.S_ISVTX} {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// maxXattrs bounds the names of one file's attributes, as Linux does.
const maxXattrs = 64 << 10

// unlisted are attributes that ntfs-3g has and does not list: who may do what with
// a file on Windows, and whether it is hidden there.
func unlisted() []string { return []string{"system.ntfs_acl", "system.ntfs_attrib_be"} }

// xattrsOf returns the extended attributes of an open file.
func xattrsOf(fd int) (map[string][]byte, error) {
	names := make([]byte, maxXattrs)
	n, err := unix.Flistxattr(fd, names)
	if errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	value := make([]byte, maxXattrs)
	for _, name := range append(strings.Split(strings.TrimSuffix(string(names[:n]), "\x00"), "\x00"), unlisted()...) {
		if name == "" {
			continue
		}
		size, err := unix.Fgetxattr(fd, name, value)
		if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all[name] = append([]byte(nil), value[:size]...)
	}
	return all, nil
}

// Xattr returns an extended attribute of what name leads to, a file or a folder. The
// error is unix.ENODATA or unix.ENOTSUP when there is none.
func (r *Root) Xattr(name, attr string) ([]byte, error) {
	f, err := r.openat(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	value := make([]byte, maxXattrs)
	n, err := unix.Fgetxattr(int(f.Fd()), attr, value)
	if err != nil {
		return nil, &fs.PathError{Op: "read " + attr + " of", Path: r.host(name), Err: err}
	}
	return value[:n], nil
}

// SetXattr sets an extended attribute of what name leads to, a file or a folder.
func (r *Root) SetXattr(name, attr string, value []byte) error {
	f, err := r.openat(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Fsetxattr(int(f.Fd()), attr, value, 0); err != nil {
		return &fs.PathError{Op: "set " + attr + " of", Path: r.host(name), Err: err}
	}
	return nil
}
