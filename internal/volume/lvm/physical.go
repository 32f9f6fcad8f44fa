package lvm

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/raw"
)

// maxMembers bounds how many logical volumes are looked into.
const maxMembers = 1024

// physical is an opened physical volume.
type physical struct {
	info    volume.Info
	label   label
	group   *group // nil when there is none, or none that can be read
	whole   bool   // all of it is used
	members []member
}

// member is one logical volume's share of the physical volume.
type member struct {
	name  string // "vg0/root"
	areas []extent.Extent
	inner volume.Volume
	shown bool // among Children
}

var (
	_ volume.Volume    = (*physical)(nil)
	_ volume.Container = (*physical)(nil)
	_ volume.Omitter   = (*physical)(nil)
)

func (p *physical) Info() volume.Info { return p.info }

// openMembers looks into the logical volumes and gathers what they have to say.
func (p *physical) openMembers(ctx context.Context, r block.Reader, formats []volume.Format) error {
	used := p.own().Bytes()
	for i, l := range p.group.volumes {
		if i >= maxMembers && l.opaque == "" {
			l.opaque = fmt.Sprintf("there are more than %d logical volumes", maxMembers)
		}
		m, err := p.openMember(ctx, l, newConcat(r, l.areas), formats)
		if err != nil {
			return fmt.Errorf("logical volume %s: %w", m.name, err)
		}
		p.members = append(p.members, m)
		used += p.gather(m)
	}
	slices.SortStableFunc(p.info.Refusals, worstFirst)
	p.info.Used = min(used, p.info.Size)
	return nil
}

func (p *physical) openMember(ctx context.Context, l logical, content block.Reader, formats []volume.Format) (member, error) {
	m := member{name: p.group.name + "/" + l.name, areas: l.areas, shown: l.visible}
	why := l.opaque
	if why == "" {
		var err error
		if m.inner, why, err = recognise(ctx, content, formats); err != nil {
			return m, err
		}
	}
	if why != "" {
		m.inner = raw.Everything(content.Size())
		p.note("%s is captured whole: %s.", m.name, why)
	}
	return m, nil
}

// gather passes on a logical volume's refusals and notes under its name, and
// returns the bytes it counts as used.
func (p *physical) gather(m member) int64 {
	inner := m.inner.Info()
	for _, refusal := range inner.Refusals {
		refusal.What = m.name + ": " + refusal.What
		p.info.Refusals = append(p.info.Refusals, refusal)
	}
	for _, n := range inner.Notes {
		p.note("%s: %s", m.name, n)
	}
	if inner.Used >= 0 {
		return inner.Used
	}
	return inner.Size
}

// worstFirst puts refusals that cannot be waived before the others.
func worstFirst(a, b volume.Refusal) int {
	switch {
	case a.Waivable == b.Waivable:
		return 0
	case a.Waivable:
		return 1
	}
	return -1
}

// recognise opens the content of a logical volume; why says what prevents it.
func recognise(ctx context.Context, content block.Reader, formats []volume.Format) (inner volume.Volume, why string, err error) {
	for _, f := range formats {
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		ok, err := f.Recognise(content)
		if err != nil {
			return nil, "", err
		}
		if !ok {
			continue
		}
		v, err := f.Open(ctx, content)
		var damage *volume.DamageError
		if errors.As(err, &damage) {
			return nil, err.Error(), nil
		}
		return v, "", err
	}
	return nil, "its content is unknown", nil
}

// Used returns LVM's own areas and the used maps of the logical volumes.
func (p *physical) Used(ctx context.Context) (extent.List, error) {
	if err := p.info.Blocking(); err != nil {
		return nil, err
	}
	if p.whole {
		return extent.Of(extent.Extent{Length: p.info.Size}), nil
	}
	all := p.own()
	for _, m := range p.members {
		used, err := m.inner.Used(ctx)
		if err != nil {
			return nil, fmt.Errorf("logical volume %s: %w", m.name, err)
		}
		all = all.Union(m.onDevice(used))
	}
	return all, nil
}

// Omit passes on what the volumes inside can do without.
func (p *physical) Omit(ctx context.Context) ([]volume.Omission, error) {
	var out []volume.Omission
	for _, m := range p.members {
		o, ok := m.inner.(volume.Omitter)
		if !ok {
			continue
		}
		omissions, err := o.Omit(ctx)
		if err != nil {
			return nil, fmt.Errorf("logical volume %s: %w", m.name, err)
		}
		for _, om := range omissions {
			out = append(out, volume.Omission{Name: m.name + ": " + om.Name, Extents: m.onDevice(om.Extents)})
		}
	}
	return out, nil
}

func (p *physical) Children() []volume.Child {
	var out []volume.Child
	for _, m := range p.members {
		if m.shown {
			out = append(out, volume.Child{Name: m.name, Info: m.inner.Info()})
		}
	}
	return out
}

// onDevice translates ranges of the logical volume to the physical volume.
func (m member) onDevice(l extent.List) extent.List {
	var out []extent.Extent
	at := int64(0)
	for _, a := range m.areas {
		for _, e := range l.Clip(extent.Extent{Start: at, Length: a.Length}) {
			out = append(out, extent.Extent{Start: a.Start + e.Start - at, Length: e.Length})
		}
		at += a.Length
	}
	return extent.Of(out...)
}
