package xfs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// sealed is a checksummed piece of a fixture.
type sealed struct {
	at   int64
	size int
	crc  int // offset of its checksum
}

// structures are those that the first AG's free extents hang on; treeHeader is
// the length of a tree block's header.
func structures(t *testing.T, s *volumetest.Sparse) (all map[string]sealed, treeHeader int) {
	t.Helper()
	sb, err := readSuperblock(s)
	if err != nil {
		t.Fatal(err)
	}
	w := &walk{r: s, sb: sb, block: make([]byte, sb.BlockSize)}
	agf, err := w.readAGHeader(0)
	if err != nil {
		t.Fatal(err)
	}
	tree := &freeTree{walk: w, levels: uint16(agf.FreeLevels), root: agf.FreeRoot, length: agf.Length}
	number := tree.root
	for level := tree.levels - 1; level > 0; level-- {
		if _, err := tree.read(number, level, noBlock); err != nil {
			t.Fatal(err)
		}
		number = binary.BigEndian.Uint32(w.block[tree.pointersStart():])
	}
	return map[string]sealed{
		"superblock": {0, int(sb.SectorSize), superblockCRC},
		"AGF":        {w.agfOffset(0), int(sb.SectorSize), agfCRC},
		"root":       {tree.offset(tree.root), int(sb.BlockSize), treeBlockCRC},
		"leaf":       {tree.offset(number), int(sb.BlockSize), treeBlockCRC},
	}, tree.headerBytes()
}

// seal gives a structure that was patched the checksum of its bytes.
func seal(t *testing.T, s *volumetest.Sparse, x sealed) {
	t.Helper()
	b := make([]byte, x.size)
	if err := block.ReadFull(s, b, x.at); err != nil {
		t.Fatal(err)
	}
	clear(b[x.crc:][:4])
	s.Patch(x.at+int64(x.crc), binary.LittleEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli)))
}

var (
	zeros = make([]byte, 4)
	ones  = []byte{0xff, 0xff, 0xff, 0xff}
)

// records stands for the offset of the first record in a block.
const records = 1 << 16

// damageCase overwrites one field.
type damageCase struct {
	structure string
	field     int
	bytes     []byte
	why       string // what the error must say
}

// damages are sealed again, so that the checksum does not speak first.
var damages = []damageCase{
	{"superblock", 4, []byte{0, 0, 3, 0}, "block size 768"},
	{"superblock", 4, zeros, "block size 0"},
	{"superblock", 8, ones, "blocks of"},
	{"superblock", 12, []byte{0, 0, 0, 1}, "1 blocks in"},
	{"superblock", 48, ones, "log of"},
	{"superblock", 84, zeros, "groups of 0 blocks"},
	{"superblock", 88, zeros, "0 allocation groups"},
	{"superblock", 88, ones, "4294967295 allocation groups"},
	{"superblock", 96, zeros, "log of 0 blocks"},
	{"superblock", 96, ones, "log of"},
	{"superblock", 101, []byte{0xb7}, "version 7"},
	{"superblock", 102, []byte{0, 0}, "sector size 0"},
	{"superblock", 124, []byte{63}, "sb_agblklog 63"},
	{"superblock", 144, ones, "blocks free of"},
	{"superblock", 148, []byte{0, 0, 0, 1}, "sb_fdblocks is 1,"},
	{"AGF", 0, []byte("XAGI"), "magic number"},
	{"AGF", 8, []byte{0, 0, 0, 1}, "is of AG 1"},
	{"AGF", 12, ones, "the superblock gives it"},
	{"AGF", 16, zeros, "outside the AG"},
	{"AGF", 16, ones, "outside the AG"},
	{"AGF", 28, zeros, "0 levels"},
	{"AGF", 28, ones, "levels"},
	{"AGF", 48, ones, "the AGs add up to"},
	{"AGF", 52, ones, "agf_freeblks is"},
	{"root", 0, []byte("ABTC"), "magic number"},
	{"root", 4, []byte{0, 9}, "on level 9"},
	{"root", 6, ones[:2], "65535 records"},
	{"root", 8, zeros, "left neighbour 0"},
	{"leaf", 6, zeros[:2], "0 records"},
	{"leaf", 12, zeros, "outside the AG"},
	{"leaf", 12, ones, "its tree holds"},
	{"leaf", records, zeros, "record 0, block 0"},
	{"leaf", records, ones, "record 0"},
	{"leaf", records + 4, ones, "record 0"},
	{"leaf", records + 4, zeros, "length 0"},
}

// damagesV5 are of fields that only version 5 has.
var damagesV5 = []damageCase{
	{"AGF", 64, ones, "another file system"},
	{"root", 16, ones, "says that it is of"},
	{"root", 32, ones, "another file system"},
	{"root", 48, ones, "says that it is of"},
}

func TestDamage(t *testing.T) {
	fixtures := map[string][]damageCase{
		"v4-block512":   damages,
		"v5-fragmented": slices.Concat(damages, damagesV5),
	}
	for name, cases := range fixtures {
		for _, d := range cases {
			t.Run(fmt.Sprintf("%s %s %d %x", name, d.structure, d.field, d.bytes), func(t *testing.T) {
				s, x, header := fixture(t, name, d.structure)
				field := d.field
				if field >= records {
					field += header - records
				}
				s.Patch(x.at+int64(field), d.bytes)
				if strings.HasPrefix(name, "v5") {
					seal(t, s, x)
				}
				wantDamage(t, s, d.why)
			})
		}
	}
}

// One bit anywhere in what version 5 covers with a checksum.
func TestChecksum(t *testing.T) {
	for _, name := range []string{"superblock", "AGF", "root", "leaf"} {
		t.Run(name, func(t *testing.T) {
			s, x, _ := fixture(t, "v5-fragmented", name)
			last := make([]byte, 1)
			if err := block.ReadFull(s, last, x.at+int64(x.size)-1); err != nil {
				t.Fatal(err)
			}
			s.Patch(x.at+int64(x.size)-1, []byte{last[0] ^ 1})
			wantDamage(t, s, "checksum")
		})
	}
}

// fixture loads a fixture and finds a structure in it, and how long the header
// of its tree blocks is.
func fixture(t *testing.T, name, structure string) (*volumetest.Sparse, sealed, int) {
	t.Helper()
	s, err := volumetest.ReadFixture("testdata/" + name + ".sparse.gz")
	if err != nil {
		t.Fatal(err)
	}
	all, header := structures(t, s)
	return s, all[structure], header
}

func wantDamage(t *testing.T, r block.Reader, why string) {
	t.Helper()
	v, err := New().Open(context.Background(), r)
	if err == nil {
		_, err = v.Used(context.Background())
	}
	var damaged *volume.DamageError
	if !errors.As(err, &damaged) || !strings.Contains(err.Error(), why) {
		t.Errorf("error %v, want a DamageError with %q", err, why)
	}
}
