package blocktest_test

import (
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
)

func TestMemoryConforms(t *testing.T) {
	blocktest.Writer(t, func(t *testing.T, size int64) block.Writer { return blocktest.NewMemory(size, 512) })
}

func TestMemoryIsSparse(t *testing.T) {
	const size = 2 << 40
	m := blocktest.NewMemory(size, 4096)
	if _, err := m.WriteAt([]byte("end"), size-3); err != nil {
		t.Fatal(err)
	}
	if got := m.Allocated(); got > 1<<20 {
		t.Errorf("a 2 TiB disk with 3 bytes takes %d bytes", got)
	}
	start, end, err := m.NextData(0)
	if start > size-3 || start < size-1<<20 || end != size || err != nil {
		t.Errorf("NextData(0) = %d, %d, %v", start, end, err)
	}
	c := m.Clone()
	if err := m.Discard(0, size); err != nil || m.Allocated() != 0 {
		t.Errorf("after a discard of all: %v, %d bytes taken", err, m.Allocated())
	}
	p := make([]byte, 3)
	if err := block.ReadFull(c, p, size-3); err != nil || string(p) != "end" {
		t.Errorf("the clone reads %q, %v", p, err)
	}
}
