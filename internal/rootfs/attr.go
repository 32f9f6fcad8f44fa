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
	for _, name := range strings.Split(strings.TrimSuffix(string(names[:n]), "\x00"), "\x00") {
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
