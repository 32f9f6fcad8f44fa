package blocktest_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
)

func TestCrashWithoutCrashConforms(t *testing.T) {
	blocktest.Writer(t, func(t *testing.T, size int64) block.Writer {
		return blocktest.NewCrash(blocktest.NewMemory(size, 512))
	})
}

// TestCrashOutcomes writes at random, syncs now and then, and checks each
// sector of every outcome: it holds what it held at the sync or what some write
// since made of it.
func TestCrashOutcomes(t *testing.T) {
	const sectors, sector = 64, 512
	c := blocktest.NewCrash(blocktest.NewMemory(sectors*sector, sector))
	rng := rand.New(rand.NewPCG(1, 1))
	var allowed [sectors][]byte // the fill bytes that each sector may have
	reset := func(now []byte) {
		for i := range allowed {
			allowed[i] = []byte{now[i*sector]}
		}
	}
	reset(make([]byte, sectors*sector))
	complete, partial := 0, 0
	for round := range 100 {
		first := rng.IntN(sectors)
		n := 1 + rng.IntN(sectors-first)
		fill := byte(round)
		if round%7 == 0 {
			fill = 0
			if err := c.Zero(int64(first*sector), int64(n*sector)); err != nil {
				t.Fatal(err)
			}
		} else if _, err := c.WriteAt(bytes.Repeat([]byte{fill}, n*sector), int64(first*sector)); err != nil {
			t.Fatal(err)
		}
		for i := first; i < first+n; i++ {
			allowed[i] = append(allowed[i], fill)
		}
		now := contents(t, c)
		if round%10 == 9 {
			if err := c.Sync(); err != nil || c.Pending() != 0 {
				t.Fatal(err, c.Pending())
			}
			reset(now)
		}
		for seed := range uint64(20) {
			after := contents(t, c.Crash(seed))
			if !bytes.Equal(after, contents(t, c.Crash(seed))) {
				t.Fatal("one seed gave two outcomes")
			}
			for i := range allowed {
				s := after[i*sector : (i+1)*sector]
				if !slices.Contains(allowed[i], s[0]) || bytes.Count(s, s[:1]) != sector {
					t.Fatalf("round %d, seed %d: sector %d holds %v, allowed are %v", round, seed, i, s[0], allowed[i])
				}
			}
			if bytes.Equal(after, now) {
				complete++
			} else {
				partial++
			}
		}
	}
	if complete == 0 || partial == 0 {
		t.Errorf("outcomes are one-sided: %d complete, %d partial", complete, partial)
	}
}

func contents(t *testing.T, r block.Reader) []byte {
	t.Helper()
	p := make([]byte, r.Size())
	if err := block.ReadFull(r, p, 0); err != nil {
		t.Fatal(err)
	}
	return p
}
