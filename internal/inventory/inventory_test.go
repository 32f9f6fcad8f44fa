package inventory

import (
	"testing"

	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/store/storetest"
)

const dataBytes = 400 << 10

func newStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	if err != nil {
		t.Fatal(err)
	}
	for ref, seeds := range map[string][]uint64{"lab:v1": {1, 2}, "lab:v2": {1, 3}, "solo:v1": {4, 5, 6}} {
		capturetest.Image(t, s, ref, capturetest.Disk(capturetest.Small, dataBytes, seeds...))
	}
	return s
}

func look(t *testing.T, s *store.Store) Inventory {
	t.Helper()
	inv, damage, err := Look(t.Context(), s, &progress.Work{})
	if damage != nil || err != nil {
		t.Fatal(damage, err)
	}
	return inv
}

// near allows for chunks that end where runs of zeros begin, frames and tables.
func near(got, want int64) bool { return got > want*8/10 && got < want*12/10 }

// Half of the bytes of a seed are two bits in eight.
const packedSeed = dataBytes/2 + dataBytes/2/4

func TestLook(t *testing.T) {
	inv := look(t, newStore(t))
	if inv.Estimated || !near(inv.Data, 7*dataBytes) || !near(inv.Unique, 6*dataBytes) || !near(inv.Packed, 6*packedSeed) {
		t.Errorf("data %d, unique %d, packed %d, estimated %v", inv.Data, inv.Unique, inv.Packed, inv.Estimated)
	}
	own := map[string]int64{}
	for _, i := range inv.Images {
		own[i.Names[0]] = i.Own
	}
	if len(own) != 3 || !near(own["lab:v1"], packedSeed) || !near(own["lab:v2"], packedSeed) || !near(own["solo:v1"], 3*packedSeed) {
		t.Errorf("own bytes: %v", own)
	}
	kinds := map[string]Kind{}
	for _, k := range inv.Kinds {
		kinds[k.Name] = k
	}
	if kinds["names"].Objects != 3 || kinds["manifests"].Objects != 3 || kinds["maps"].Objects != 3 || kinds["config"].Objects != 1 {
		t.Errorf("kinds: %+v", inv.Kinds)
	}
	if packs := kinds["packs"].Bytes; packs < inv.Packed || !near(packs, inv.Packed) || inv.Total.Bytes < packs {
		t.Errorf("packs hold %d bytes, all is %+v", packs, inv.Total)
	}
}

// Two names of one image, and a map that two images share, belong together.
func TestNothingOwn(t *testing.T) {
	s := newStore(t)
	disk := capturetest.Disk(capturetest.Small, dataBytes, 1, 2)
	capturetest.Image(t, s, "twin:v1", disk)
	if _, err := catalog.Tag(t.Context(), s, "solo:v1", "solo", "stable"); err != nil {
		t.Fatal(err)
	}
	for _, i := range look(t, s).Images {
		switch i.Names[len(i.Names)-1] {
		case "twin:v1", "lab:v1":
			if i.Own > 2000 { // its manifest
				t.Errorf("%v has %d bytes of its own", i.Names, i.Own)
			}
		case "solo:v1":
			if len(i.Names) != 2 || !near(i.Own, 3*packedSeed) {
				t.Errorf("%v has %d bytes of its own", i.Names, i.Own)
			}
		}
	}
}

// A sample gives about the same figures.
func TestSample(t *testing.T) {
	s := newStore(t)
	images, _, err := catalog.List(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	unique := map[uint64]int64{}
	for _, sample := range []uint64{1, 4} {
		tl := newTally(len(images), map[string]int64{})
		tl.sample = sample
		for n, img := range images {
			tl.claim(&img.Manifest.Regions[0], owner(n))
		}
		if unread, err := tl.readMaps(t.Context(), s, &progress.Work{}); unread != nil || err != nil {
			t.Fatal(unread, err)
		}
		unique[sample] = tl.unique
	}
	if unique[4] < unique[1]/2 || unique[4] > unique[1]*2 { // of some ten chunks
		t.Errorf("unique bytes by sample: %v", unique)
	}
	if n := newTally(0, map[string]int64{"maps/x": 1 << 40}).sample; n != 1<<14 {
		t.Errorf("of a TiB of maps one chunk in %d is looked at", n)
	}
}

func TestDamagedMap(t *testing.T) {
	s := newStore(t)
	img, err := catalog.Find(t.Context(), s, "solo:v1")
	if err != nil {
		t.Fatal(err)
	}
	storetest.Flip(t, s.Backend(), "maps/"+img.Manifest.Regions[0].Map[0].ID.String(), 50)
	inv, damage, err := Look(t.Context(), s, &progress.Work{})
	if err != nil || damage == nil || len(inv.Images) != 3 {
		t.Errorf("got %d images, damage %v, error %v", len(inv.Images), damage, err)
	}
}
