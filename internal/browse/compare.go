package browse

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
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
	pa, pb := a.Partitions(), b.Partitions()
	for _, n := range opts.Partitions {
		if !slices.ContainsFunc(append(pa, pb...), func(p Partition) bool { return p.Number == n }) {
			_, err := a.partition(n)
			return err
		}
	}
	return merge(pa, pb, func(p, q Partition) int { return cmp.Compare(p.Number, q.Number) }, func(p, q *Partition) error {
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

// partition compares two partitions and the volumes on them.
func (c *comparison) partition(ctx context.Context, p, q Partition) error {
	var d details
	d.add("start", p.Start, q.Start)
	d.add("size", p.Size, q.Size)
	d.add("type", p.Type, q.Type)
	d.add("name", p.Name, q.Name)
	d.add("ID", p.ID, q.ID)
	d.add("flags", fmt.Sprintf("%#x", p.Flags), fmt.Sprintf("%#x", q.Flags))
	d.add("kind", p.Kind, q.Kind)
	d.add("label", p.Label, q.Label)
	d.add("UUID", p.UUID, q.UUID)
	d.add("size of the volume", p.Volume.Size, q.Volume.Size)
	same := c.sameMap(p, q)
	reachable := p.reachable() && q.reachable()
	if !same && !reachable {
		d.add("reachable files", p.reachable(), q.reachable())
		if p.blocks >= 0 && q.blocks >= 0 {
			n, err := differentBytes(ctx, c.a, p.blocks, c.b, q.blocks)
			if err != nil {
				return err
			}
			if n > 0 {
				d = append(d, Detail{What: fmt.Sprintf("%d bytes of content", n)})
			}
		}
	}
	if len(d) > 0 {
		if err := c.differ(Difference{Partition: p.Number, Change: Changed, Details: d}); err != nil {
			return err
		}
	}
	if same || !reachable {
		return nil
	}
	return c.trees(ctx, p.Number)
}

// sameMap reports whether two volumes have the same bytes by their maps.
func (c *comparison) sameMap(p, q Partition) bool {
	for _, pair := range [][2]int{{p.blocks, q.blocks}, {p.listing, q.listing}, {p.contents, q.contents}} {
		if (pair[0] < 0) != (pair[1] < 0) {
			return false
		}
		if pair[0] >= 0 && !equalMaps(&c.a.manifest.Regions[pair[0]], &c.b.manifest.Regions[pair[1]]) {
			return false
		}
	}
	return true
}

func equalMaps(r, s *image.Region) bool { return r.Size == s.Size && slices.Equal(r.Map, s.Map) }

// NeedsMounts reports whether a comparison mounts volumes.
func NeedsMounts(a, b *Image, opts CompareOptions) bool {
	c := &comparison{a: a, b: b, opts: opts}
	for _, p := range a.Partitions() {
		q, err := b.partition(p.Number)
		if err == nil && c.wanted(&p) && p.reachable() && q.reachable() && (p.Mounted() || q.Mounted()) && !c.sameMap(p, q) {
			return true
		}
	}
	return false
}

// trees compares the files of two volumes.
func (c *comparison) trees(ctx context.Context, n int) error {
	a, err := c.a.Volume(ctx, n)
	if err != nil {
		return err
	}
	b, err := c.b.Volume(ctx, n)
	if err != nil {
		return err
	}
	c.chunks = [2]chunkFinder{c.a.chunksOf(n), c.b.chunksOf(n)}
	ea, err := a.Lstat("")
	if err != nil {
		return err
	}
	eb, err := b.Lstat("")
	if err != nil {
		return err
	}
	return c.pair(ctx, pairOf{a, b, n}, "", &ea, &eb)
}

// pairOf are the trees that are being compared.
type pairOf struct {
	a, b      *Tree
	partition int
}

// pair compares two files of one name, and what is below them.
func (c *comparison) pair(ctx context.Context, t pairOf, name string, a, b *Entry) error {
	d, err := c.entries(ctx, t, name, a, b)
	if err != nil {
		return err
	}
	if len(d) > 0 {
		if err := c.differ(Difference{Partition: t.partition, Path: "/" + name, Change: Changed, Dir: a.IsDir() && b.IsDir(), Details: d}); err != nil {
			return err
		}
	}
	if !a.IsDir() || !b.IsDir() {
		return nil
	}
	return c.directory(ctx, t, name)
}

func (c *comparison) directory(ctx context.Context, t pairOf, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ea, err := t.a.ReadDir(name)
	if err != nil {
		return err
	}
	eb, err := t.b.ReadDir(name)
	if err != nil {
		return err
	}
	return merge(ea, eb, func(x, y Entry) int { return cmp.Compare(x.Name, y.Name) }, func(x, y *Entry) error {
		switch {
		case x == nil:
			return c.differ(Difference{Partition: t.partition, Path: "/" + join(name, y.Name), Change: Added, Dir: y.IsDir()})
		case y == nil:
			return c.differ(Difference{Partition: t.partition, Path: "/" + join(name, x.Name), Change: Removed, Dir: x.IsDir()})
		}
		return c.pair(ctx, t, join(name, x.Name), x, y)
	})
}

// entries compares what two files are; of regular ones their bytes too.
func (c *comparison) entries(ctx context.Context, t pairOf, name string, a, b *Entry) (details, error) {
	var d details
	if a.Mode.Type() != b.Mode.Type() {
		d.add("type", TypeOf(a.Mode), TypeOf(b.Mode))
		return d, nil
	}
	d.add("mode", Permissions(a.Mode), Permissions(b.Mode))
	d.add("owner", fmt.Sprintf("%d:%d", a.UID, a.GID), fmt.Sprintf("%d:%d", b.UID, b.GID))
	d.add("target", a.Target, b.Target)
	d.add("device", fmt.Sprintf("%d:%d", a.Major, a.Minor), fmt.Sprintf("%d:%d", b.Major, b.Minor))
	if a.IsDir() {
		return d, nil
	}
	d.add("time", a.Mtime.UTC().Format(timeFormat), b.Mtime.UTC().Format(timeFormat))
	d.add("size", a.Size, b.Size)
	if !a.Mode.IsRegular() || a.Size != b.Size || a.Size == 0 {
		return d, nil
	}
	same, err := c.sameBytes(ctx, t, name, a.Mtime.Equal(b.Mtime) && !c.opts.Content)
	if err == nil && !same {
		d = append(d, Detail{What: "content"})
	}
	return d, err
}

const timeFormat = "2006-01-02T15:04:05.999999999Z"

// Permissions are the permission bits of a mode with set-user-ID, set-group-ID
// and sticky bit, in octal.
func Permissions(m fs.FileMode) string {
	bits := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return fmt.Sprintf("%04o", bits)
}
