package ext

import (
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// pieceSize is how much is read at a time, in bytes.
const pieceSize = 1 << 20

// Byte offsets in struct ext4_group_desc (fs/ext4/ext4.h). The second half of a
// large descriptor holds high halves, at their low half's offset + highHalf.
const (
	offBlockBitmap    = 0x00
	offInodeBitmap    = 0x04
	offInodeTable     = 0x08
	offGroupFree      = 0x0C
	offGroupFlags     = 0x12
	offBitmapChecksum = 0x18
	offGroupChecksum  = 0x1E

	highHalf           = 0x20
	highFree           = 0x2C
	highBitmapChecksum = 0x38
)

const groupBlockUninit = 0x2 // EXT4_BG_BLOCK_UNINIT

// descriptor is what this package needs of struct ext4_group_desc.
type descriptor struct {
	blockBitmap, inodeBitmap, inodeTable uint64 // block numbers, inside the volume

	freeClusters   uint64
	bitmapChecksum uint32 // its low 16 bits only where large is false
	large          bool
	uninit         bool // there is no block bitmap on disk
}

// readDescriptors reads the descriptors of the groups from first on, which
// begins a descriptor block: as many as lie together, at most pieceSize bytes.
func (fs *fileSystem) readDescriptors(buf []byte, first uint64) ([]descriptor, error) {
	nr := first / fs.descriptorsPerBlock
	at := fs.descriptorBlock(nr)
	count := uint64(1)
	if nr < fs.plainDescriptors {
		count = min(fs.plainDescriptors-nr, uint64(pieceSize/fs.bytesPerBlock))
	}
	if at >= fs.blocks || count > fs.blocks-at {
		return nil, damagedSuperblock("descriptors of group %d at block %d of %d", first, at, fs.blocks)
	}
	offset := int64(at) * fs.bytesPerBlock
	raw := buf[:int64(count)*fs.bytesPerBlock]
	if err := block.ReadFull(fs.r, raw, offset); err != nil {
		return nil, fmt.Errorf("read %s group descriptors: %w", fs.info.Kind, err)
	}
	out := make([]descriptor, min(count*fs.descriptorsPerBlock, fs.groups-first))
	for i := range out {
		one := raw[int64(i)*fs.descriptorSize:][:fs.descriptorSize]
		d, why := fs.decodeDescriptor(first+uint64(i), one)
		if why != "" {
			return nil, &volume.DamageError{
				Kind:   fs.info.Kind,
				What:   fmt.Sprintf("descriptor of group %d", first+uint64(i)),
				Offset: offset + int64(i)*fs.descriptorSize,
				Why:    why,
			}
		}
		out[i] = d
	}
	return out, nil
}

// decodeDescriptor returns what is wrong with a descriptor as a clause, "" when
// its checksum is right and everything it points to lies inside the volume.
func (fs *fileSystem) decodeDescriptor(group uint64, raw []byte) (descriptor, string) {
	le := binary.LittleEndian
	if fs.sb.hasGroupChecksums() {
		if got, want := fs.sb.descriptorChecksum(group, raw), le.Uint16(raw[offGroupChecksum:]); got != want {
			return descriptor{}, fmt.Sprintf("checksum %#04x, its bytes give %#04x", want, got)
		}
	}
	d := descriptor{
		blockBitmap:    uint64(le.Uint32(raw[offBlockBitmap:])),
		inodeBitmap:    uint64(le.Uint32(raw[offInodeBitmap:])),
		inodeTable:     uint64(le.Uint32(raw[offInodeTable:])),
		freeClusters:   uint64(le.Uint16(raw[offGroupFree:])),
		bitmapChecksum: uint32(le.Uint16(raw[offBitmapChecksum:])),
		large:          len(raw) >= largeDescriptor,
		uninit:         fs.sb.hasGroupChecksums() && le.Uint16(raw[offGroupFlags:])&groupBlockUninit != 0,
	}
	if d.large {
		d.blockBitmap |= uint64(le.Uint32(raw[highHalf+offBlockBitmap:])) << 32
		d.inodeBitmap |= uint64(le.Uint32(raw[highHalf+offInodeBitmap:])) << 32
		d.inodeTable |= uint64(le.Uint32(raw[highHalf+offInodeTable:])) << 32
		d.freeClusters |= uint64(le.Uint16(raw[highFree:])) << 16
		d.bitmapChecksum |= uint32(le.Uint16(raw[highBitmapChecksum:])) << 16
	}
	switch {
	case !fs.holds(d.blockBitmap, 1):
		return descriptor{}, fmt.Sprintf("block bitmap at block %d of %d", d.blockBitmap, fs.blocks)
	case !fs.holds(d.inodeBitmap, 1):
		return descriptor{}, fmt.Sprintf("inode bitmap at block %d of %d", d.inodeBitmap, fs.blocks)
	case !fs.holds(d.inodeTable, fs.inodeTableBlocks):
		return descriptor{}, fmt.Sprintf("inode table of %d blocks at block %d of %d", fs.inodeTableBlocks, d.inodeTable, fs.blocks)
	}
	return d, ""
}

// holds reports whether count blocks from first on lie between the primary
// superblock and the volume's end.
func (g *geometry) holds(first, count uint64) bool {
	return first > g.superblockBlock && first < g.blocks && count <= g.blocks-first
}
