package extent

// DefaultLimit bounds a Builder whose Limit is 0: 2^20 extents are 16 MiB.
const DefaultLimit = 1 << 20

// Builder collects extents that arrive in ascending order of Start (they may
// touch or overlap) into a List of bounded length.
//
// When more than Limit extents are collected, the smallest gaps are closed, so
// the result becomes a superset of what was added. That is the safe side for a
// used map (some free blocks are captured too) and keeps a hostile or badly
// fragmented bitmap from sizing our memory.
type Builder struct {
	Limit int // most extents kept; 0 means DefaultLimit

	list  List
	gap   int64 // gaps up to this many bytes are closed
	bytes int64
}

// Add appends [start, start+length). It panics when start lies before the start
// of the extent added last: the order is the caller's contract.
func (b *Builder) Add(start, length int64) {
	if length <= 0 {
		return
	}
	n := len(b.list)
	if n == 0 {
		b.list, b.bytes = append(b.list, Extent{start, length}), length
		return
	}
	last := &b.list[n-1]
	if start < last.Start {
		panic("extent: Builder.Add out of order")
	}
	end := start + length
	b.bytes += max(0, end-max(start, last.End()))
	if start <= last.End()+b.gap {
		last.Length = max(last.End(), end) - last.Start
		return
	}
	b.list = append(b.list, Extent{start, length})
	if limit := b.limit(); len(b.list) > limit {
		b.closeGaps(limit)
	}
}

func (b *Builder) limit() int {
	if b.Limit > 0 {
		return b.Limit
	}
	return DefaultLimit
}

// closeGaps doubles the gap that is closed until at most half of limit is left,
// so that its cost is spread over many additions.
func (b *Builder) closeGaps(limit int) {
	for b.gap = max(b.gap, 512); len(b.list) > max(1, limit/2); b.gap *= 2 {
		out := b.list[:1]
		for _, e := range b.list[1:] {
			last := &out[len(out)-1]
			if e.Start <= last.End()+b.gap {
				last.Length = e.End() - last.Start
				continue
			}
			out = append(out, e)
		}
		b.list = out
	}
}

// Bytes is the number of distinct bytes added, without closed gaps: the figure
// to hold against a superblock's counter.
func (b *Builder) Bytes() int64 { return b.bytes }

// List returns the canonical list; the Builder must not be used afterwards.
func (b *Builder) List() List { return b.list }
