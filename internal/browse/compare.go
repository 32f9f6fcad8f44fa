package browse

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/image"
)

// Change is what became of a thing from one image to the other.
type Change string

const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
)

// Difference is a thing that two images do not have alike.
type Difference struct {
	Whole     bool     `json:"disk,omitempty"` // it is about the disk and its table
	Partition int      `json:"partition"`      // 0: the image's one volume
	Path      string   `json:"path,omitempty"` // of a file, "/" being the volume's root; "": the disk, the partition or the volume itself
	Change    Change   `json:"change"`
	Dir       bool     `json:"directory,omitempty"` // with everything in it, where it was added or removed
	Details   []Detail `json:"details,omitempty"`   // of what was changed
}

// Detail is one property that was changed.
type Detail struct {
	What string `json:"what"`
	A    string `json:"a,omitempty"`
	B    string `json:"b,omitempty"`
}

// CompareOptions say how far a comparison goes.
type CompareOptions struct {
	Partitions []int // compare only these; empty: the disks and all their partitions
	Content    bool  // look at the bytes of files with the same size and time too
}

// Compare calls differ for everything in which image b is not as image a: in the
// order of partitions, in a partition in the order of names. Memory is that of the
// largest directories on the way to a file. Files with the same size and time of
// change are taken for the same unless opts.Content or their chunks tell otherwise.
// Times of directories are not compared: they change with every entry.
func Compare(ctx context.Context, a, b *Image, opts CompareOptions, differ func(Difference) error) error {
	c := &comparison{a: a, b: b, opts: opts, differ: differ}
	if len(opts.Partitions) == 0 {
		if err := c.disk(ctx); err != nil {
			return err
		}
	}
	for _, n := range opts.Partitions {
		_, inA := a.partition(n)
		if _, inB := b.partition(n); inA != nil && inB != nil {
			return inA
		}
	}
	return merge(a.Partitions(), b.Partitions(), func(p, q Partition) int { return cmp.Compare(p.Number, q.Number) }, func(p, q *Partition) error {
		switch {
		case !c.wanted(p) && !c.wanted(q):
			return nil
		case p == nil:
			return differ(Difference{Partition: q.Number, Change: Added})
		case q == nil:
			return differ(Difference{Partition: p.Number, Change: Removed})
		}
		return c.partition(ctx, *p, *q)
	})
}

// merge calls do for the elements of two sorted lists, those that are equal
// together; nil stands for an element that one list lacks.
func merge[T any](a, b []T, order func(x, y T) int, do func(x, y *T) error) error {
	for len(a) > 0 || len(b) > 0 {
		var x, y *T
		o := 0
		switch {
		case len(a) == 0:
			o = 1
		case len(b) == 0:
			o = -1
		default:
			o = order(a[0], b[0])
		}
		if o <= 0 {
			x, a = &a[0], a[1:]
		}
		if o >= 0 {
			y, b = &b[0], b[1:]
		}
		if err := do(x, y); err != nil {
			return err
		}
	}
	return nil
}

// comparison is a Compare that is going on.
type comparison struct {
	a, b   *Image
	opts   CompareOptions
	differ func(Difference) error
	chunks [2]chunkFinder // of the volumes that are being compared
}

func (c *comparison) wanted(p *Partition) bool {
	return p != nil && (len(c.opts.Partitions) == 0 || slices.Contains(c.opts.Partitions, p.Number))
}

// details collects the properties that are not the same.
type details []Detail

func (d *details) add(what string, a, b any) {
	if a != b {
		*d = append(*d, Detail{what, fmt.Sprint(a), fmt.Sprint(b)})
	}
}

// disk compares the disks, their tables, and what lies between partitions.
func (c *comparison) disk(ctx context.Context) error {
	var d details
	ma, mb := c.a.manifest, c.b.manifest
	d.add("size", ma.Disk.Size, mb.Disk.Size)
	d.add("sector size", ma.Disk.SectorSize, mb.Disk.SectorSize)
	ta, tb := tableOf(ma), tableOf(mb)
	d.add("table", ta.kind, tb.kind)
	d.add("table ID", ta.id, tb.id)
	var gapsA, gapsB []int
	for _, g := range []struct {
		m    *image.Manifest
		gaps *[]int
	}{{ma, &gapsA}, {mb, &gapsB}} {
		for i, r := range g.m.Regions {
			if r.Volume == nil {
				*g.gaps = append(*g.gaps, i)
			}
		}
	}
	order := func(i, j int) int { return cmp.Compare(ma.Regions[i].Start, mb.Regions[j].Start) }
	err := merge(gapsA, gapsB, order, func(i, j *int) error {
		if i == nil || j == nil {
			return nil // what partitions take is theirs
		}
		n, err := differentBytes(ctx, c.a, *i, c.b, *j)
		if n > 0 {
			d = append(d, Detail{What: fmt.Sprintf("%d bytes between partitions at %#x", n, ma.Regions[*i].Start)})
		}
		return err
	})
	if err != nil || len(d) == 0 {
		return err
	}
	return c.differ(Difference{Whole: true, Change: Changed, Details: d})
}

type table struct{ kind, id string }

func tableOf(m *image.Manifest) table {
	if m.Table == nil {
		return table{"none", ""}
	}
	return table{string(m.Table.Kind), m.Table.ID}
}
