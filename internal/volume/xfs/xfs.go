// Package xfs reads XFS, superblock versions 4 and 5, far enough to say which
// blocks are free.
//
// The used map is everything but the free space: each allocation group (AG)
// lists its free extents in a B-tree, and whatever that tree does not hold is
// in use, whether it is a file, metadata of any kind, the log, or a block on
// the AG's free list. So the reader needs to know no metadata but the
// superblock (superblock.go), the AG's header (ag.go), that one tree
// (freetree.go), and enough of the log to tell whether all of it can be trusted
// (log.go). What it takes from version 5 is verified against its CRC32c, its
// UUID and its address.
//
// Refused by name: an external log, a real-time device, a log that was not
// emptied, and every feature bit that this reader does not know. Quotas and the
// contents of files are none of its business.
//
// The format is described in "XFS Algorithms & Data Structures" (kernel.org)
// and in the kernel's fs/xfs/libxfs/xfs_format.h and xfs_log_format.h, whose
// struct names are used in the comments here. All numbers on disk are
// big-endian, checksums excepted. Start with New.
package xfs

import (
	"context"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

const kind = "xfs"

type format struct{}

// New returns the format.
func New() volume.Format { return format{} }

func (format) Name() string { return kind }

// Recognise looks for the superblock's magic number in the volume's first bytes.
func (format) Recognise(r block.Reader) (bool, error) {
	magic := make([]byte, len(superblockMagic))
	if r.Size() < minSectorSize {
		return false, nil
	}
	if err := block.ReadFull(r, magic, 0); err != nil {
		return false, err
	}
	return string(magic) == superblockMagic, nil
}

// Open reads the superblock and, when nothing else stands against the used map,
// looks whether the log is empty.
func (format) Open(ctx context.Context, r block.Reader) (volume.Volume, error) {
	sb, err := readSuperblock(r)
	if err != nil {
		return nil, err
	}
	v := &xfsVolume{r: r, sb: sb, info: describe(sb)}
	v.info.Refusals = refusals(sb, r.Size())
	if len(v.info.Refusals) > 0 {
		return v, nil
	}
	clean, err := logIsClean(ctx, r, sb)
	if err != nil {
		return nil, err
	}
	if !clean {
		v.info.Refusals = []volume.Refusal{needsReplay()}
	}
	return v, nil
}

func describe(sb *superblock) volume.Info {
	label, _, _ := strings.Cut(string(sb.Label[:]), "\x00")
	return volume.Info{
		Kind:      kind,
		Label:     strings.ToValidUTF8(label, "\uFFFD"),
		UUID:      sb.UUID.String(),
		Size:      int64(sb.Blocks) * sb.blockSize(),
		BlockSize: sb.blockSize(),
		Used:      int64(sb.Blocks-sb.FreeBlocks) * sb.blockSize(),
	}
}

type xfsVolume struct {
	r    block.Reader
	sb   *superblock
	info volume.Info
}

func (v *xfsVolume) Info() volume.Info { return v.info }

// Used walks the free-space tree of every AG. Bytes behind the last block of
// the file system are not its own, and not in the map.
func (v *xfsVolume) Used(ctx context.Context) (extent.List, error) {
	if err := v.info.Blocking(); err != nil {
		return nil, err
	}
	w := &walk{r: v.r, sb: v.sb, block: make([]byte, v.sb.BlockSize)}
	for number := range v.sb.AGCount {
		if err := w.group(ctx, number); err != nil {
			return nil, err
		}
	}
	w.usedUpTo(v.info.Size)
	// Changes that are still in the log may be missing from the counter.
	if v.info.Clean() {
		if err := w.checkTotal(); err != nil {
			return nil, err
		}
	}
	return w.used.List(), nil
}

func damage(what string, offset int64, format string, args ...any) error {
	return &volume.DamageError{Kind: kind, What: what, Offset: offset, Why: fmt.Sprintf(format, args...)}
}
