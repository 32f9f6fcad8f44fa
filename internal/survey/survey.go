// Package survey tells what is on a disk: its table, the volume in each
// partition, and the space between partitions.
//
// Look is the one entry. It reads, and judges nothing: what stands against
// capturing a volume is in the volume's Info. Trouble with one partition is kept
// with that partition and never fails the disk.
package survey

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/raw"
)

// Disk is what Look found.
type Disk struct {
	Table   part.Table
	Volumes []Volume        // one for each partition that is not an extended one, ascending; one for a disk without table
	Gaps    []extent.Extent // space in no partition, without the table's own, ascending
}

// Volume is one partition and what it holds.
type Volume struct {
	Partition part.Partition // Number 0: the whole disk, which has no table
	Window    block.Reader   // the partition's bytes
	Volume    volume.Volume  // volume/raw for what no format recognises
	Info      volume.Info    // of Volume
	Damage    error          // why a recognised volume could not be opened; Volume is then volume/raw
}

// Start is where the volume begins on the disk, in bytes.
func (v Volume) Start() int64 { return v.Partition.Start }

// Look surveys r with the given formats, which are tried in order.
func Look(ctx context.Context, r block.Reader, formats []volume.Format) (*Disk, error) {
	t, err := tables.Read(r)
	if err != nil {
		return nil, err
	}
	d := &Disk{Table: t, Gaps: t.Gaps()}
	partitions := t.Partitions
	if t.Kind == part.None {
		partitions = []part.Partition{{Length: r.Size()}}
	}
	for _, p := range partitions {
		if p.Extended {
			continue
		}
		window, err := block.Section(r, p.Start, p.Length)
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", p.Number, err)
		}
		v := Open(ctx, window, formats)
		v.Partition = p
		d.Volumes = append(d.Volumes, v)
	}
	return d, ctx.Err()
}

// Open recognises and opens the one volume in r.
func Open(ctx context.Context, r block.Reader, formats []volume.Format) Volume {
	v, err := open(ctx, r, formats)
	if err != nil || v == nil {
		unknown := raw.Everything(r.Size())
		return Volume{Window: r, Volume: unknown, Info: unknown.Info(), Damage: err}
	}
	return Volume{Window: r, Volume: v, Info: v.Info()}
}

// open returns nil without an error when no format is at home here.
func open(ctx context.Context, r block.Reader, formats []volume.Format) (volume.Volume, error) {
	for _, f := range formats {
		ok, err := f.Recognise(r)
		if err != nil {
			return nil, fmt.Errorf("look for %s: %w", f.Name(), err)
		}
		if ok {
			return f.Open(ctx, r)
		}
	}
	return nil, nil
}
