// Package exfat reads the used map of exFAT volumes, TexFAT (two tables and two
// bitmaps) included.
//
// It owns the boot regions with their checksum, cluster chains, the entries of
// the root directory that describe the volume, and the allocation bitmap. It
// refuses a volume whose main boot region is damaged, even when the backup is
// whole, because no driver mounts it. Files are not read.
//
// The format is Microsoft's "exFAT file system specification" (revision 1.00);
// section numbers in this package are its. Callers start with New.
package exfat

import (
	"bytes"
	"context"
	"errors"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
)

type format struct{}

var _ volume.Format = format{}

// New returns the reader of exFAT.
func New() volume.Format { return format{} }

func (format) Name() string { return "exfat" }

// Recognise goes by the main boot sector alone. A backup without it may be left
// over from an older life of the partition.
func (format) Recognise(r block.Reader) (bool, error) {
	sector := make([]byte, 512)
	err := block.ReadFull(r, sector, 0)
	if outside := (*block.RangeError)(nil); errors.As(err, &outside) {
		return false, nil
	}
	return err == nil && named(sector), err
}

// named reports FileSystemName with MustBeZero (sections 3.1.2 and 3.1.3), where
// every other format of this family has its BPB.
func named(sector []byte) bool {
	return string(sector[3:11]) == "EXFAT   " && len(bytes.Trim(sector[11:64], "\x00")) == 0
}

func (format) Open(ctx context.Context, r block.Reader) (volume.Volume, error) {
	boot, err := readBoot(r)
	if err != nil {
		return nil, err
	}
	v := &exfatVolume{geometry: boot.geometry, r: r}
	v.info = volume.Info{Kind: "exfat", UUID: boot.uuid(), Size: boot.size, BlockSize: boot.clusterSize, Used: -1}
	v.judgeBoot(boot)
	if boot.size > r.Size() {
		return v, nil
	}
	if err := v.readRoot(ctx); err != nil {
		return nil, err
	}
	return v, nil
}
