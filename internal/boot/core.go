package boot

import (
	"bytes"
	"encoding/binary"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// GRUB's first stages for BIOS hold places on the disk as sector numbers:
// boot.img that of the core's first sector, and that (diskboot.img) those of the
// rest (include/grub/i386/pc/boot.h and kernel.h of GRUB 2: GRUB_BOOT_MACHINE_...).
const (
	coreSectorAt = 0x5C  // in boot.img: u64
	firstListAt  = 0x1F4 // in diskboot.img; the next one is before it
	listSize     = 12    // u64 first sector, u16 sectors, u16 segment in memory
	lastListAt   = 0x180 // diskboot.img's code and messages end before that

	// In the core's second sector, offsets of u32 (GRUB_DECOMPRESSOR_MACHINE_...).
	compressedAt = 0x08

	// maxCore bounds a core, bytes: it is loaded below 640 KiB.
	maxCore = 640 << 10
)

// A list is one run of a core's sectors.
type list struct {
	at      int // where diskboot.img holds it
	start   int64
	sectors int64
}

func (l list) extent() extent.Extent {
	return extent.Extent{Start: l.start * sectorSize, Length: l.sectors * sectorSize}
}

// core is GRUB's core image as it lies on a disk.
type core struct {
	first int64  // sector that boot.img loads
	head  []byte // that sector: diskboot.img
	lists []list
}

// readCore follows the numbers from a sector with GRUB's boot code.
func readCore(r block.Reader, boot []byte) (*core, error) {
	const what = "GRUB's core image"
	c := &core{first: int64(binary.LittleEndian.Uint64(boot[coreSectorAt:])), head: make([]byte, sectorSize)}
	if c.first <= 0 || c.first >= r.Size()/sectorSize {
		return nil, malformed(what, "it is said to begin in sector %d, which the disk does not have", c.first)
	}
	if err := block.ReadFull(r, c.head, c.first*sectorSize); err != nil {
		return nil, err
	}
	if !bytes.Contains(c.head, []byte("loading\x00")) && !bytes.Contains(c.head, []byte("Geom\x00")) {
		return nil, malformed(what, "sector %d, where it is said to begin, holds something else", c.first)
	}
	total := int64(0)
	for at := firstListAt; ; at -= listSize {
		if at < lastListAt {
			return nil, malformed(what, "its list of sectors has no end")
		}
		l := list{at, int64(binary.LittleEndian.Uint64(c.head[at:])), int64(binary.LittleEndian.Uint16(c.head[at+8:]))}
		if l.sectors == 0 {
			break
		}
		if l.start <= 0 || l.start > r.Size()/sectorSize-l.sectors {
			return nil, malformed(what, "%d sectors of it from %d are not on the disk", l.sectors, l.start)
		}
		total += l.sectors * sectorSize
		c.lists = append(c.lists, l)
	}
	if total == 0 || total > maxCore {
		return nil, malformed(what, "it has %d bytes behind its first sector", total)
	}
	return c, c.check(r, total)
}

// check holds the core's own length against what is loaded. Its first instruction
// is a far jump.
func (c *core) check(r block.Reader, total int64) error {
	head := make([]byte, 16)
	if err := block.ReadFull(r, head, c.lists[0].start*sectorSize); err != nil {
		return err
	}
	const farJump = 0xEA
	if head[0] != farJump {
		return malformed("GRUB's core image", "sector %d, where it is said to go on, holds something else", c.lists[0].start)
	}
	if n := int64(binary.LittleEndian.Uint32(head[compressedAt:])); n == 0 || n > total {
		return malformed("GRUB's core image", "it has %d bytes, of which %d are loaded", n, total)
	}
	return nil
}

// extents are all places of the core, the first sector before the others.
func (c *core) extents() []extent.Extent {
	all := []extent.Extent{{Start: c.first * sectorSize, Length: sectorSize}}
	for _, l := range c.lists {
		all = append(all, l.extent())
	}
	return all
}
