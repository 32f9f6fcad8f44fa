package blocktest_test

import (
	"errors"
	"io"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/extent"
)

func TestFaultyWithoutFaultsConforms(t *testing.T) {
	blocktest.Writer(t, func(t *testing.T, size int64) block.Writer {
		return blocktest.NewFaulty(blocktest.NewMemory(size, 512), blocktest.Faults{})
	})
}

func TestFaultyReads(t *testing.T) {
	f := blocktest.NewFaulty(blocktest.NewMemory(1<<20, 512), blocktest.Faults{
		Unreadable: extent.Of(extent.Extent{Start: 8192, Length: 512}, extent.Extent{Start: 1 << 19, Length: 4096}),
	})
	for _, c := range []struct {
		off  int64
		n    int
		want int
		err  error
	}{
		{0, 8192, 8192, nil},
		{0, 16384, 8192, syscall.EIO},
		{8192, 1, 0, syscall.EIO},
		{8703, 10, 0, syscall.EIO},
		{8704, 4096, 4096, nil},
		{1<<19 - 5, 10, 5, syscall.EIO},
		{1<<20 - 5, 10, 5, io.EOF},
	} {
		if n, err := f.ReadAt(make([]byte, c.n), c.off); n != c.want || !errors.Is(err, c.err) {
			t.Errorf("read %d bytes at %d: %d, %v; want %d, %v", c.n, c.off, n, err, c.want, c.err)
		}
	}
}

func TestFaultyWrites(t *testing.T) {
	type result struct {
		n   int
		err error
	}
	for _, c := range []struct {
		name   string
		faults blocktest.Faults
		want   []result // of writes of 1,000 bytes
	}{
		{"good", blocktest.Faults{}, []result{{1000, nil}, {1000, nil}, {1000, nil}}},
		{"fail from the second", blocktest.Faults{FailFrom: 2}, []result{{1000, nil}, {0, syscall.EIO}, {0, syscall.EIO}}},
		{"short second", blocktest.Faults{ShortAt: 2}, []result{{1000, nil}, {500, io.ErrShortWrite}, {1000, nil}}},
		{"full", blocktest.Faults{Space: 1700}, []result{{1000, nil}, {700, syscall.ENOSPC}, {0, syscall.ENOSPC}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := blocktest.NewMemory(1<<20, 512)
			f := blocktest.NewFaulty(m, c.faults)
			written := int64(0)
			for i, want := range c.want {
				p := make([]byte, 1000)
				p[0], p[999] = 1, 1
				if n, err := f.WriteAt(p, int64(i)<<16); n != want.n || !errors.Is(err, want.err) {
					t.Errorf("write %d: %d, %v; want %d, %v", i+1, n, err, want.n, want.err)
				}
				if err := block.ReadFull(m, p, int64(i)<<16); err != nil || (p[0] == 1) != (want.n > 0) || (p[999] == 1) != (want.n == 1000) {
					t.Errorf("write %d: the device holds more or less than reported", i+1)
				}
				written += int64(want.n)
			}
			if f.Writes() != 3 || f.Written() != written {
				t.Errorf("counted %d writes of %d bytes, want 3 of %d", f.Writes(), f.Written(), written)
			}
		})
	}
	f := blocktest.NewFaulty(blocktest.NewMemory(1<<20, 512), blocktest.Faults{FailFrom: 1, FailSync: true})
	for name, err := range map[string]error{"zero": f.Zero(0, 10), "discard": f.Discard(0, 512), "sync": f.Sync()} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v, want EIO", name, err)
		}
	}
}
