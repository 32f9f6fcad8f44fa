package files

import "golang.org/x/sys/unix"

// Flags of an inode, linux/fs.h. Those that say how a file system stores a file,
// such as extents, are its own affair.
const (
	flagCompress    = 0x4
	flagImmutable   = 0x10
	flagAppend      = 0x20
	flagNoCompress  = 0x400
	flagNoCow       = 0x800000
	flagDAX         = 0x2000000
	flagCasefold    = 0x40000000
	flagSecrm       = 0x1
	flagUnrm        = 0x2
	flagSync        = 0x8
	flagNoDump      = 0x40
	flagNoAtime     = 0x80
	flagJournalData = 0x4000
	flagNoTail      = 0x8000
	flagDirSync     = 0x10000
	flagTopDir      = 0x20000
	flagProjInherit = 0x20000000

	// keptFlags are those that a user may set.
	keptFlags = flagSecrm | flagUnrm | flagCompress | flagSync | flagImmutable | flagAppend | flagNoDump | flagNoAtime | flagNoCompress |
		flagJournalData | flagNoTail | flagDirSync | flagTopDir | flagNoCow | flagDAX | flagProjInherit | flagCasefold

	// lockingFlags let nothing else be set any more.
	lockingFlags = flagImmutable | flagAppend
)

// readFlags returns the flags of an open file; 0 where its file system has none.
func readFlags(fd int) uint32 {
	v, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS)
	if err != nil {
		return 0
	}
	return v & keptFlags
}

// writeFlags makes the flags of an open file be want, in the places of mask.
func writeFlags(fd int, want, mask uint32) error {
	have, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS)
	if err != nil {
		if want == 0 {
			return nil
		}
		return err
	}
	next := have&^mask | want&mask
	if next == have {
		return nil
	}
	return unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, int(next))
}
