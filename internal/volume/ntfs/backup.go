package ntfs

import "github.com/ingot-imaging/ingot/internal/block"

// readBoot returns the geometry by the first boot sector, or by its backup if
// the first cannot be used.
func readBoot(r block.Reader) (b boot, fromBackup bool, err error) {
	p := make([]byte, bootSize)
	if err := block.ReadFull(r, p, 0); err != nil {
		return boot{}, false, err
	}
	b, damage := parseBoot(p, 0)
	if damage == nil {
		return b, false, nil
	}
	b, ok, err := findBackup(r)
	if err != nil {
		return boot{}, false, err
	}
	if !ok {
		return boot{}, false, damage
	}
	return b, true, nil
}

// findBackup looks for the backup boot sector in the last sector, whose size is
// not known. What is found counts only when it lies where it says itself and
// leads to an MFT record: another format may have left it behind.
func findBackup(r block.Reader) (boot, bool, error) {
	for _, sector := range []int64{512, 4096, 1024, 2048, 256} {
		off := r.Size()/sector*sector - sector
		p := make([]byte, min(bootSize, sector))
		if off <= 0 {
			continue
		}
		if err := block.ReadFull(r, p, off); err != nil {
			return boot{}, false, err
		}
		b, err := parseBoot(p, off)
		if err != nil || b.sector != sector || b.bytes() != off {
			continue
		}
		magic := make([]byte, 4)
		if err := block.ReadFull(r, magic, b.mft*b.cluster); err != nil {
			return boot{}, false, err
		}
		if string(magic) == recordMagic {
			return b, true, nil
		}
	}
	return boot{}, false, nil
}

// hasBackup reports whether the sector behind the volume is a backup that says
// the same as b.
func (b boot) hasBackup(r block.Reader) (bool, error) {
	if b.claimed() > r.Size() {
		return false, nil
	}
	p := make([]byte, min(bootSize, b.sector))
	if err := block.ReadFull(r, p, b.bytes()); err != nil {
		return false, err
	}
	backup, err := parseBoot(p, b.bytes())
	return err == nil && backup == b, nil
}
