package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume/all"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestPowerCut cuts the power during a deploy, after each of its writes, with
// what was not synced lost, torn or kept. What is then on the target is never a
// table or volume that looks whole and is not; it says that it is unfinished; and
// the same deploy finishes it.
func TestPowerCut(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	divided := newDisk(t, rng, "gpt", 512, small("ext4", "fat16"))
	logical := newDisk(t, rng, "dos", 4096, small("swap", "ext4", "unknown"))
	for _, c := range []struct {
		name string
		disk *disk
		over string // what the target held: an older version, or a whole volume of the kind
		opts deploy.Options
	}{
		{"small gpt over older", newDisk(t, rng, "gpt", 512, small("unknown")), "older", deploy.Options{}},
		{"gpt over older", divided, "older", deploy.Options{}},
		{"gpt over ext4", divided, "ext4", deploy.Options{Full: true, Free: deploy.Keep}},
		{"gpt over btrfs", divided, "btrfs", deploy.Options{Free: deploy.Zero}},
		{"gpt over lvm", divided, "lvm", deploy.Options{Readback: true}},
		{"mbr over older", logical, "older", deploy.Options{}},
		{"mbr over gpt", logical, "gpt", deploy.Options{Full: true}},
		{"ext4 over older", bare(t, rng, "ext4"), "older", deploy.Options{}},
		{"ext4 over gpt", bare(t, rng, "ext4"), "gpt", deploy.Options{Full: true}},
		{"fat over older", bare(t, rng, "fat16"), "older", deploy.Options{Readback: true}},
		{"ntfs over older", bare(t, rng, "ntfs"), "older", deploy.Options{}},
		{"btrfs over ext4", bare(t, rng, "btrfs"), "ext4", deploy.Options{Free: deploy.Zero}},
		{"lvm over btrfs", bare(t, rng, "lvm"), "btrfs", deploy.Options{Full: true}},
		{"exfat over ext4", bare(t, rng, "exfat"), "ext4", deploy.Options{}},
		{"swap over ext4", bare(t, rng, "swap"), "ext4", deploy.Options{}},
	} {
		rng := rand.New(rand.NewPCG(2, 0))
		t.Run(c.name, func(t *testing.T) { cutPower(t, rng, c.disk, c.over, c.opts) })
	}
}

// small returns kinds by name.
func small(names ...string) []kind {
	var out []kind
	for _, name := range names {
		all := kinds()
		out = append(out, all[slices.IndexFunc(all, func(k kind) bool { return k.name == name })])
	}
	return out
}

func bare(t *testing.T, rng *rand.Rand, name string) *disk {
	t.Helper()
	return newDisk(t, rng, "", 512, small(name))
}

// cutPower cuts the power during deploys of d over something else.
func cutPower(t *testing.T, rng *rand.Rand, d *disk, over string, opts deploy.Options) {
	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	must(t, err)
	before := underlay(t, rng, d, over)
	old, err := planCapture(t.Context(), before, capture.Options{})
	must(t, err)
	image := take(t, s, d, "v1")
	counted := blocktest.NewFaulty(before.Clone(), blocktest.Faults{})
	_, _, err = put(t.Context(), image, counted, false, opts)
	must(t, err)
	writes := counted.Writes()
	for i, at := range cuts(rng, writes) {
		crash := blocktest.NewCrash(before)
		_, _, err := put(t.Context(), image, blocktest.NewFaulty(crash, blocktest.Faults{FailFrom: at}), false, opts)
		if err != nil && !errors.Is(err, syscall.EIO) {
			t.Fatalf("power cut at write %d of %d: %v", at, writes, err)
		}
		for seed := range uint64(5) {
			after := crash.Crash(seed)
			if err := survived(t, after, before, old, d, image.plan, err == nil); err != nil {
				t.Errorf("power cut at write %d of %d, outcome %d: %v", at, writes, seed, err)
			}
			if seed != uint64(i%5) {
				continue
			}
			p, _, err := put(t.Context(), image, after, false, opts)
			must(t, err)
			check(t, d, after, image.plan, image.content(), p)
		}
	}
}

// cuts picks the writes at which the power fails: all of few, else the first, the
// last, and some between.
func cuts(rng *rand.Rand, writes int64) []int64 {
	const few, first, last, between = 14, 2, 6, 2
	var at []int64
	for i := range writes {
		if writes <= few || i < first || i >= writes-last {
			at = append(at, i+1)
		}
	}
	for range between {
		if writes > few {
			at = append(at, 1+first+rng.Int64N(writes-first-last))
		}
	}
	return at
}

// underlay is a disk of d's size with something on it: a version of d that is
// one change older, or another disk.
func underlay(t *testing.T, rng *rand.Rand, d *disk, over string) *blocktest.Memory {
	t.Helper()
	if over == "older" {
		before := d.Memory.Clone()
		d.change(t, rng)
		return before
	}
	label := ""
	if over == "gpt" {
		label, over = "gpt", "ext4"
	}
	other := small(over)
	other[0].size = min(other[0].size, d.Size()/mib-4)
	if over == "btrfs" {
		other[0].make = func(t *testing.T, path string, _ int, _ *rand.Rand) {
			volumetest.Tool(t, "mkfs.btrfs", "-q", "--mixed", path)
		}
	}
	before := blocktest.NewMemory(d.Size(), d.SectorSize())
	on := newDisk(t, rng, label, d.SectorSize(), other)
	_, err := before.WriteAt(contents(t, on, min(on.Size(), before.Size())), 0)
	must(t, err)
	return before
}

func contents(t *testing.T, r block.Reader, n int64) []byte {
	t.Helper()
	p := make([]byte, n)
	must(t, block.ReadFull(r, p, 0))
	return p
}

// survived checks a target after a power cut.
func survived(t *testing.T, after, before *blocktest.Memory, old *capture.Plan, d *disk, plan *capture.Plan, done bool) error {
	t.Helper()
	if done {
		return sameBytes(d, after, plan)
	}
	found, err := survey.Look(t.Context(), after, all.Formats())
	if err != nil {
		return err
	}
	what, err := deploy.Unfinished(after)
	if err != nil {
		return err
	}
	looks := looksLike(found)
	switch {
	case what != "" && looks == "":
		return nil
	case what != "": // in place of what belongs in the first sector
		plan, old = behindMarker(plan), behindMarker(old)
	}
	isNew, isOld := sameBytes(d, after, plan), sameBytes(before, after, old)
	if isNew != nil && isOld != nil {
		return fmt.Errorf("marked %q, it looks like %q, but is neither the new (%w) nor the old (%w)", what, looks, isNew, isOld)
	}
	return nil
}

// looksLike says what a stranger takes a disk for, "" for nothing.
func looksLike(d *survey.Disk) string {
	if d.Table.Kind != part.None {
		return fmt.Sprintf("a disk with a table of kind %s", d.Table.Kind)
	}
	if v := d.Volumes[0]; v.Info.Kind != "unknown" && v.Info.Clean() {
		return "a volume of kind " + v.Info.Kind
	}
	return ""
}

// behindMarker is a plan without its first sector.
func behindMarker(p *capture.Plan) *capture.Plan {
	q := *p
	q.Regions = slices.Clone(p.Regions)
	if len(q.Regions) > 0 && q.Regions[0].Start == 0 {
		r := &q.Regions[0]
		r.Used = r.Used.Subtract(extent.Of(extent.Extent{Length: 512}))
		if r.Rest != "free" {
			r.Used = r.Used.Union(extent.Of(extent.Extent{Start: 512, Length: r.Size - 512}))
			r.Rest = "free"
		}
	}
	return &q
}
