package btrfs

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func fixture(t testing.TB, name string) *volumetest.Sparse {
	t.Helper()
	s, err := volumetest.ReadFixture("testdata/" + name + ".sparse.gz")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func le64(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

// patchSuper changes bytes of the first superblock and sets its checksum right.
func patchSuper(t testing.TB, s *volumetest.Sparse, at int, data []byte) {
	t.Helper()
	p := make([]byte, superSize)
	if err := block.ReadFull(s, p, superOffsets[0]); err != nil {
		t.Fatal(err)
	}
	copy(p[at:], data)
	crc32c(p[:0], p[checksumSize:])
	s.Patch(superOffsets[0], p)
}

func TestSuperblockRefusals(t *testing.T) {
	const usual = 0x341 // the incompat flags of the fixture
	tests := []struct {
		name   string
		at     int
		data   []byte
		reason volume.Reason
		what   string
	}{
		{"extent-tree-v2", superIncompat, le64(usual | incompatExtentTreeV2), volume.Unknown, "extent-tree-v2"},
		{"raid-stripe-tree", superIncompat, le64(usual | incompatRaidStripeTree), volume.Unknown, "raid-stripe-tree"},
		{"unknown-incompat", superIncompat, le64(usual | 1<<40), volume.Unknown, "0x10000000000"},
		{"unknown-compat-ro", superCompatRO, le64(3 | 1<<33), volume.Unknown, "0x200000000"},
		{"unknown-flag", superFlags, le64(1 | 1<<50), volume.Unknown, "0x4000000000000"},
		{"zoned", superIncompat, le64(usual | incompatZoned), volume.Unsupported, "zoned"},
		{"no-mixed-backref", superIncompat, le64(usual &^ incompatMixedBackref), volume.Unsupported, "2.6.31"},
		{"three-devices", superDevices, le64(3), volume.Unsupported, "1 of 3 devices"},
		{"other-device-uuid", deviceUUID, make([]byte, 16), volume.Unsupported, "part of it lies on device 1"},
		{"metadump", superFlags, le64(1 | flagMetadumpV2), volume.Unsupported, "btrfs-image"},
		{"changing-uuid", superFlags, le64(1 | 1<<36), volume.Dirty, "btrfstune"},
		{"error", superFlags, le64(1 | flagError), volume.Dirty, "error"},
		{"log", superLogRoot, le64(30408704), volume.NeedsReplay, "log tree"},
		{"longer-than-partition", deviceBytes, le64(1 << 40), volume.Damaged, "1099511627776 bytes"},
		{"no-root", superRoot, le64(1 << 20), volume.Damaged, "outside every chunk"},
		{"old-root", superGeneration, le64(77), volume.Damaged, "expected 77"},
		{"no-chunks", superSysChunkSize, make([]byte, 4), volume.Damaged, "outside every chunk"},
		{"half-a-chunk", superSysChunkSize, []byte{60, 0, 0, 0}, volume.Damaged, "item of 43 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := fixture(t, "default")
			patchSuper(t, s, test.at, test.data)
			refusal := volumetest.Refused(t, New(), s, test.reason)
			if !strings.Contains(refusal.What, test.what) {
				t.Errorf("what: %s", refusal.What)
			}
		})
	}
}

// TestBlockGroupTree has the flag alone: mkfs.btrfs of Debian 12 cannot make
// such a file system, whose extent items are where they always are.
func TestBlockGroupTree(t *testing.T) {
	s := fixture(t, "default")
	patchSuper(t, s, superCompatRO, le64(0xb))
	volumetest.Check(t, New(), s)
}

func TestSuperblockCopies(t *testing.T) {
	garbage := []byte("garbage")
	s := fixture(t, "default")
	s.Patch(superOffsets[1]+superLabel, garbage)
	v, _ := volumetest.Check(t, New(), s)
	if notes := v.Info().Notes; len(notes) != 1 || !strings.Contains(notes[0], "super-recover") {
		t.Errorf("damaged copy: notes %q", notes)
	}

	s = fixture(t, "default")
	s.Patch(superOffsets[0]+superLabel, garbage)
	refusal := volumetest.Refused(t, New(), s, volume.Damaged)
	if !strings.Contains(refusal.Do, "btrfs rescue super-recover") {
		t.Errorf("damaged first: do %q", refusal.Do)
	}

	s.Patch(superOffsets[1]+superLabel, garbage)
	var damaged *volume.DamageError
	if _, err := New().Open(context.Background(), s); !errors.As(err, &damaged) {
		t.Errorf("both damaged: %v", err)
	}
	if ok, err := New().Recognise(s); !ok || err != nil {
		t.Errorf("both damaged: Recognise = %v, %v", ok, err)
	}
}

// rootAt is where the i-th copy of a tree's root lies.
func rootAt(t *testing.T, s *volumetest.Sparse, tree uint64, i int) int64 {
	t.Helper()
	v, err := New().Open(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	f := v.(*fileSystem).forest()
	root, err := f.findTree(context.Background(), tree)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := f.chunks.find(root.logical, f.sb.nodeSize)
	return c.physical(root.logical, i)
}

func TestDamagedExtentTree(t *testing.T) {
	s := fixture(t, "default")
	first, second := rootAt(t, s, extentTree, 0), rootAt(t, s, extentTree, 1)
	whole := make([]byte, 16<<10)
	if err := block.ReadFull(s, whole, first); err != nil {
		t.Fatal(err)
	}
	s.Patch(second, whole) // nothing read it when the fixture was made
	s.Patch(first+200, []byte("garbage"))
	volumetest.Check(t, New(), s)

	s.Patch(second+200, []byte("garbage"))
	usedFails(t, s, "wrong checksum")
}

func TestCounterMismatch(t *testing.T) {
	s := fixture(t, "default")
	patchSuper(t, s, superBytesUsed, le64(147456+16384))
	usedFails(t, s, "lists 147456 bytes, the superblock says 163840")
}

// usedFails asserts a *DamageError from Used.
func usedFails(t *testing.T, s *volumetest.Sparse, why string) {
	t.Helper()
	v, err := New().Open(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Used(context.Background())
	var damaged *volume.DamageError
	if !errors.As(err, &damaged) || !strings.Contains(damaged.Why, why) {
		t.Errorf("Used: %v, want a DamageError: %s", err, why)
	}
}

func TestRecogniseNothing(t *testing.T) {
	for _, size := range []int64{0, 512, 64 << 10, 64<<10 + 512, 1 << 20} {
		if ok, err := New().Recognise(volumetest.NewSparse(size)); ok || err != nil {
			t.Errorf("%d zeros: %v, %v", size, ok, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := New().Open(ctx, fixture(t, "default")); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
}
