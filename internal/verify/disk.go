package verify

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/progress"
)

// Difference is a part of a disk that is not as the image says.
type Difference struct {
	Where string `json:"where"` // region, or "partition table"
	Bytes int64  `json:"bytes"` // in chunks that differ somewhere
	First int64  `json:"first"` // offset of the first of them on the disk
}

func (d *Difference) add(at, n int64) {
	if d.Bytes == 0 || at < d.First {
		d.First = at
	}
	d.Bytes += n
}

// DifferenceError says that a disk is not what an image says.
type DifferenceError struct {
	Differences []Difference
}

func (e *DifferenceError) Error() string {
	s := "the disk differs from the image:"
	for _, d := range e.Differences {
		s += fmt.Sprintf("\n%s: %d bytes, the first at %#x", d.Where, d.Bytes, d.First)
	}
	return s
}

// Disk compares what an image says with what a disk holds: the table as it would
// be written to a disk of this size, and every byte that a deploy writes. Free
// space is not compared. It returns a *DifferenceError when they differ.
func Disk(ctx context.Context, src content.Source, table *part.Table, places []content.Place, disk block.Reader, work *progress.Work) error {
	regions := src.Regions()
	found := make([]Difference, len(places))
	stages := make([]*progress.Stage, len(places))
	for i, p := range places {
		r := &regions[p.Region]
		found[i].Where = r.Title()
		stages[i] = work.Region(r.Title(), r.Data, r.Volume == nil)
	}
	var mu sync.Mutex
	err := content.Compare(ctx, src, places, block.Watch(disk, &work.Disk), func(t content.Task) {
		stages[t.Place].Add(t.Piece.Data())
	}, func(t content.Task, e image.Entry) error {
		mu.Lock()
		defer mu.Unlock()
		found[t.Place].add(places[t.Place].At+e.Offset, e.Length)
		return nil
	})
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(d Difference) bool { return d.Bytes == 0 })
	if table != nil {
		d, err := tableDifference(*table, disk)
		if err != nil {
			return err
		}
		found = slices.Concat(d, found)
	}
	if len(found) > 0 {
		return &DifferenceError{found}
	}
	return nil
}

func tableDifference(t part.Table, disk block.Reader) ([]Difference, error) {
	writes, err := tables.Encode(t, disk.Size())
	if err != nil {
		return nil, err
	}
	d := Difference{Where: "partition table"}
	for _, w := range writes {
		have := make([]byte, len(w.Data))
		if err := block.ReadFull(disk, have, w.Offset); err != nil {
			return nil, fmt.Errorf("compare partition table: %w", err)
		}
		if !bytes.Equal(have, w.Data) {
			d.add(w.Offset, int64(len(w.Data)))
		}
	}
	if d.Bytes == 0 {
		return nil, nil
	}
	return []Difference{d}, nil
}
