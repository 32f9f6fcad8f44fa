package resize

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/block"
)

// The boot sector of NTFS (ntfs_layout.h, NTFS_BOOT_SECTOR), which is the start of
// the file $Boot: fields between 0x0B and 0x54, code in what else there is of
// bootBytes. A copy of its first sector lies in the last sector of the partition,
// behind the number of sectors that it says there are.
const (
	bootBytes = 8192

	ntfsSectorSize = 0x0B // u16
	ntfsPerCluster = 0x0D
	bootHidden     = 0x1C // u32, also on FAT
	ntfsSectors    = 0x28 // u64
	ntfsSerial     = 0x48 // u64
	ntfsCode       = 0x54
)

// ntfsBoot is a first sector.
type ntfsBoot struct{ sector []byte }

func readNTFSBoot(d block.Reader) (ntfsBoot, error) {
	p, err := superblock(d, 0, 512)
	if err != nil {
		return ntfsBoot{}, err
	}
	size := int(binary.LittleEndian.Uint16(p[ntfsSectorSize:]))
	if string(p[3:11]) != "NTFS    " || size < 256 || size > 4096 || size&(size-1) != 0 {
		return ntfsBoot{}, errors.New("its boot sector is not one of NTFS")
	}
	p, err = superblock(d, 0, size)
	return ntfsBoot{p}, err
}

func (b ntfsBoot) size() int64 { return int64(len(b.sector)) }

// perCluster is the number of sectors in a cluster: as it is up to 128, above that
// a negative power of two.
func (b ntfsBoot) perCluster() int64 {
	n := b.sector[ntfsPerCluster]
	if n <= 128 {
		return int64(max(1, n))
	}
	return 1 << min(13, 256-int(n))
}

// endNTFS makes the volume's last sector the one before its backup boot sector, which
// becomes the last of size bytes, as Windows has it. The clusters stay as many.
func endNTFS(d block.Writer, size int64) error {
	b, err := readNTFSBoot(d)
	if err != nil {
		return err
	}
	had := binary.LittleEndian.Uint64(b.sector[ntfsSectors:])
	sectors := uint64(size/b.size() - 1)
	per := uint64(b.perCluster())
	if size < 2*b.size() || had > sectors || had/per != sectors/per {
		return fmt.Errorf("the programs left a volume of %d sectors where %d are wanted", had, sectors)
	}
	binary.LittleEndian.PutUint64(b.sector[ntfsSectors:], sectors)
	return b.write(d)
}

// nameNTFS sets the serial number and the code of a new volume. Only disks with
// sectors of 512 bytes start by BIOS.
func nameNTFS(d block.Writer, s Spec) error {
	b, err := readNTFSBoot(d)
	if err != nil {
		return err
	}
	if s.UUID != "" {
		serial, err := strconv.ParseUint(s.UUID, 16, 64)
		if err != nil {
			return fmt.Errorf("%q is no serial number: %w", s.UUID, err)
		}
		binary.LittleEndian.PutUint64(b.sector[ntfsSerial:], serial)
	}
	if len(s.Boot) == bootBytes && b.size() == 512 {
		copy(b.sector[:3], s.Boot)
		copy(b.sector[ntfsCode:], s.Boot[ntfsCode:])
		if _, err := d.WriteAt(s.Boot[b.size():], b.size()); err != nil {
			return err
		}
	}
	_, err = d.WriteAt(b.sector, 0)
	return err
}

// write writes the backup, then the boot sector.
func (b ntfsBoot) write(d block.Writer) error {
	backup := int64(binary.LittleEndian.Uint64(b.sector[ntfsSectors:])) * b.size()
	if backup <= 0 || backup > d.Size()-b.size() {
		return fmt.Errorf("its backup boot sector at %#x is outside", backup)
	}
	if _, err := d.WriteAt(b.sector, backup); err != nil {
		return err
	}
	_, err := d.WriteAt(b.sector, 0)
	return err
}

// specNTFS keeps the code where all of $Boot can be had.
func specNTFS(r block.Reader, s *Spec) error {
	b, err := readNTFSBoot(r)
	if err != nil {
		return err
	}
	s.SectorSize = int(b.size())
	s.Boot, err = superblock(r, 0, bootBytes)
	return err
}
