package deploy

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// discarding is a target that remembers what was given back.
type discarding struct {
	*blocktest.Memory
	got []extent.Extent
}

func (d *discarding) Zero(off, n int64) error {
	_, err := d.WriteAt(make([]byte, n), off)
	return err
}

func (d *discarding) Discard(off, n int64) error {
	d.got = append(d.got, extent.Extent{Start: off, Length: n})
	return nil
}

func TestHeldBackDiscardsBehindTheFront(t *testing.T) {
	d := &discarding{Memory: blocktest.NewMemory(8<<20, 512)}
	h := holdBack(d, 512)
	for _, e := range []extent.Extent{{Start: 0, Length: 512}, {Start: edge - 512, Length: 1024}, {Start: 4 << 20, Length: 1 << 20}} {
		if err := h.Discard(e.Start, e.Length); err != nil {
			t.Fatal(err)
		}
	}
	want := []extent.Extent{{Start: edge, Length: 512}, {Start: 4 << 20, Length: 1 << 20}}
	if !slices.Equal(d.got, want) {
		t.Errorf("discarded %v, want %v", d.got, want)
	}
}

func TestHeldBackPutsTheFirstSectorUpLast(t *testing.T) {
	d := &discarding{Memory: blocktest.NewMemory(8<<20, 512)}
	h := holdBack(d, 512)
	content := bytes.Repeat([]byte{7}, 2<<20)
	if _, err := h.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(content))
	if _, err := d.ReadAt(got, 0); err != nil || !bytes.Equal(got[:edge], make([]byte, edge)) || !bytes.Equal(got[edge:], content[edge:]) {
		t.Errorf("the front is on the target before it is put up (%v)", err)
	}
	writes := h.putUp()
	if err := apply(h.Disk, writes); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the target differs from what was written (%v)", err)
	}
	if last := writes[len(writes)-1]; last.Offset != 0 || len(last.Data) != 512 || !last.Sync {
		t.Errorf("last write is %d bytes at %#x", len(last.Data), last.Offset)
	}
}
