package fit

import (
	"fmt"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// item is something that takes space on the disk: a partition, or the head of an
// extended one, its first boot record. Items are kept in the order of the disk.
// All lengths are whole sectors of the target.
type item struct {
	number  int           // of the partition
	head    bool          // of an extended partition
	logical bool          // inside one
	source  extent.Extent // on the source disk
	want    int64         // where it stays if it can; a place that the target can express
	lead    int64         // bytes of a boot record between it and what lies before
	pinned  bool          // a boot loader counts on its place

	role   role
	volume *Volume // nil for a head
	kind   string  // of the file system it gets

	length int64  // as planned so far
	base   int64  // what it has when nobody gives and nobody takes
	least  int64  // below which no file system of its kind is made
	most   int64  // how large it can become
	anew   string // a clause that says why its content is made anew; "" when it is not
}

// swap reports whether nothing in the item is kept.
func (it item) swap() bool { return !it.head && it.volume.Kind == "swap" }

// growable reports whether the item can become larger.
func (it item) growable() bool {
	switch {
	case it.head || it.swap():
		return false
	case it.anew != "":
		return it.kind != "fat12" && it.kind != "fat16"
	}
	return grows(it.kind)
}

// spared reports whether the item takes no part in growing and shrinking unless
// it is asked for, or nothing else is left.
func (it item) spared() bool { return it.head || it.role != ordinary }

// byTool is the length to which the format's tool can bring it, it.base when it
// cannot. What is made anew in any case needs no tool.
func (it item) byTool() int64 {
	switch {
	case it.head || it.swap():
		return it.base
	case it.anew != "":
		return it.byRebuild()
	case !Shrinks(it.kind) || it.volume.Smallest < 0:
		return it.base
	}
	return min(it.base, up(it.volume.Smallest+reserve(it.volume.Smallest), mib))
}

// byRebuild is the length to which it comes when its files are copied into a new
// file system, it.base when that is not possible.
func (it item) byRebuild() int64 {
	if it.head || !remade(it.kind) || it.volume.RebuildSize < 0 {
		return it.base
	}
	need := max(it.volume.RebuildSize+reserve(it.volume.RebuildSize), it.least)
	return min(it.base, up(need, mib))
}

// firstLogical is the number of the first logical partition of an MBR.
const firstLogical = 5

// newItem returns the item of partition p in a table of the given kind.
func newItem(kind part.Kind, p part.Partition, v *Volume, source, target Target, w wishes) (item, error) {
	it := item{number: p.Number, logical: kind == part.MBR && p.Number >= firstLogical, source: p.Extent(), role: roleOf(kind, p), volume: v, kind: v.Kind}
	if kind := w.FileSystems[p.Number]; kind != "" && v.Kind != "swap" {
		it.kind = kind
	}
	sector := int64(target.SectorSize)
	it.want, it.base = p.Start, up(p.Length, sector)
	if p.Start+p.Length == target.Size {
		it.base = p.Length // cut off by the end of the disk, in the middle of a sector
	}
	if it.want%sector != 0 {
		it.want = up(it.want, mib)
	}
	it.pinned = it.role == biosBoot && it.want == p.Start
	it.most = mostBytes(v, it.kind, target.SectorSize)
	it.least = leastBytes(it.kind, target.SectorSize)
	it.anew = madeAnew(it, source.SectorSize, target.SectorSize, w)
	if it.anew != "" {
		if !remade(it.kind) || v.RebuildSize < 0 {
			return it, &RefusedError{fmt.Sprintf("partition %d (%s) cannot land on this disk: it would have to be made anew, since %s, and that is not possible", it.number, v.Kind, it.anew)}
		}
		it.base = max(it.base, up(max(v.RebuildSize, it.least), mib))
	}
	it.length = it.base
	return it, nil
}

// madeAnew says why an item's content cannot be taken as it is, "" when it can.
func madeAnew(it item, old, size int, w wishes) string {
	v := it.volume
	switch {
	case v.Kind == "swap", it.role == msr, it.role == biosBoot, it.role == prep:
		return "" // without files; what a boot loader needs then is in Plan.Notes
	case v.Files:
		return "it was captured file by file"
	case it.kind != v.Kind:
		return fmt.Sprintf("it becomes %s", it.kind)
	case w.Rebuild[it.number]:
		return "that was asked for"
	case old != size && !survives(v, old, size):
		return fmt.Sprintf("it counts in sectors of %d bytes and the disk has sectors of %d bytes", old, size)
	}
	return ""
}

// up rounds n up to a multiple of grain.
func up(n, grain int64) int64 { return (n + grain - 1) / grain * grain }

// down rounds n down to a multiple of grain.
func down(n, grain int64) int64 { return n / grain * grain }
