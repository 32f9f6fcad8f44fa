package ext

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// Changes of a superblock, for withSuperblock.
func put16(off int, v uint16) func([]byte) {
	return func(raw []byte) { binary.LittleEndian.PutUint16(raw[off:], v) }
}

func put32(off int, v uint32) func([]byte) {
	return func(raw []byte) { binary.LittleEndian.PutUint32(raw[off:], v) }
}

func or(off int, v uint32) func([]byte) {
	return func(raw []byte) {
		binary.LittleEndian.PutUint32(raw[off:], binary.LittleEndian.Uint32(raw[off:])|v)
	}
}

// recorded is the part of a volume that the reader looks at, to be patched.
func recorded(t testing.TB, path string) *volumetest.Sparse {
	t.Helper()
	r := volumetest.NewRecorder(volumetest.Open(t, path))
	volumetest.Check(t, New(), r)
	return r.Sparse()
}

// withSuperblock is a volume with a changed superblock and its right checksum.
func withSuperblock(t testing.TB, path string, change func(raw []byte)) *volumetest.Sparse {
	t.Helper()
	r := recorded(t, path)
	patchSuperblock(t, r, change)
	return r
}

func patchSuperblock(t testing.TB, r *volumetest.Sparse, change func(raw []byte)) {
	t.Helper()
	raw := make([]byte, superblockSize)
	must(t, block.ReadFull(r, raw, superblockOffset))
	change(raw)
	binary.LittleEndian.PutUint32(raw[offChecksum:], crc32c(math.MaxUint32, raw[:offChecksum]))
	r.Patch(superblockOffset, raw)
}

// damaged fails unless Open or Used call the volume damaged, for the reason.
func damaged(t testing.TB, r block.Reader, why string) {
	t.Helper()
	v, err := New().Open(context.Background(), r)
	if err == nil {
		_, err = v.Used(context.Background())
	}
	var damage *volume.DamageError
	if !errors.As(err, &damage) || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v, want a DamageError with %q", err, why)
	}
}

// TestImpossibleSuperblock has superblocks that pass their checksum.
func TestImpossibleSuperblock(t *testing.T) {
	path := named(t, "ext4-default").make(t)
	bigalloc := named(t, "ext4-bigalloc-1k").make(t)
	for _, test := range []struct {
		path   string
		change func(raw []byte)
		why    string
	}{
		{path, put32(offLogBlockSize, 7), "block size"},
		{path, put32(offLogBlockSize, math.MaxUint32), "block size"},
		{path, put32(offBlocksHigh, math.MaxUint32), "blocks of"},
		{path, func(raw []byte) { put32(offBlocks, 0)(raw); put32(offBlocksHigh, 0)(raw) }, "0 blocks"},
		{path, put32(offFirstDataBlock, 1), "first data block"},
		{path, put32(offBlocksPerGroup, 0), "in a group"},
		{path, put32(offBlocksPerGroup, 32772), "in a group"},
		{path, put32(offBlocksPerGroup, 65536), "in a group"},
		{path, put32(offInodesPerGroup, 0), "inodes in a group"},
		{path, put32(offInodesPerGroup, math.MaxUint32), "inodes in a group"},
		{path, put32(offInodes, 5), "groups of"},
		{path, put16(offInodeSize, 100), "inode size"},
		{path, put16(offInodeSize, 8192), "inode size"},
		{path, put16(offDescriptorSize, 32), "descriptor size"},
		{path, put16(offDescriptorSize, 2048), "descriptor size"},
		{path, put16(offDescriptorSize, 96), "descriptor size"},
		{path, put16(offReservedGDT, math.MaxUint16), "reserved"},
		{path, func(raw []byte) { or(offIncompat, uint32(incompatMetaGroups))(raw); put32(offFirstMetaGroup, 9)(raw) }, "meta group"},
		{bigalloc, put32(offLogClusterSize, 0), "first data block"},
		{bigalloc, put32(offLogClusterSize, math.MaxUint32), "cluster size"},
		{bigalloc, put32(offClustersPer, math.MaxUint32&^7), "in a group"},
	} {
		damaged(t, withSuperblock(t, test.path, test.change), test.why)
	}
}

