package e2e

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/verify"
)

// TestFailingTarget lets each kind of write fail at each of a deploy's steps.
func TestFailingTarget(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	for _, d := range []*disk{newDisk(t, rng, "dos", 512, small("swap", "unknown")), bare(t, rng, "fat16")} {
		before := garbage(d.Size(), 512)
		image := take(t, newStore(t), d, "v1")
		opts := deploy.Options{Free: deploy.Zero}
		counted := blocktest.NewFaulty(before.Clone(), blocktest.Faults{})
		_, _, err := put(t.Context(), image, counted, false, opts)
		must(t, err)
		try := func(what string, want error, f blocktest.Faults) {
			target := before.Clone()
			if _, _, err := put(t.Context(), image, blocktest.NewFaulty(target, f), false, opts); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
			if mark, err := deploy.Unfinished(target); mark == "" && equal(before, target, 2, target.Size()-2) != nil {
				t.Errorf("%s: the target was changed and has no marker: %v", what, err)
			}
			p, _, err := put(t.Context(), image, target, false, opts)
			must(t, err)
			check(t, d, target, image.plan, image.content(), p)
		}
		for _, n := range cuts(rng, counted.Writes()) {
			try(fmt.Sprintf("writes fail from %d", n), syscall.EIO, blocktest.Faults{FailFrom: n})
			try(fmt.Sprintf("write %d is short", n), io.ErrShortWrite, blocktest.Faults{ShortAt: n})
		}
		for _, n := range cuts(rng, counted.Written()/512) {
			try(fmt.Sprintf("no room after %d sectors", n-1), syscall.ENOSPC, blocktest.Faults{Space: max(1, (n-1)*512)})
		}
		try("syncs fail", syscall.EIO, blocktest.Faults{FailSync: true})
	}
}

// liar flips a bit whenever a byte is read.
type liar struct {
	*blocktest.Memory
	at int64
}

func (l liar) ReadAt(p []byte, off int64) (int, error) {
	n, err := l.Memory.ReadAt(p, off)
	if l.at >= off && l.at < off+int64(n) {
		p[l.at-off] ^= 0x10
	}
	return n, err
}

// TestLyingTarget gives back other bytes than were written: reading back finds
// it, and so does a comparison.
func TestLyingTarget(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 0))
	for _, d := range []*disk{newDisk(t, rng, "gpt", 512, small("ext4", "unknown")), bare(t, rng, "exfat")} {
		image := take(t, newStore(t), d, "v1")
		places := []int64{100, 512, 1024, d.volumes[0].at + 1050} // sector 0, GPT header, a volume's start
		for _, r := range image.plan.Regions {
			e := r.Used[rng.IntN(len(r.Used))]
			places = append(places, r.Start+e.Start+rng.Int64N(e.Length))
		}
		for _, at := range places {
			for _, full := range []bool{false, true} {
				target := liar{garbage(d.Size(), 512), at}
				_, _, err := put(t.Context(), image, target, false, deploy.Options{Readback: true, Full: full})
				var lie *deploy.ReadbackError
				if !errors.As(err, &lie) || at < lie.Offset {
					t.Errorf("lie at %#x: %v", at, err)
				}
				unfinished(t, target.Memory)
			}
		}
		target := garbage(d.Size(), 512)
		p, _, err := put(t.Context(), image, target, false, deploy.Options{})
		must(t, err)
		for _, at := range places {
			var differs *verify.DifferenceError
			if err := compare(t.Context(), image.content(), p, liar{target, at}); !errors.As(err, &differs) || len(differs.Differences) != 1 {
				t.Errorf("bit flipped at %#x: compare says %v", at, err)
			}
		}
		for _, size := range []int64{d.Size() - 512, d.Size() - mib} {
			small := blocktest.NewMemory(size, 512)
			_, _, err := put(t.Context(), image, small, false, deploy.Options{})
			var need *deploy.TooSmallError
			if errors.As(err, &need) == (err == nil) || need != nil && need.Have != size {
				t.Errorf("onto a target of %d bytes: %v", size, err)
			}
			if err != nil && small.Allocated() > 0 {
				t.Error("a refused deploy wrote to its target")
			}
		}
	}
}

var _ block.Writer = liar{}
