package lvm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// Bounds on numbers in the metadata; LVM's own are far lower.
const (
	maxExtents = 1 << 32
	maxSectors = 1 << 40
)

// group is the part of a volume group's description that concerns one physical volume.
type group struct {
	name       string
	extentSize int64 // bytes
	start      int64 // of the first extent on this physical volume, bytes
	extents    int64 // on this physical volume
	devices    int   // physical volumes in the group
	missing    bool  // some of them were absent when it was last changed
	exported   bool
	volumes    []logical
}

// logical is one logical volume with a share in this physical volume.
type logical struct {
	name string
	// areas are its extents on this physical volume, bytes, in the order in
	// which they make up the logical volume where opaque is empty.
	areas []extent.Extent
	// opaque says, as a clause, why its content cannot be looked into; "" when
	// areas are the whole logical volume from its first byte to its last.
	opaque  string
	visible bool // one that users see, not one that others are made of
}

// parseGroup finds the physical volume with the UUID and the logical volumes on it.
func parseGroup(vg *node, uuid string) (*group, error) {
	g := &group{name: strings.ToValidUTF8(vg.key, "\uFFFD"), exported: vg.has("status", "EXPORTED")}
	sectors, err := vg.number("extent_size", maxSectors)
	if err != nil {
		return nil, err
	}
	g.extentSize = sectors * sectorSize
	own := ""
	pvs := vg.child("physical_volumes").children
	g.devices = len(pvs)
	for i := range pvs {
		g.missing = g.missing || pvs[i].has("flags", "MISSING") || pvs[i].has("status", "MISSING")
		if pvs[i].text("id") != uuid {
			continue
		}
		own = pvs[i].key
		if err := g.readDevice(&pvs[i]); err != nil {
			return nil, err
		}
	}
	if own == "" {
		return nil, errors.New("the volume group does not list this physical volume")
	}
	lvs := vg.child("logical_volumes").children
	parts := partNames(lvs)
	for i := range lvs {
		l, err := g.readLogical(&lvs[i], own)
		if err != nil {
			return nil, err
		}
		if parts[lvs[i].key] && l.opaque == "" {
			l.opaque = "other logical volumes are made of it or refer to it"
		}
		if len(l.areas) > 0 {
			g.volumes = append(g.volumes, l)
		}
	}
	return g, nil
}

func (g *group) readDevice(pv *node) error {
	start, err := pv.number("pe_start", maxSectors)
	if err != nil {
		return err
	}
	g.start = start * sectorSize
	g.extents, err = pv.number("pe_count", maxExtents)
	if err == nil && (g.extentSize == 0 || g.extents > (1<<62)/g.extentSize) {
		err = fmt.Errorf("%d extents of %d bytes are impossible", g.extents, g.extentSize)
	}
	return err
}

// partNames collects every word in the segments of the logical volumes: a volume
// that another one names there (as origin, pool, mirror image, copy-on-write
// store, ...) is not what its own content says. The origin of a snapshot, for
// one, holds blocks that are free to itself and in use by the snapshot.
func partNames(lvs []node) map[string]bool {
	names := map[string]bool{}
	for i := range lvs {
		for _, seg := range lvs[i].children {
			for _, field := range seg.children {
				for _, v := range field.values {
					names[v] = true
				}
			}
		}
	}
	return names
}

// readLogical collects what a logical volume has on the physical volume that
// the description calls own.
func (g *group) readLogical(lv *node, own string) (logical, error) {
	l := logical{name: strings.ToValidUTF8(lv.key, "\uFFFD"), visible: lv.has("status", "VISIBLE")}
	if !l.visible {
		l.opaque = "it is internal to LVM"
	}
	next := int64(0)
	for i := range lv.children {
		seg := &lv.children[i]
		if seg.children == nil {
			continue
		}
		start, err := seg.number("start_extent", maxExtents)
		if err != nil {
			return l, err
		}
		count, err := seg.number("extent_count", maxExtents)
		if err != nil {
			return l, err
		}
		switch seg.text("type") {
		case "striped", "linear":
			if l.opaque == "" && (start != next || len(seg.child("stripes").values) != 2 || seg.child("stripes").values[0] != own) {
				l.opaque = "it is striped, or partly on another physical volume"
			}
		default:
			l.opaque = fmt.Sprintf("it is of the type %q", seg.text("type"))
		}
		next = start + count
		if err := g.addAreas(&l, seg, count, own); err != nil {
			return l, err
		}
	}
	return l, g.settle(&l)
}

// settle makes areas safe to add up: those of an opaque volume are a set, those
// of any other cannot have more bytes than there are.
func (g *group) settle(l *logical) error {
	if l.opaque != "" {
		l.areas = extent.Of(l.areas...)
		return nil
	}
	left := g.extents * g.extentSize
	for _, a := range l.areas {
		if left -= a.Length; left < 0 {
			return fmt.Errorf("logical volume %s has more extents than the physical volume", l.name)
		}
	}
	return nil
}

// addAreas adds every place on the physical volume that a segment names, in
// whatever list: pairs of a device's name and its first extent.
func (g *group) addAreas(l *logical, seg *node, count int64, own string) error {
	if stripes, err := seg.number("stripe_count", maxExtents); err == nil && stripes > 1 && seg.text("type") == "striped" {
		count = (count + stripes - 1) / stripes
	}
	for _, field := range seg.children {
		for i := 0; i+1 < len(field.values); i++ {
			if field.values[i] != own {
				continue
			}
			first, err := strconv.ParseInt(field.values[i+1], 10, 64)
			if err != nil || first < 0 || first > g.extents {
				return fmt.Errorf("logical volume %s has extent %q of %d", l.name, field.values[i+1], g.extents)
			}
			if l.opaque == "" && count > g.extents-first {
				return fmt.Errorf("logical volume %s has %d extents at %d of %d", l.name, count, first, g.extents)
			}
			n := min(count, g.extents-first)
			l.areas = append(l.areas, extent.Extent{Start: g.start + first*g.extentSize, Length: n * g.extentSize})
		}
	}
	return nil
}
