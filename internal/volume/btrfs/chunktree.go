package btrfs

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// maxChunks bounds the chunk map to a few MiB. A chunk on one device has at
// most 1 GiB of data, and small devices have smaller ones, so this is 128 TiB.
const maxChunks = 1 << 17

// Sizes of struct btrfs_chunk without its stripes, and of struct btrfs_stripe.
const (
	chunkHeadSize = 48
	stripeSize    = 32
)

// BTRFS_BLOCK_GROUP_*: what a chunk holds, then how.
const (
	groupContents = 0x7
	groupRAID0    = 1 << 3
	groupDUP      = 1 << 5
)

// readChunks reads the chunk tree, with the help of the system chunks that the
// superblock holds.
func readChunks(ctx context.Context, r block.Reader, sb *superblock) (chunkMap, error) {
	system, err := sb.decodeSystemChunks(r.Size())
	if err != nil {
		return nil, err
	}
	var chunks chunkMap
	f := &forest{r: r, sb: sb, chunks: system}
	first, last := key{firstChunk, chunkItem, 0}, key{firstChunk, chunkItem, lastKey.offset}
	err = f.items(ctx, sb.chunkRoot, first, last, func(k key, item []byte) error {
		c, _, err := sb.decodeChunk(k, item, r.Size())
		if err == nil && len(chunks) == maxChunks {
			err = damage("chunk tree", -1, fmt.Sprintf("more than %d chunks", maxChunks))
		}
		chunks = append(chunks, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return chunks, chunks.check()
}

// decodeSystemChunks reads sys_chunk_array of struct btrfs_super_block.
func (sb *superblock) decodeSystemChunks(size int64) (chunkMap, error) {
	var out chunkMap
	for rest := sb.systemChunks; len(rest) > 0; {
		if len(rest) < keySize {
			return nil, damage("superblock", -1, "system chunks end inside a key")
		}
		c, n, err := sb.decodeChunk(decodeKey(rest), rest[keySize:], size)
		if err != nil {
			return nil, err
		}
		out, rest = append(out, c), rest[keySize+n:]
	}
	slices.SortFunc(out, func(a, b chunk) int { return cmp.Compare(a.logical, b.logical) })
	return out, out.check()
}

// decodeChunk reads a struct btrfs_chunk at the start of p and returns its
// length in bytes. size is the volume's.
func (sb *superblock) decodeChunk(k key, p []byte, size int64) (chunk, int, error) {
	fail := func(why string) (chunk, int, error) {
		return chunk{}, 0, damage(fmt.Sprintf("chunk %d", k.offset), -1, why)
	}
	if len(p) < chunkHeadSize {
		return fail(fmt.Sprintf("item of %d bytes", len(p)))
	}
	c := chunk{logical: int64(k.offset), length: int64(binary.LittleEndian.Uint64(p))}
	n := int(binary.LittleEndian.Uint16(p[44:]))
	if k.kind != chunkItem || len(p) < chunkHeadSize+n*stripeSize {
		return fail(fmt.Sprintf("%d stripes in an item of %d bytes", n, len(p)))
	}
	if c.logical < 0 || c.length <= 0 || c.length > size || c.end() < 0 || (c.logical|c.length)&(sb.sectorSize-1) != 0 {
		return fail(fmt.Sprintf("length %d", uint64(c.length)))
	}
	if err := sb.checkProfile(binary.LittleEndian.Uint64(p[24:]), n); err != nil {
		return chunk{}, 0, err
	}
	for i := range n {
		s := p[chunkHeadSize+i*stripeSize:]
		if err := sb.checkDevice(binary.LittleEndian.Uint64(s), uuid(s[16:])); err != nil {
			return chunk{}, 0, err
		}
		start := int64(binary.LittleEndian.Uint64(s[8:]))
		if start < 0 || start > size-c.length || start&(sb.sectorSize-1) != 0 {
			return fail(fmt.Sprintf("lies at %#x", uint64(start)))
		}
		c.starts[i] = start
	}
	c.copies = n
	return c, chunkHeadSize + n*stripeSize, nil
}

// checkProfile accepts the layouts that map addresses one to one: single, DUP,
// and the RAID0 of one device that Linux 5.15 and later make.
func (sb *superblock) checkProfile(groupType uint64, stripes int) error {
	switch profile := groupType &^ groupContents; {
	case profile == 0 && stripes == 1, profile == groupDUP && stripes == 2, profile == groupRAID0 && stripes == 1:
		return nil
	}
	return unsupported(fmt.Sprintf("a block group has type %#x and %d stripes, which one device cannot hold", groupType, stripes))
}

func (sb *superblock) checkDevice(id uint64, device uuid) error {
	if id == sb.deviceID && device == sb.deviceUUID {
		return nil
	}
	return unsupported(fmt.Sprintf("part of it lies on device %d, %v, and this is device %d, %v", id, device, sb.deviceID, sb.deviceUUID))
}

func unsupported(what string) error {
	return &volume.RefusedError{Kind: kind, Refusal: volume.Refusal{
		Reason: volume.Unsupported, What: what, Do: "Capture all its devices with --raw.",
	}}
}
