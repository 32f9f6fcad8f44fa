package resize

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/tool"
)

func checkExFAT(ctx context.Context, v Volume) error {
	_, err := v.run(ctx, tool.FsckExFAT, "-n", v.Path)
	return err
}

// makeExFAT: the serial number is set by a program of its own.
func makeExFAT(ctx context.Context, v Volume, s Spec) error {
	args := option(nil, "-L", s.Label)
	args = number(args, "-c", s.BlockSize)
	if _, err := v.run(ctx, tool.MkfsExFAT, append(args, v.Path)...); err != nil {
		return err
	}
	if s.UUID != "" {
		if _, err := v.run(ctx, tool.TuneExFAT, "-I", "0x"+strings.ReplaceAll(s.UUID, "-", ""), v.Path); err != nil {
			return err
		}
	}
	v.Kind = s.Kind
	return v.Relocate(s.Start)
}

// The boot region of exFAT (exFAT specification, section 3): twelve sectors, of
// which the last repeats a checksum of the others, and the same again behind them.
const (
	exfatPartition = 0x40 // u64, sectors
	exfatFlags     = 0x6A // u16; not in the checksum, nor is
	exfatPercent   = 0x70
	exfatShift     = 0x6C // log2 of the bytes in a sector
	exfatSectors   = 12
)

// moveExFAT writes where the partition begins, and the checksums that follow.
func moveExFAT(d block.Writer, start int64) error {
	p, err := superblock(d, 0, 512)
	if err != nil {
		return err
	}
	shift := p[exfatShift]
	if string(p[3:11]) != "EXFAT   " || shift < 9 || shift > 12 {
		return errors.New("its boot sector is not one of exFAT")
	}
	sector := 1 << shift
	region, err := superblock(d, 0, exfatSectors*sector)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(region[exfatPartition:], uint64(start))
	sum := exfatSum(region[:11*sector])
	for at := 11 * sector; at < len(region); at += 4 {
		binary.LittleEndian.PutUint32(region[at:], sum)
	}
	if _, err := d.WriteAt(region, int64(len(region))); err != nil {
		return err
	}
	_, err = d.WriteAt(region, 0)
	return err
}

// exfatSum is the boot checksum (exFAT specification, section 3.4).
func exfatSum(p []byte) uint32 {
	sum := uint32(0)
	for i, b := range p {
		if i == exfatFlags || i == exfatFlags+1 || i == exfatPercent {
			continue
		}
		sum = sum<<31 | sum>>1
		sum += uint32(b)
	}
	return sum
}

func specExFAT(r block.Reader, s *Spec) error {
	p, err := superblock(r, 0, 512)
	if err == nil {
		s.SectorSize = 1 << min(12, p[exfatShift])
	}
	return err
}
