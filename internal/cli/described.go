package cli

import (
	"context"
	"errors"

	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// described is a disk as 'disks' and 'inspect' show it.
type described struct {
	Path           string            `json:"path"`
	Name           string            `json:"name"`
	Vendor         string            `json:"vendor,omitempty"`
	Model          string            `json:"model,omitempty"`
	Serial         string            `json:"serial,omitempty"`
	WWN            string            `json:"wwn,omitempty"`
	Transport      string            `json:"transport,omitempty"`
	Backing        string            `json:"backing,omitempty"`
	Size           int64             `json:"bytes"`
	Sector         int               `json:"sectorSize"`
	PhysicalSector int               `json:"physicalSector"`
	Removable      bool              `json:"removable,omitempty"`
	ReadOnly       bool              `json:"readOnly,omitempty"`
	Rotational     bool              `json:"rotational,omitempty"`
	Error          string            `json:"error,omitempty"`      // why it could not be read; the rest is then missing
	Unfinished     string            `json:"unfinished,omitempty"` // what a deploy was putting there when it was interrupted
	Table          part.Kind         `json:"table,omitempty"`
	TableID        string            `json:"tableID,omitempty"`
	Findings       []string          `json:"findings,omitempty"`
	Uses           []string          `json:"uses,omitempty"`
	Volumes        []describedVolume `json:"volumes,omitempty"`
	Gaps           []extent.Extent   `json:"gaps,omitempty"`
}

// describedVolume is one partition and what it holds.
type describedVolume struct {
	Partition int               `json:"partition,omitempty"`
	Start     int64             `json:"start"`
	Size      int64             `json:"bytes"`
	Type      string            `json:"type,omitempty"`
	ID        string            `json:"id,omitempty"`
	Name      string            `json:"name,omitempty"`
	Flags     uint64            `json:"flags,omitempty"`
	Kind      string            `json:"kind"`
	Label     string            `json:"label,omitempty"`
	UUID      string            `json:"uuid,omitempty"`
	BlockSize int64             `json:"blockSize,omitempty"`
	Holds     int64             `json:"volumeBytes"`
	Used      *int64            `json:"usedBytes,omitempty"` // nil: not known
	Extents   int               `json:"usedExtents,omitempty"`
	Clean     bool              `json:"clean"`
	Damage    string            `json:"damage,omitempty"`
	Refusals  []volume.Refusal  `json:"refusals,omitempty"`
	Uses      []string          `json:"uses,omitempty"`
	Omitted   []image.Omission  `json:"omitted,omitempty"`
	Children  []describedVolume `json:"children,omitempty"`
	Notes     []string          `json:"notes,omitempty"`
}

// describe tells what a disk is and holds. What cannot be read of it is said in
// its Error.
func describe(ctx context.Context, d host.Disk) described {
	out := describeHardware(d)
	src, err := host.OpenSource(d.Path, host.SourceOptions{})
	if err == nil {
		defer src.Close()
		_, err = out.look(ctx, src, false)
	}
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

func describeHardware(d host.Disk) described {
	return described{
		Path: d.Path, Name: d.Name, Vendor: d.Vendor, Model: d.Model, Serial: d.Serial, WWN: d.WWN, Transport: d.Transport, Backing: d.Backing,
		Size: d.Size, Sector: d.LogicalSector, PhysicalSector: d.PhysicalSector, Removable: d.Removable, ReadOnly: d.ReadOnly, Rotational: d.Rotational,
	}
}

// look fills in what the disk holds. deep reads every used map.
func (out *described) look(ctx context.Context, src *host.Source, deep bool) (*survey.Disk, error) {
	uses, err := host.InUse(src.Path())
	if err != nil {
		return nil, err
	}
	out.Uses = sentences(uses)
	if out.Unfinished, err = deploy.Unfinished(src); err != nil {
		return nil, err
	}
	disk, err := survey.Look(ctx, src, all.Formats())
	if err != nil {
		return nil, err
	}
	out.Table, out.TableID, out.Findings, out.Gaps = disk.Table.Kind, disk.Table.ID, disk.Table.Findings, disk.Gaps
	for _, v := range disk.Volumes {
		d := describeVolume(v)
		d.Uses = usesOf(src.Path(), v, uses)
		if err := d.measure(ctx, v, deep); err != nil {
			return nil, err
		}
		out.Volumes = append(out.Volumes, d)
	}
	return disk, nil
}

func describeVolume(v survey.Volume) describedVolume {
	p := v.Partition
	d := describeInfo(v.Info)
	d.Partition, d.Start, d.Size, d.Type, d.ID, d.Name, d.Flags = p.Number, p.Start, p.Length, p.Type, p.ID, p.Name, p.Flags
	if v.Damage != nil {
		d.Damage, d.Clean = v.Damage.Error(), false
	}
	if c, ok := v.Volume.(volume.Container); ok {
		for _, child := range c.Children() {
			inner := describeInfo(child.Info)
			inner.Name = child.Name
			d.Children = append(d.Children, inner)
		}
	}
	return d
}

func describeInfo(i volume.Info) describedVolume {
	d := describedVolume{
		Kind: i.Kind, Label: i.Label, UUID: i.UUID, BlockSize: i.BlockSize, Holds: i.Size, Clean: i.Clean(), Refusals: i.Refusals, Notes: i.Notes,
	}
	if i.Used >= 0 {
		d.Used = &i.Used
	}
	return d
}

// measure reads the used map: always when deep, else where the format has no
// counter of its own. A map that cannot be had leaves the count out; why is among
// the refusals, or becomes the damage.
func (d *describedVolume) measure(ctx context.Context, v survey.Volume, deep bool) error {
	if d.Used != nil && !deep || v.Info.Blocking() != nil || v.Damage != nil {
		return nil
	}
	used, err := v.Volume.Used(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		d.Damage, d.Clean = err.Error(), false
		return nil
	}
	bytes := used.Bytes()
	d.Used = &bytes
	if !deep {
		return nil
	}
	d.Extents = len(used)
	o, ok := v.Volume.(volume.Omitter)
	if !ok {
		return nil
	}
	omissions, err := o.Omit(ctx)
	for _, om := range omissions {
		d.Omitted = append(d.Omitted, image.Omission{Name: om.Name, Bytes: om.Extents.Bytes()})
	}
	return err
}

// usesOf says who uses a volume: of a partition that has a device of its own,
// who uses that.
func usesOf(disk string, v survey.Volume, ofDisk []host.Use) []string {
	if v.Partition.Number == 0 {
		return sentences(ofDisk)
	}
	uses, err := host.InUse(host.PartitionPath(disk, v.Partition.Number))
	if errors.As(err, new(*host.NotFoundError)) {
		return nil
	}
	if err != nil {
		return []string{err.Error()}
	}
	return sentences(uses)
}

func sentences(uses []host.Use) []string {
	var all []string
	for _, u := range uses {
		all = append(all, u.String())
	}
	return all
}
