package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// StoreReport is what Store found.
type StoreReport struct {
	Images   int  `json:"images"`
	Maps     int  `json:"maps"` // that images refer to
	Packs    int  `json:"packs"`
	ReadData bool `json:"readData"`

	Damage []*Damage `json:"damage"`
	// LeftOver is what no image refers to: a clean-up's work, or that of a capture
	// that is running. nil when damage hides what images refer to.
	LeftOver *LeftOver `json:"leftOver,omitempty"`
}

// LeftOver counts objects that no image refers to.
type LeftOver struct {
	Manifests Amount `json:"manifests"`
	Maps      Amount `json:"maps"`
	Packs     Amount `json:"packs"`
}

// Amount is a number of objects and their bytes.
type Amount struct {
	Objects int   `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

func (a *Amount) add(o store.Object) { a.Objects, a.Bytes = a.Objects+1, a.Bytes+o.Size }

// checker is one run of Store. Its memory grows with the numbers of packs and of
// maps, never with that of chunks.
type checker struct {
	store    *store.Store
	readData bool
	work     *progress.Work
	report   StoreReport

	names   map[chunk.ID][]string // by image
	packs   map[chunk.ID]*packState
	locator *store.Locator
	tocs    tocs
	maps    map[chunk.ID]bool     // that images refer to
	checked map[stretch][]*Damage // what each stretch of map meets
	lost    map[chunk.ID]*Damage  // by the pack that should have what lies nowhere
	hidden  bool                  // a name, manifest or map cannot be read

	mu sync.Mutex // guards report.Damage and each packState's damage while packs are read
}

// Store checks everything in a store: that names, manifests and maps are intact,
// that every chunk of every image lies in a pack that is there, that each pack
// has the tables it should, and the aids, which no image needs. With readData
// every pack is read, and every chunk in it unpacked and checked against its ID.
// The error is a *DamageError with the *Damage of the report in it, or says that
// nothing was proved.
//
// The store may be in use. What is put after the start is not looked at, and an
// image that is removed meanwhile is not missed.
func Store(ctx context.Context, s *store.Store, readData bool, work *progress.Work) (StoreReport, error) {
	c := &checker{
		store: s, readData: readData, work: work, report: StoreReport{ReadData: readData, Damage: []*Damage{}},
		names: map[chunk.ID][]string{}, packs: map[chunk.ID]*packState{}, maps: map[chunk.ID]bool{}, checked: map[stretch][]*Damage{}, lost: map[chunk.ID]*Damage{},
	}
	// Names before packs: what a name refers to was there before the name.
	for _, step := range []func(context.Context) error{c.readNames, c.checkPacks, c.checkAids, c.checkImages, c.forgetRemoved, c.countLeftOver} {
		if err := step(ctx); err != nil {
			return c.report, fmt.Errorf("check store: %w", err)
		}
	}
	slices.SortFunc(c.report.Damage, compareDamage)
	if len(c.report.Damage) == 0 {
		return c.report, nil
	}
	damage := &DamageError{What: "the store"}
	for _, d := range c.report.Damage {
		damage.Bad = append(damage.Bad, d)
	}
	return c.report, damage
}

func (c *checker) readNames(ctx context.Context) error {
	return c.store.Names(ctx, func(n store.Name, damage error) error {
		if damage != nil {
			c.hidden = true
			c.add(damage, n.String())
			return nil
		}
		c.names[n.Image] = append(c.names[n.Image], n.String())
		return nil
	})
}

func (c *checker) checkAids(ctx context.Context) error {
	return c.store.CheckAids(ctx, func(err error) { c.add(err) })
}

// add records damage that touches the given images.
func (c *checker) add(err error, images ...string) *Damage {
	d := newDamage(err)
	d.touches(images)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Damage = append(c.report.Damage, d)
	return d
}

// forgetRemoved drops what is missing because its images were removed while the
// check ran.
func (c *checker) forgetRemoved(ctx context.Context) error {
	if len(c.report.Damage) == 0 {
		return nil
	}
	still := map[string]bool{}
	err := c.store.Names(ctx, func(n store.Name, _ error) error {
		still[n.String()] = true
		return nil
	})
	c.report.Damage = slices.DeleteFunc(c.report.Damage, func(d *Damage) bool {
		return d.missing && len(d.Images) > 0 && !slices.ContainsFunc(d.Images, func(name string) bool { return still[name] })
	})
	return err
}

// countLeftOver counts what no image refers to.
func (c *checker) countLeftOver(ctx context.Context) error {
	if c.hidden {
		return nil
	}
	left := &LeftOver{}
	err := c.store.Manifests(ctx, func(id chunk.ID, o store.Object) error {
		if c.names[id] == nil {
			left.Manifests.add(o)
		}
		return nil
	})
	err = errors.Join(err, c.store.Maps(ctx, func(id chunk.ID, o store.Object) error {
		if !c.maps[id] {
			left.Maps.add(o)
		}
		return nil
	}))
	for _, p := range c.packs {
		if !p.used {
			left.Packs.add(store.Object{Size: p.size})
		}
	}
	c.report.LeftOver = left
	return err
}
