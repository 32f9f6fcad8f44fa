package ntfs

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func TestAppendRuns(t *testing.T) {
	b := boot{cluster: 4096, clusters: 1 << 32}
	for _, c := range []struct {
		name  string
		pairs []byte
		want  []run // nil for an error
	}{
		{"one", []byte{0x21, 0x18, 0x34, 0x56, 0}, []run{{10, 0x5634, 0x18}}},
		{"back", []byte{0x11, 2, 0x50, 0x11, 3, 0xF0, 0}, []run{{10, 0x50, 2}, {12, 0x40, 3}}},
		{"hole", []byte{0x11, 2, 0x50, 0x01, 9, 0x11, 1, 2, 0}, []run{{10, 0x50, 2}, {12, hole, 9}, {21, 0x52, 1}}},
		{"wide", []byte{0x52, 0x00, 0x01, 0, 0, 0, 0x7F, 0, 0}, []run{{10, 0x7F000000, 0x100}}},
		{"no end", []byte{0x11, 2, 0x50}, nil},
		{"cut off", []byte{0x11, 2}, nil},
		{"nothing", nil, nil},
		{"no length", []byte{0x10, 0x50, 0}, nil},
		{"negative length", []byte{0x11, 0x80, 0x50, 0}, nil},
		{"before the volume", []byte{0x11, 2, 0xF0, 0}, nil},
		{"behind the volume", []byte{0x51, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0}, nil},
		{"fields too wide", []byte{0x19, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0}, nil},
		{"hole without end", []byte{0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0}, nil},
	} {
		got, end, err := b.appendRuns(nil, c.pairs, 10)
		if c.want == nil {
			if err == nil {
				t.Errorf("%s: %v, want an error", c.name, got)
			}
			continue
		}
		if err != nil || !slices.Equal(got, c.want) || end != c.want[len(c.want)-1].end() {
			t.Errorf("%s: %v up to %d, %v; want %v", c.name, got, end, err, c.want)
		}
	}
}

func TestRunsAreBounded(t *testing.T) {
	b := boot{cluster: 4096, clusters: 1 << 32}
	if _, _, err := b.appendRuns(nil, bytes.Repeat([]byte{0x11, 1, 1}, maxRuns+1), 0); err == nil {
		t.Errorf("took more than %d runs", maxRuns)
	}
}

// TestIndexLoop walks an index whose only block is its own child.
func TestIndexLoop(t *testing.T) {
	le := binary.LittleEndian
	block := make([]byte, 4096)
	copy(block, "INDX")
	le.PutUint16(block[4:], 0x28)
	le.PutUint16(block[6:], 9)
	le.PutUint32(block[0x18:], 0x28) // the entries, from 0x18 on
	le.PutUint32(block[0x1C:], 0x28+0x18)
	le.PutUint16(block[0x40+8:], 0x18)
	le.PutUint16(block[0x40+0xC:], entryHasChild|entryIsLast) // child 0
	r := volumetest.NewSparse(1 << 20)
	r.Patch(0, block)
	ix := &index{m: &mft{r: r, boot: boot{cluster: 4096, clusters: 256}}, size: 4096, unit: 4096}
	ix.root = block[0x40 : 0x40+0x18]
	ix.blocks = stream{what: "index", runs: []run{{0, 0, 1}}, size: 4096, initialized: 4096}
	if _, ok, err := ix.lookup(context.Background(), "pagefile.sys"); ok || err == nil {
		t.Errorf("lookup = %v, %v", ok, err)
	}
}

func TestNextBit(t *testing.T) {
	p := make([]byte, 32)
	p[0], p[8], p[31] = 0x80, 0xFF, 0x01
	for _, c := range []struct{ from, n, want int64 }{
		{0, 256, 7}, {8, 256, 64}, {64, 256, 64}, {72, 256, 248}, {249, 256, 256}, {8, 40, 40}, {256, 256, 256},
	} {
		if got := nextBit(p, c.from, c.n, 1); got != c.want {
			t.Errorf("first one of %d behind %d is %d, want %d", c.n, c.from, got, c.want)
		}
	}
	if got := nextBit(p, 64, 256, 0); got != 72 {
		t.Errorf("first zero behind 64 is %d, want 72", got)
	}
}
