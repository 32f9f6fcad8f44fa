// Package ext reads the used map of ext2, ext3 and ext4 volumes.
//
// It owns the superblock, the group descriptors and the block bitmaps of the
// family, in every layout that mke2fs makes, and recognises external journal
// devices ("jbd"), which are used as a whole. It refuses what makes a bitmap on
// disk untrue or unreadable: a journal to replay, an unclean state, a host that
// still writes, and features it does not know. It reads no inodes and no
// directories.
//
// Start with Format. The way of a volume is Open (ext.go), its superblock
// (superblock.go, geometry.go), what stands against it (refusals.go), and the
// map itself (usedmap.go).
//
// Sources: the Linux kernel's Documentation/filesystems/ext4 and, where it is
// silent, fs/ext4/ext4.h and balloc.c.
package ext

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Format recognises and opens ext2, ext3, ext4 and external journals.
type Format struct{}

// New returns the format, for the list of all formats.
func New() volume.Format { return Format{} }

// Name is the family's name, "ext".
func (Format) Name() string { return "ext" }

// Recognise looks for the magic number of the primary superblock and, because
// two bytes are little evidence, a possible block size. Backup superblocks do not
// count: a volume without its primary one is for e2fsck to mend.
func (Format) Recognise(r block.Reader) (bool, error) {
	if r.Size() < superblockOffset+superblockSize {
		return false, nil
	}
	raw := make([]byte, superblockSize)
	if err := block.ReadFull(r, raw, superblockOffset); err != nil {
		return false, fmt.Errorf("read ext superblock: %w", err)
	}
	le := binary.LittleEndian
	return le.Uint16(raw[offMagic:]) == magic && le.Uint32(raw[offLogBlockSize:]) <= maxLogBlockSize, nil
}

// Open reads the superblock. A volume whose superblock contradicts its own
// checksum or describes an impossible layout is a *volume.DamageError.
func (Format) Open(_ context.Context, r block.Reader) (volume.Volume, error) {
	raw := make([]byte, superblockSize)
	if err := block.ReadFull(r, raw, superblockOffset); err != nil {
		return nil, fmt.Errorf("read ext superblock: %w", err)
	}
	sb, err := decodeSuperblock(raw)
	if err != nil {
		return nil, err
	}
	if sb.incompat.has(incompatJournalDevice) {
		return openJournal(sb, r)
	}
	fs := &fileSystem{r: r, info: describe(sb)}
	if fs.info.Refusals = unknownLayout(sb); len(fs.info.Refusals) > 0 {
		return fs, nil
	}
	if fs.geometry, err = newGeometry(sb); err != nil {
		return nil, err
	}
	fs.info.Notes = notes(sb)
	fs.info.Refusals, err = refusals(sb, r)
	return fs, err
}

// fileSystem is an opened ext2, ext3 or ext4 volume.
type fileSystem struct {
	r        block.Reader
	info     volume.Info
	geometry // zero when the layout is unknown
}

func (fs *fileSystem) Info() volume.Info { return fs.info }

// Used reads every group descriptor and every block bitmap. See usedMap for
// what it holds against each other.
func (fs *fileSystem) Used(ctx context.Context) (extent.List, error) {
	if err := fs.info.Blocking(); err != nil {
		return nil, err
	}
	return readUsedMap(ctx, fs)
}

// journal is a device that holds nothing but the journal of a file system that
// lies elsewhere.
type journal struct{ info volume.Info }

func openJournal(sb *superblock, r block.Reader) (volume.Volume, error) {
	info := describe(sb)
	info.Used = -1
	if info.Size > r.Size() {
		info.Refusals = []volume.Refusal{truncated(info.Size, r.Size())}
	}
	info.Notes = []string{"It is the external journal of an ext3 or ext4 file system and is taken as a whole."}
	return &journal{info}, nil
}

func (j *journal) Info() volume.Info { return j.info }

func (j *journal) Used(context.Context) (extent.List, error) {
	if err := j.info.Blocking(); err != nil {
		return nil, err
	}
	return extent.List{{Start: 0, Length: j.info.Size}}, nil
}
