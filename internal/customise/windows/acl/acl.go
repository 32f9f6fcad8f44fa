// Package acl makes security descriptors for files that are new on an NTFS volume.
//
// It owns what Windows would do: a new file takes over what its folder hands
// down. Without that, ntfs-3g lets everyone change every file it makes. It refuses
// descriptors that are damaged.
//
// Start at Inherit. The binary forms are those of [MS-DTYP], sections 2.4.2 to
// 2.4.6, the rules those of section 2.5.3.4.
package acl

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Attribute is the extended attribute in which ntfs-3g shows the descriptor of a
// file.
const Attribute = "system.ntfs_acl"

// MaxSize bounds a descriptor. NTFS itself allows an ACL of 64 KiB.
const MaxSize = 256 << 10

// ErrDamaged says that bytes are no self-relative security descriptor with an ACL.
var ErrDamaged = errors.New("damaged security descriptor")

// Flags of an entry; see ACE_HEADER.
const (
	toFiles     = 0x01
	toFolders   = 0x02
	noFurther   = 0x04
	inheritOnly = 0x08
	inherited   = 0x10
)

// Kinds of entries whose access mask is followed by a SID.
const (
	allow = 0
	deny  = 1
)

// Well-known SIDs.
const (
	creatorOwner   = "\x01\x01\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00"
	creatorGroup   = "\x01\x01\x00\x00\x00\x00\x00\x03\x01\x00\x00\x00"
	system         = "\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00"
	administrators = "\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00"
)

// Bits of SECURITY_DESCRIPTOR's Control.
const (
	selfRelative  = 0x8000
	protected     = 0x1000
	autoInherited = 0x0400
	daclPresent   = 0x0004
)

const (
	headerSize = 20
	aclHeader  = 8
	aceHeader  = 8 // with the access mask
	fullAccess = 0x001F01FF
)

// Private is the descriptor of something that only administrators and the system
// may read or change, whatever its folder hands down.
func Private(folder bool) []byte {
	flags := byte(0)
	if folder {
		flags = toFiles | toFolders
	}
	return build(protected, entry(allow, flags, fullAccess, system), entry(allow, flags, fullAccess, administrators))
}

// Inherit is the descriptor of a new file or folder in a folder whose descriptor
// is parent. It belongs to Administrators.
func Inherit(parent []byte, folder bool) ([]byte, error) {
	aces, err := entries(parent)
	if err != nil {
		return nil, err
	}
	var list [][]byte
	for _, ace := range aces {
		list = append(list, handDown(ace, folder)...)
	}
	if len(list) == 0 { // what a service of Windows would use then
		list = [][]byte{entry(allow, 0, fullAccess, system), entry(allow, 0, fullAccess, administrators)}
	}
	return build(0, list...), nil
}

// entries returns the entries of a descriptor's DACL.
func entries(descriptor []byte) ([][]byte, error) {
	le := binary.LittleEndian
	if len(descriptor) < headerSize || len(descriptor) > MaxSize || le.Uint16(descriptor[2:])&daclPresent == 0 {
		return nil, ErrDamaged
	}
	at := int(le.Uint32(descriptor[16:]))
	if at < headerSize || at > len(descriptor)-aclHeader {
		return nil, ErrDamaged
	}
	acl := descriptor[at:]
	size, count := int(le.Uint16(acl[2:])), int(le.Uint16(acl[4:]))
	if size < aclHeader || size > len(acl) {
		return nil, ErrDamaged
	}
	var list [][]byte
	for rest := acl[aclHeader:size]; count > 0; count-- {
		if len(rest) < aceHeader {
			return nil, ErrDamaged
		}
		n := int(le.Uint16(rest[2:]))
		if n < aceHeader || n%4 != 0 || n > len(rest) {
			return nil, ErrDamaged
		}
		list = append(list, rest[:n])
		rest = rest[n:]
	}
	return list, nil
}

// handDown is what becomes of an entry of a folder in something new in it.
func handDown(ace []byte, folder bool) [][]byte {
	flags := ace[1]
	if !folder {
		if flags&toFiles == 0 {
			return nil
		}
		return [][]byte{effective(ace, inherited)}
	}
	further := flags&(toFiles|toFolders) | inherited
	switch {
	case flags&toFolders == 0:
		if flags&toFiles == 0 || flags&noFurther != 0 {
			return nil
		}
		return [][]byte{with(ace, further|inheritOnly)}
	case flags&noFurther != 0:
		return [][]byte{effective(ace, inherited)}
	}
	if now := effective(ace, further); bytes.Equal(now, with(ace, further)) {
		return [][]byte{now}
	}
	return [][]byte{effective(ace, inherited), with(ace, further|inheritOnly)}
}

func with(ace []byte, flags byte) []byte {
	b := bytes.Clone(ace)
	b[1] = flags
	return b
}

// effective is an entry as it counts for one thing: with rights of files instead of
// generic ones, and with its owner where it says "the creator".
func effective(ace []byte, flags byte) []byte {
	mask := specific(binary.LittleEndian.Uint32(ace[4:]))
	if ace[0] == allow || ace[0] == deny {
		sid := string(ace[aceHeader:])
		switch sid {
		case creatorOwner:
			sid = administrators
		case creatorGroup:
			sid = system
		}
		return entry(ace[0], flags, mask, sid)
	}
	b := with(ace, flags)
	binary.LittleEndian.PutUint32(b[4:], mask)
	return b
}

// specific replaces generic rights by those of files; see ACCESS_MASK and
// "File access rights".
func specific(mask uint32) uint32 {
	for _, g := range []struct{ generic, rights uint32 }{
		{1 << 28, fullAccess}, {1 << 29, 0x001200A0}, {1 << 30, 0x00120116}, {1 << 31, 0x00120089},
	} {
		if mask&g.generic != 0 {
			mask = mask&^g.generic | g.rights
		}
	}
	return mask
}

func entry(kind, flags byte, mask uint32, sid string) []byte {
	b := []byte{kind, flags}
	b = binary.LittleEndian.AppendUint16(b, uint16(aceHeader+len(sid)))
	b = binary.LittleEndian.AppendUint32(b, mask)
	return append(b, sid...)
}

// build makes a descriptor that belongs to Administrators.
func build(control uint16, aces ...[]byte) []byte {
	le := binary.LittleEndian
	list := bytes.Join(aces, nil)
	b := le.AppendUint16([]byte{1, 0}, selfRelative|autoInherited|daclPresent|control)
	owner := headerSize
	group := owner + len(administrators)
	for _, offset := range []int{owner, group, 0, group + len(system)} {
		b = le.AppendUint32(b, uint32(offset))
	}
	b = append(append(b, administrators...), system...)
	b = append(b, 2, 0)
	b = le.AppendUint16(b, uint16(aclHeader+len(list)))
	b = le.AppendUint16(b, uint16(len(aces)))
	return append(le.AppendUint16(b, 0), list...)
}