// TestBrokenMap flips what the map is made of. Where checksums exist they
// notice; without them the counters must.
func TestBrokenMap(t *testing.T) {
	for _, test := range []struct {
		variant string
		what    string // "descriptor" or "bitmap"
		why     string
	}{
		{"ext4-default", "superblock", "superblock at 0x400: checksum"},
		{"ext4-default", "descriptor", "checksum"},
		{"ext4-default", "bitmap", "checksum"},
		{"ext4-32bit", "bitmap", "checksum"},
		{"ext4-uninit-64bit", "descriptor", "checksum"},
		{"ext4-uninit-64bit", "bitmap", "free by the bitmap"},
		{"ext3-4k", "descriptor", "free by the bitmap"},
		{"ext3-4k", "bitmap", "free by the bitmap"},
	} {
		t.Run(fmt.Sprintf("%s %s", test.variant, test.what), func(t *testing.T) {
			r := recorded(t, named(t, test.variant).make(t))
			le := binary.LittleEndian
			table := int64(4096)
			raw := make([]byte, smallDescriptor)
			must(t, block.ReadFull(r, raw, table))
			at := map[string]int64{
				"superblock": superblockOffset + offLabel,
				"descriptor": table + offGroupFree,
				"bitmap":     int64(le.Uint32(raw[offBlockBitmap:])) * 4096,
			}[test.what]
			flip := make([]byte, 1)
			must(t, block.ReadFull(r, flip, at))
			r.Patch(at, []byte{flip[0] ^ 1})
			damaged(t, r, test.why)
		})
	}
}

// TestMisplacedMetadata has descriptors that point where nothing can be.
func TestMisplacedMetadata(t *testing.T) {
	path := named(t, "ext3-4k").make(t)
	const table, blocks = 4096, 300 * mib / 4096
	for _, test := range []struct {
		field int64
		block uint32
		why   string
	}{
		{offBlockBitmap, 0, "block bitmap at block 0 "},
		{offBlockBitmap, blocks, "block bitmap at block"},
		{offInodeBitmap, math.MaxUint32, "inode bitmap at block"},
		{offInodeTable, blocks - 1, "inode table of"},
	} {
		r := recorded(t, path)
		r.Patch(table+test.field, binary.LittleEndian.AppendUint32(nil, test.block))
		damaged(t, r, test.why)
	}
}

// TestMetadataCalledFree frees a block bitmap in itself and sets every count
// to match: only the places of the metadata are left to tell.
func TestMetadataCalledFree(t *testing.T) {
	r := recorded(t, named(t, "ext2-1k").make(t))
	le := binary.LittleEndian
	const table = 2048
	group := make([]byte, smallDescriptor)
	must(t, block.ReadFull(r, group, table))
	le.PutUint16(group[offGroupFree:], le.Uint16(group[offGroupFree:])+1)
	r.Patch(table, group)

	at := int64(le.Uint32(group[offBlockBitmap:]))
	bits := make(bitmap, 1024)
	must(t, block.ReadFull(r, bits, at*1024))
	bits[(at-1)/8] &^= 1 << ((at - 1) % 8) // block 0 has no bit
	r.Patch(at*1024, bits)

	raw := make([]byte, superblockSize)
	must(t, block.ReadFull(r, raw, superblockOffset))
	le.PutUint32(raw[offFreeBlocks:], le.Uint32(raw[offFreeBlocks:])+1)
	r.Patch(superblockOffset, raw)
	damaged(t, r, fmt.Sprintf("block bitmap at %#x: says free, but metadata", at*1024))
}

// TestFalseCounts lets debugfs set counters that disagree, with right
// checksums, and shows that e2fsck sees them as we do.
func TestFalseCounts(t *testing.T) {
	for _, test := range []struct{ variant, commands, why, fsck string }{
		{"ext2-1k", "ssv free_blocks_count 77", "77 free blocks, the groups have", "Free blocks count wrong (77, counted="},
		{"ext4-default", "ssv free_blocks_count 77", "77 free blocks, the groups have", "Free blocks count wrong (77, counted="},
		{"ext4-default", "set_bg 1 free_blocks_count 77\nset_bg 1 checksum calc", "77 by the descriptor", "Free blocks count wrong for group #1 (77, counted="},
		{"ext4-bigalloc-1k", "set_bg 1 free_blocks_count 77\nset_bg 1 checksum calc", "77 by the descriptor", "Free blocks count wrong for group #1 (77, counted="},
		{"ext4-default", "freeb 1", "free by the bitmap", "Block bitmap differences"},
	} {
		command, _, _ := strings.Cut(test.commands, " ")
		t.Run(test.variant+" "+command, func(t *testing.T) {
			path := named(t, test.variant).make(t)
			debugfs(t, path, test.commands)
			damaged(t, volumetest.Open(t, path), test.why)
			volumetest.Keep(t, New(), volumetest.Open(t, path), "damaged-"+test.variant+"-"+command)
			if out := volumetest.Tool(t, "sh", "-c", "e2fsck -fn "+path+" || true"); !strings.Contains(out, test.fsck) {
				t.Errorf("e2fsck does not say %q:\n%s", test.fsck, out)
			}
		})
	}
}

// TestCancelled shows that a walk over many groups stops with its context.
func TestCancelled(t *testing.T) {
	path := named(t, "ext4-default").make(t)
	ctx, cancel := context.WithCancel(context.Background())
	v, err := New().Open(ctx, volumetest.Open(t, path))
	must(t, err)
	cancel()
	if _, err := v.Used(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Used after cancel: %v", err)
	}
}
