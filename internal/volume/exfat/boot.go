package exfat

import (
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Each of the two boot regions is twelve sectors: boot sector, eight of extended
// boot code, OEM parameters, one reserved, checksum (section 3).
const regionSectors = 12

// The sectors' size is 512 to 4,096 bytes (section 3.1.14).
const (
	minSectorShift = 9
	maxSectorShift = 12
)

// VolumeFlags (section 3.1.13).
const (
	flagActiveTable  = 1 << 0
	flagDirty        = 1 << 1
	flagMediaFailure = 1 << 2
)

// boot is the boot region that the volume is read by.
type boot struct {
	*geometry
	serial    uint32
	revision  uint16 // major in the upper byte
	flags     uint16
	mainErr   error // why the backup had to be taken
	backupErr error // what is wrong with the backup, when the main region is good
}

func (b *boot) uuid() string { return fmt.Sprintf("%04X-%04X", b.serial>>16, b.serial&0xffff) }

// readBoot returns the main boot region or, when that is damaged, the backup.
func readBoot(r block.Reader) (*boot, error) {
	shift, err := mainSectorShift(r)
	if err != nil {
		return nil, err
	}
	main, mainErr := readRegion(r, shift, 0)
	if mainErr == nil {
		_, main.backupErr = readRegion(r, shift, regionSectors<<shift)
		return main, nil
	}
	// The field that says how long a sector is may itself be damaged.
	for shift = minSectorShift; shift <= maxSectorShift; shift++ {
		backup, err := readRegion(r, shift, regionSectors<<shift)
		if err == nil {
			backup.mainErr = mainErr
			return backup, nil
		}
	}
	return nil, mainErr
}

func mainSectorShift(r block.Reader) (uint8, error) {
	b := make([]byte, 1)
	if err := block.ReadFull(r, b, 108); err != nil {
		return 0, fmt.Errorf("exfat: read the boot sector: %w", err)
	}
	return min(max(b[0], minSectorShift), maxSectorShift), nil
}

// readRegion reads the boot region at off, which has sectors of 2^shift bytes.
func readRegion(r block.Reader, shift uint8, off int64) (*boot, error) {
	region := make([]byte, regionSectors<<shift)
	if err := block.ReadFull(r, region, off); err != nil {
		return nil, fmt.Errorf("exfat: read the boot region: %w", err)
	}
	damage := func(why string) error {
		return &volume.DamageError{Kind: "exfat", What: "boot region", Offset: off, Why: why}
	}
	if !named(region) || region[510] != 0x55 || region[511] != 0xaa {
		return nil, damage("the signature is missing")
	}
	if !checksumHolds(region, 1<<shift) {
		return nil, damage("the checksum does not hold")
	}
	g, err := parseGeometry(region, off)
	if err != nil {
		return nil, err
	}
	if region[108] != shift {
		return nil, damage(fmt.Sprintf("it has sectors of %d bytes and says 2^%d", 1<<shift, region[108]))
	}
	le := binary.LittleEndian
	return &boot{geometry: g, serial: le.Uint32(region[100:]), revision: le.Uint16(region[104:]), flags: le.Uint16(region[106:])}, nil
}

// checksumHolds computes the boot checksum (section 3.4), which the twelfth
// sector repeats from end to end. VolumeFlags and PercentInUse are not part of it.
func checksumHolds(region []byte, sectorSize int) bool {
	last := len(region) - sectorSize
	var sum uint32
	for i, b := range region[:last] {
		if i != 106 && i != 107 && i != 112 {
			sum = sum>>1 | sum<<31
			sum += uint32(b)
		}
	}
	for stored := region[last:]; len(stored) > 0; stored = stored[4:] {
		if binary.LittleEndian.Uint32(stored) != sum {
			return false
		}
	}
	return true
}
