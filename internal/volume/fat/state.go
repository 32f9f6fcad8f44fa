package fat

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
)

const repair = "Unmount it, or run fsck.fat -a (Windows: chkdsk /f) on it."

func (v *fatVolume) refuse(reason volume.Reason, waivable bool, what, do string) {
	v.info.Refusals = append(v.info.Refusals, volume.Refusal{Reason: reason, What: what, Do: do, Waivable: waivable})
}

// judge collects what stands against the used map: the version, a type string
// that contradicts the geometry, and the marks of an unclean volume.
func (v *fatVolume) judge(x extended) error {
	if v.version != 0 {
		v.refuse(volume.Unknown, true, fmt.Sprintf("FAT32 version %d.%d, only 0.0 is known", v.version>>8, v.version&0xff),
			"Capture the partition with --raw.")
	}
	// The string has no say in the type, but a program that went by it would
	// have written entries of another width than all others read.
	if name := strings.TrimSpace(x.typeName); strings.HasPrefix(name, "FAT1") && name != strings.ToUpper(v.kind()) {
		v.refuse(volume.Damaged, true, fmt.Sprintf("it calls itself %s, by its %d clusters it is FAT%d", name, v.clusters, v.bits),
			"Run fsck.fat -n on it to see whether its files are sound, or capture the partition with --raw.")
	}
	if err := v.judgeTableFlags(); err != nil {
		return err
	}
	// FAT_STATE_DIRTY of include/uapi/linux/msdos_fs.h.
	if x.state&1 != 0 {
		v.refuse(volume.Dirty, true, "the boot sector says that it was not cleanly unmounted", repair)
	}
	return nil
}

// judgeTableFlags looks at the two uppermost bits of entry 1, which are set
// while all is well (fatgen103, ClnShutBitMask and HrdErrBitMask). FAT12 has none.
func (v *fatVolume) judgeTableFlags() error {
	if v.bits == 12 {
		return nil
	}
	flags, err := readEntry(v.r, v.geometry, 1)
	if err != nil {
		return err
	}
	clean, sound := uint32(0x8000), uint32(0x4000)
	if v.bits == 32 {
		clean, sound = 0x08000000, 0x04000000
	}
	if flags&clean == 0 {
		v.refuse(volume.Dirty, true, "the allocation table says that it was not cleanly unmounted", repair)
	}
	if flags&sound == 0 {
		v.refuse(volume.Dirty, true, "the allocation table says that there were read or write errors",
			"Run fsck.fat -a -t (Windows: chkdsk /r) on it.")
	}
	return nil
}

// readFreeCount reads FSI_Free_Count of the FSInfo sector (fatgen103, "FAT32
// FSInfo Sector Structure"), -1 where there is none or it cannot be right.
func (v *fatVolume) readFreeCount() error {
	v.freeCount = -1
	if v.infoOffset == 0 {
		return nil
	}
	sector := make([]byte, 512)
	if err := block.ReadFull(v.r, sector, v.infoOffset); err != nil {
		return fmt.Errorf("%s: read the FSInfo sector: %w", v.kind(), err)
	}
	if string(sector[:4]) != "RRaA" || string(sector[484:488]) != "rrAa" {
		return nil
	}
	if n := int64(binary.LittleEndian.Uint32(sector[488:])); n <= v.clusters {
		v.freeCount = n
	}
	return nil
}
