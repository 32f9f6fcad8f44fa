package ext

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// usedMap is the state of one walk over all groups.
//
// Three accounts of the same thing are held against each other, and a
// difference is a *volume.DamageError: each group's bitmap against the group's
// free count and checksum; the sum against the superblock's free count; and the
// finished map against the places of all metadata.
//
// The kernel takes the superblock's count as a hint only, but writes it at every
// unmount, freeze and change to read-only. Where it is off nevertheless, e2fsck
// -fn says 'wrong', and a second of e2fsck sets it right: a refusal costs less
// than trusting a volume that somebody else has written to.
type usedMap struct {
	*fileSystem
	used     extent.Builder
	metadata metadata
	free     uint64 // clusters
}

func readUsedMap(ctx context.Context, fs *fileSystem) (extent.List, error) {
	m := &usedMap{fileSystem: fs}
	// The boot block belongs to no group when blocks are of 1 KiB.
	m.used.Add(0, superblockOffset+superblockSize)
	buf := make([]byte, pieceSize)
	for first := uint64(0); first < fs.groups; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		descriptors, err := fs.readDescriptors(buf, first)
		if err != nil {
			return nil, err
		}
		if err := m.addGroups(ctx, buf, first, descriptors); err != nil {
			return nil, err
		}
		first += uint64(len(descriptors))
	}
	return m.finish()
}

// addGroups reads bitmaps that lie side by side, as flex_bg places them, in one piece.
func (m *usedMap) addGroups(ctx context.Context, buf []byte, first uint64, descriptors []descriptor) error {
	for len(descriptors) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := adjacentBitmaps(descriptors, pieceSize/int(m.bytesPerBlock))
		raw := buf[:int64(n)*m.bytesPerBlock]
		if err := m.readBitmaps(raw, descriptors[0]); err != nil {
			return fmt.Errorf("read %s block bitmap of group %d: %w", m.info.Kind, first, err)
		}
		for i, d := range descriptors[:n] {
			bits := bitmap(raw[int64(i)*m.bytesPerBlock:][:m.bytesPerBlock])
			if err := m.addGroup(first+uint64(i), d, bits); err != nil {
				return err
			}
		}
		first, descriptors = first+uint64(n), descriptors[n:]
	}
	return nil
}

// adjacentBitmaps is how many of the first descriptors have their block bitmaps
// one behind the other, all of them written or none, at most limit.
func adjacentBitmaps(descriptors []descriptor, limit int) int {
	head, n := descriptors[0], 1
	for n < min(limit, len(descriptors)) &&
		descriptors[n].blockBitmap == head.blockBitmap+uint64(n) && descriptors[n].uninit == head.uninit {
		n++
	}
	return n
}

// readBitmaps fills raw with the bitmaps that begin with d's; nothing is read
// where none were written.
func (m *usedMap) readBitmaps(raw []byte, d descriptor) error {
	if d.uninit {
		return nil
	}
	return block.ReadFull(m.r, raw, int64(d.blockBitmap)*m.bytesPerBlock)
}

// addGroup adds one group, whose bitmap block is bits.
func (m *usedMap) addGroup(group uint64, d descriptor, bits bitmap) error {
	if d.uninit {
		m.initialise(group, d, bits)
	} else if sum, ok := m.bitmapChecksum(d, bits); !ok {
		return m.damagedBitmap(group, d, "checksum %#x, its bytes give %#x", d.bitmapChecksum, sum)
	}
	start, clusters := m.groupStart(group), m.clustersIn(group)
	free := clusters
	for from, to := range bits.runs(clusters) {
		free -= to - from
		first := start + from*m.blocksPerCluster
		end := min(start+to*m.blocksPerCluster, m.blocks)
		m.used.Add(int64(first)*m.bytesPerBlock, int64(end-first)*m.bytesPerBlock)
	}
	if free != d.freeClusters {
		return m.damagedBitmap(group, d, "%d free by the bitmap, %d by the descriptor", free, d.freeClusters)
	}
	m.free += free
	for kind, r := range m.metadataOf(group, d) {
		m.metadata.add(kind, r)
	}
	if len(m.metadata.places) > maxMetadataPlaces {
		return m.damaged("metadata", -1, "scattered over more than %d places", maxMetadataPlaces)
	}
	return nil
}

// initialise fills bits with what the kernel would write for a group whose
// bitmap was never written (ext4_init_block_bitmap): metadata is all it holds.
func (m *usedMap) initialise(group uint64, d descriptor, bits bitmap) {
	clear(bits)
	start := m.groupStart(group)
	end := start + m.clustersIn(group)*m.blocksPerCluster
	for _, r := range m.metadataOf(group, d) {
		from, to := max(start, r.first), min(end, r.first+r.count)
		if from < to {
			bits.set((from-start)/m.blocksPerCluster, ceilDiv(to-start, m.blocksPerCluster))
		}
	}
}

// bitmapChecksum returns the checksum a bitmap should have, and whether the
// descriptor agrees. Only metadata_csum has one.
func (m *usedMap) bitmapChecksum(d descriptor, bits bitmap) (uint32, bool) {
	if !m.sb.roCompat.has(roCompatMetadataChecksum) {
		return 0, true
	}
	sum := crc32c(m.sb.metadataSeed(), bits[:m.clustersPerGroup/8])
	if !d.large {
		sum &= 0xFFFF
	}
	return sum, sum == d.bitmapChecksum
}

func (m *usedMap) finish() (extent.List, error) {
	if free := m.free * m.blocksPerCluster; free != m.sb.freeBlocks {
		return nil, m.damaged("superblock", superblockOffset, "%d free blocks, the groups have %d; e2fsck -f sets it right", m.sb.freeBlocks, free)
	}
	used := m.used.List()
	if missing := m.metadata.list(m.bytesPerBlock).Subtract(used); len(missing) > 0 {
		return nil, m.damaged("block bitmap", missing[0].Start, "says free, but metadata lies here")
	}
	return used, nil
}

func (m *usedMap) damagedBitmap(group uint64, d descriptor, format string, args ...any) error {
	return m.damaged(fmt.Sprintf("block bitmap of group %d", group), int64(d.blockBitmap)*m.bytesPerBlock, format, args...)
}

func (fs *fileSystem) damaged(what string, offset int64, format string, args ...any) error {
	return &volume.DamageError{Kind: fs.info.Kind, What: what, Offset: offset, Why: fmt.Sprintf(format, args...)}
}
