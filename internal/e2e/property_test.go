package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// Each seed deals all kinds of volumes to disks once.
var seeds = flag.Int("seeds", 3, "how many sets of random disks to try")

// TestRandomDisks captures disks with random tables, layouts and volumes, twice
// with changes between, and deploys them to all sorts of targets. The engine's
// own comparison, one without it, and the file systems' tools judge the result.
func TestRandomDisks(t *testing.T) {
	for seed := range uint64(*seeds) {
		rng := rand.New(rand.NewPCG(seed, 0))
		deck := kinds()
		rng.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		for i, c := range []struct {
			label  string
			sector int
			kinds  []kind
		}{
			{"gpt", 512, deck[:4]},
			{"dos", 512, deck[4:7]},
			{"gpt", 4096, deck[7:10]},
			{"dos", 4096, deck[8:9]},
			{"", 512, deck[10:]},
			{"", 512, deck[:1]},
		} {
			t.Run(fmt.Sprintf("%d-%s-%d-%d", seed, c.label, c.sector, i), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				tryDisk(t, rng, newDisk(t, rng, c.label, c.sector, c.kinds))
			})
		}
	}
}

func tryDisk(t *testing.T, rng *rand.Rand, d *disk) {
	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	must(t, err)
	older := d.Memory.Clone()
	take(t, s, older, "v1")
	d.change(t, rng)
	image := take(t, s, d, "v2")
	wants := d.digests(t)

	onto := func(name string, target *blocktest.Memory, blank bool, opts deploy.Options, judge bool) {
		t.Run(name, func(t *testing.T) {
			p, work, err := put(t.Context(), image, target, blank, opts)
			must(t, err)
			check(t, d, target, image.plan, image.content(), p)
			if judge {
				d.judge(t, target, wants)
			}
			if written := work.Written.Load(); name == "older" && written > image.fresh+4*mib {
				t.Errorf("wrote %d bytes of which the store found %d to be new", written, image.fresh)
			}
		})
	}
	free := []deploy.FreeSpace{deploy.Discard, deploy.Zero, deploy.Keep}[rng.IntN(3)]
	onto("blank", blocktest.NewMemory(d.Size(), d.SectorSize()), true, deploy.Options{Free: free}, false)
	onto("older", older, false, deploy.Options{Readback: true}, true)
	used := garbage(d.Size(), d.SectorSize())
	onto("garbage", used, false, deploy.Options{Free: deploy.Keep, Full: rng.IntN(2) == 0}, true)
	onto("zeroed", garbage(d.Size(), d.SectorSize()), false, deploy.Options{Free: deploy.Zero, Full: rng.IntN(2) == 0, NewIDs: d.label != ""}, false)
	bigger := d.Size() + rng.Int64N(20*mib)/int64(d.SectorSize())*int64(d.SectorSize())
	onto("bigger", garbage(bigger, d.SectorSize()), false, deploy.Options{Free: deploy.Discard, Full: rng.IntN(2) == 0, Readback: true}, false)

	t.Run("again", func(t *testing.T) { sameImage(t, image, take(t, s, used, "v3")) })
	t.Run("clone", func(t *testing.T) {
		target := garbage(d.Size(), d.SectorSize())
		from, err := planCapture(t.Context(), d, capture.Options{})
		must(t, err)
		p, _, err := clone(t.Context(), from, target, deploy.Options{Free: deploy.Keep, Full: rng.IntN(2) == 0})
		must(t, err)
		live, _ := liveContent(from)
		check(t, d, target, from, live, p)
	})
}

// check holds a target against its source.
func check(t *testing.T, d *disk, target *blocktest.Memory, from *capture.Plan, src content.Source, p *deploy.Plan) {
	t.Helper()
	must(t, compare(t.Context(), src, p, target))
	must(t, sameBytes(d, target, from))
	if p.Free == deploy.Zero {
		for _, e := range p.Unused {
			must(t, equal(blocktest.NewMemory(target.Size(), 512), target, e.Start, e.Length))
		}
	}
	if what, err := deploy.Unfinished(target); what != "" || err != nil {
		t.Errorf("after a deploy the target is unfinished: %q, %v", what, err)
	}
	if p.Table != nil {
		checkTable(t, target, *from.Table, p)
	}
}

// checkTable reads the table as planned, and lets its own tool judge it.
func checkTable(t *testing.T, target *blocktest.Memory, source part.Table, p *deploy.Plan) {
	t.Helper()
	got, err := tables.Read(target)
	must(t, err)
	if len(got.Findings) > 0 {
		t.Errorf("the table has findings: %q", got.Findings)
	}
	if same := got.ID == source.ID; same == (p.NewIDs != nil) {
		t.Errorf("disk ID %s became %s; new IDs: %v", source.ID, got.ID, p.NewIDs)
	}
	for i, a := range got.Partitions {
		if b := source.Partitions[i]; a.Start != b.Start || a.Length != b.Length || a.Number != b.Number || a.Type != b.Type {
			t.Errorf("partition %+v became %+v", b, a)
		}
	}
	path := blankFile(t, target.Size())
	for _, e := range got.Reserved() {
		copyRange(t, path, target, e)
	}
	onDevice(t, path, target.SectorSize(), func(dev string) {
		if out := volumetest.Tool(t, "sfdisk", "--verify", dev); !strings.Contains(out, "No errors detected") {
			t.Errorf("sfdisk --verify: %s", out)
		}
		if got.Kind != part.GPT {
			return
		}
		if out := volumetest.Tool(t, "sgdisk", "-v", dev); !strings.Contains(out, "No problems found") {
			t.Errorf("sgdisk -v: %s", out)
		}
	})
}

// digests returns what the files on every volume hash to.
func (d *disk) digests(t *testing.T) []string {
	t.Helper()
	out := make([]string, len(d.volumes))
	for i, v := range d.volumes {
		out[i] = v.digest(t, v.path)
	}
	return out
}

func (v placed) digest(t *testing.T, path string) string {
	t.Helper()
	if v.mount == nil {
		return ""
	}
	dir, unmount := v.mount(t, path)
	defer unmount()
	return volumetest.Digest(t, dir)
}

// judge lets the tools look at every volume on a target.
func (d *disk) judge(t *testing.T, target *blocktest.Memory, wants []string) {
	t.Helper()
	for i, v := range d.volumes {
		path := extract(t, target, v.at, v.bytes())
		if v.judge != nil {
			v.judge(t, path)
		}
		if got := v.digest(t, path); got != wants[i] {
			t.Errorf("%s at %#x: the files are not what they were", v.name, v.at)
		}
		must(t, os.Remove(path))
	}
}

// sameImage checks that a capture of a deployed disk is the image it came from.
func sameImage(t *testing.T, want, got captured) {
	t.Helper()
	if got.fresh > 0 {
		t.Errorf("a capture of the deployed disk stored %d new bytes", got.fresh)
	}
	for i := range want.manifest.Regions {
		a, b := want.manifest.Regions[i], got.manifest.Regions[i]
		if a.Data != b.Data || a.Zero != b.Zero || !slices.Equal(a.Map, b.Map) {
			t.Errorf("%s: its map changed from %+v to %+v", a.Title(), a, b)
		}
	}
}
