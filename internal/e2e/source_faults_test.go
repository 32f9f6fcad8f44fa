package e2e

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
)

// through returns the plan with its regions read from another device that stands
// for the same disk: one that began to fail after it was surveyed.
func through(t *testing.T, p *capture.Plan, r block.Reader) *capture.Plan {
	t.Helper()
	q := *p
	q.Regions = slices.Clone(p.Regions)
	for i := range q.Regions {
		window, err := block.Section(r, q.Regions[i].Start, q.Regions[i].Size)
		must(t, err)
		q.Regions[i].Window = window
	}
	return &q
}

func newStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	must(t, err)
	return s
}

// dense is a disk that does not know where it holds zeros, so that all is read.
type dense struct{ disk blocktest.Device }

func (d dense) Size() int64                             { return d.disk.Size() }
func (d dense) SectorSize() int                         { return d.disk.SectorSize() }
func (d dense) ReadAt(p []byte, off int64) (int, error) { return d.disk.ReadAt(p, off) }

func TestUnreadableSource(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	for _, sector := range []int{512, 4096} {
		t.Run(fmt.Sprint(sector), func(t *testing.T) {
			d := newDisk(t, rng, "gpt", sector, small("ext4", "unknown"))
			plan, err := planCapture(t.Context(), dense{d.Memory}, capture.Options{})
			must(t, err)
			bad := badSectors(rng, plan, int64(sector))
			failing := through(t, plan, dense{blocktest.NewFaulty(d.Memory, blocktest.Faults{Unreadable: bad})})

			_, err = run(t.Context(), newStore(t), failing, "plain")
			var unreadable *capture.UnreadableError
			if !errors.As(err, &unreadable) || !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), fmt.Sprintf("%#x", bad[0].Start)) {
				t.Errorf("capture without rescue: %v, want an UnreadableError that names %#x", err, bad[0].Start)
			}
			if _, _, err := clone(t.Context(), failing, garbage(d.Size(), sector), deploy.Options{}); !errors.Is(err, syscall.EIO) {
				t.Errorf("clone: %v, want EIO", err)
			}
			rescue(t, d, failing, bad)
		})
	}
}

// badSectors picks sectors out of what is read.
func badSectors(rng *rand.Rand, p *capture.Plan, sector int64) extent.List {
	var bad []extent.Extent
	for _, r := range p.Regions {
		for range 3 {
			e := r.Used[rng.IntN(len(r.Used))]
			n := (1 + rng.Int64N(40)) * sector
			at := rng.Int64N(max(1, e.Length-n)) / sector * sector
			bad = append(bad, extent.Extent{Start: r.Start + e.Start + at, Length: min(n, e.Length-at) / sector * sector})
		}
	}
	return extent.Of(bad...)
}

// rescue captures around bad sectors. They are recorded to the sector and zeros,
// and everything else is right.
func rescue(t *testing.T, d *disk, failing *capture.Plan, bad extent.List) {
	t.Helper()
	failing.Rescue = true
	image, err := run(t.Context(), newStore(t), failing, "rescued")
	must(t, err)
	for _, r := range image.manifest.Regions {
		want := bad.Clip(extent.Extent{Start: r.Start, Length: r.Size}).Shift(-r.Start)
		if !slices.Equal(r.Unreadable, want) {
			t.Errorf("%s: unreadable are %v, want %v", r.Title(), r.Unreadable, want)
		}
	}
	if got := image.manifest.Unreadable(); got != bad.Bytes() {
		t.Errorf("%d bytes unreadable, want %d", got, bad.Bytes())
	}
	want := d.Memory.Clone()
	for _, e := range bad {
		must(t, want.Zero(e.Start, e.Length))
	}
	target := garbage(d.Size(), d.SectorSize())
	_, _, err = put(t.Context(), image, target, false, deploy.Options{})
	must(t, err)
	must(t, sameBytes(want, target, failing))
}

// shrunk is a disk that ends earlier than it says.
type shrunk struct {
	*blocktest.Memory
	end int64
}

func (s shrunk) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) <= s.end {
		return s.Memory.ReadAt(p, off)
	}
	n, err := s.Memory.ReadAt(p[:max(0, s.end-off)], off)
	if err == nil {
		err = io.EOF
	}
	return n, err
}

func TestSourceShrinks(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	d := newDisk(t, rng, "gpt", 512, small("unknown", "ext4"))
	plan, err := planCapture(t.Context(), d, capture.Options{})
	must(t, err)
	plan = through(t, plan, shrunk{d.Memory, d.volumes[1].at + 5000})
	if _, err := run(t.Context(), newStore(t), plan, "short"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("capture: %v, want an unexpected EOF", err)
	}
	target := garbage(d.Size(), 512)
	if _, _, err := clone(t.Context(), plan, target, deploy.Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("clone: %v, want an unexpected EOF", err)
	}
	unfinished(t, target)
}

// unfinished checks that a target says so.
func unfinished(t *testing.T, target block.Reader) {
	t.Helper()
	if what, err := deploy.Unfinished(target); what == "" || err != nil {
		t.Errorf("the target has no marker: %q, %v", what, err)
	}
}
