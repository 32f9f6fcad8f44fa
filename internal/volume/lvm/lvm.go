// Package lvm reads LVM2 physical volumes.
//
// It owns the label, the metadata areas and the text in them that says which
// extents belong to which logical volume. Free extents are left out. A logical
// volume that lies on this physical volume alone and is of the plain (linear)
// kind is looked into with the formats given to New, and contributes its own used
// map; anything else (striped, RAID, mirror, thin, cache, snapshots and their
// origins, content that no format knows) is taken whole, and a note says so. The
// package needs no device-mapper. When the metadata cannot be trusted the whole
// physical volume is its used map. Callers start with New.
//
// Source: LVM2's lib/format_text/layout.h, lib/label/label.h, man lvmsystemid,
// man vgcfgbackup; each structure is described where it is decoded.
package lvm

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// kind is Info.Kind of a physical volume.
const kind = "lvm2"

type format struct{ formats []volume.Format }

var _ volume.Format = format{}

// New returns the reader of LVM2 physical volumes. The formats are tried, in
// order, on the content of each logical volume.
func New(formats []volume.Format) volume.Format { return format{formats} }

func (format) Name() string { return "lvm" }

func (format) Recognise(r block.Reader) (bool, error) {
	sector, _, err := findLabel(r)
	return sector != nil, err
}

func (f format) Open(ctx context.Context, r block.Reader) (volume.Volume, error) {
	sector, number, err := findLabel(r)
	if err != nil {
		return nil, err
	}
	if sector == nil {
		return nil, &volume.DamageError{Kind: kind, What: "label", Offset: 0, Why: "there is none in the first four sectors"}
	}
	l, err := parseLabel(sector, number, r.Size())
	if err != nil {
		return nil, err
	}
	p := &physical{info: describe(l, r.Size()), label: l}
	vg, err := readMetadata(r, l.metadata)
	if err == nil {
		err = p.readGroup(vg, l.uuid)
	}
	if err != nil {
		p.withoutGroup(err)
		return p, nil
	}
	if err := p.openMembers(ctx, r, f.formats); err != nil {
		return nil, err
	}
	return p, nil
}

func describe(l label, size int64) volume.Info {
	info := volume.Info{Kind: kind, UUID: l.uuid, Size: size, Used: -1}
	if l.deviceSize > uint64(size) {
		info.Notes = append(info.Notes, fmt.Sprintf("The physical volume was made for %d bytes, there are %d.", l.deviceSize, size))
	} else if l.deviceSize > 0 {
		info.Size = int64(l.deviceSize)
	}
	return info
}

// readGroup takes over the description of the volume group.
func (p *physical) readGroup(vg *node, uuid string) error {
	g, err := parseGroup(vg, uuid)
	if err != nil {
		return err
	}
	if g.start+g.extents*g.extentSize > p.info.Size {
		return fmt.Errorf("its %d extents end behind the volume", g.extents)
	}
	p.group = g
	p.info.Label, p.info.BlockSize = g.name, g.extentSize
	if g.devices > 1 {
		p.note("Volume group %s lies on %d physical volumes: an image of one is useful only beside images of the others, captured at the same time.", g.name, g.devices)
	}
	if g.missing {
		p.note("Volume group %s was last changed while a physical volume was missing.", g.name)
	}
	if g.exported {
		p.note("Volume group %s is exported: 'vgimport' comes before its use.", g.name)
	}
	return nil
}

// withoutGroup settles what is used when there is no description of the group.
func (p *physical) withoutGroup(err error) {
	switch {
	case errors.Is(err, errNoGroup) && !p.label.used:
		p.note("It belongs to no volume group.")
		return
	case errors.Is(err, errNoGroup), errors.Is(err, errIgnored):
		p.note("The metadata of its volume group is kept on other physical volumes, so all of it is captured.")
	default:
		p.info.Refusals = []volume.Refusal{{
			Reason:   volume.Damaged,
			What:     "no copy of its metadata can be used: " + err.Error(),
			Do:       "Restore it with 'vgcfgrestore', or capture all of the volume as it is with --allow-dirty.",
			Waivable: true,
		}}
	}
	p.whole = true
}

func (p *physical) note(format string, args ...any) {
	p.info.Notes = append(p.info.Notes, fmt.Sprintf(format, args...))
}

// own is what belongs to no logical volume: everything before the first extent,
// the metadata areas (there may be one at the end) and the bootloader area.
func (p *physical) own() extent.List {
	const labelEnd = scanSectors * sectorSize
	areas := []extent.Extent{{Length: labelEnd}}
	if p.group != nil {
		areas = append(areas, extent.Extent{Length: p.group.start})
	}
	areas = append(append(areas, p.label.metadata...), p.label.bootloader...)
	return extent.Of(areas...)
}
