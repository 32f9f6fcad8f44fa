package files

import (
	"strings"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// one reads an entry.
func (p *parser) one(l *Listing) Entry {
	bits := p.number(knownBits, "what it has")
	e := Entry{Type: Type(bits & (1<<typeBits - 1)), Name: string(p.bytes(maxName, "its name"))}
	if e.Type == Link {
		p.link(l, &e, bits)
		return e
	}
	e.Mode = uint16(p.number(0o7777, "its mode"))
	e.UID = uint32(p.number(1<<32-1, "its owner"))
	e.GID = uint32(p.number(1<<32-1, "its group"))
	e.Mtime = p.time()
	if e.Atime = e.Mtime; bits&hasAtime != 0 {
		e.Atime = p.time()
	}
	if bits&hasFlags != 0 {
		e.Flags = uint32(p.number(1<<32-1, "its flags"))
	}
	if bits&hasAttrs != 0 {
		e.Attrs = uint32(p.number(uint64(len(l.Sets)-1), "its set of attributes"))
	}
	more := More{Subvolume: bits&isSubvolume != 0, ReadOnly: bits&isReadOnly != 0, Reserved: bits&isReserved != 0}
	if bits&hasTimes != 0 {
		more.Times = &NTFSTimes{p.time(), p.time()}
	}
	p.body(&e, &more)
	if bits&hasStreams != 0 {
		more.Streams = p.streams(&e)
	}
	if bits&(hasTimes|hasStreams|isSubvolume|isReadOnly|isReserved) != 0 || more.Target != "" || e.Type == CharDevice || e.Type == BlockDevice {
		e.More = &more
	}
	return e
}

// link reads the number of the file whose other name e is.
func (p *parser) link(l *Listing, e *Entry, bits uint64) {
	to := p.number(maxEntries, "what it is a link to")
	if bits != uint64(Link) || to >= uint64(len(l.Entries)) || l.Entries[to].Type == Dir || l.Entries[to].Type == Link {
		p.fail("it is a hard link to entry %d, which cannot be", to)
		return
	}
	e.More = &More{Link: int32(to)}
}

// body reads what each type has of its own.
func (p *parser) body(e *Entry, more *More) {
	switch e.Type {
	case Dir:
		e.Count = int32(p.number(maxEntries, "the number of its entries"))
	case File:
		e.Data = p.data()
	case Symlink:
		more.Target = string(p.bytes(maxTarget, "its target"))
		if more.Target == "" || strings.IndexByte(more.Target, 0) >= 0 {
			p.fail("a link cannot lead to %q", more.Target)
		}
	case CharDevice, BlockDevice:
		more.Major, more.Minor = uint32(p.number(1<<32-1, "its major number")), uint32(p.number(1<<32-1, "its minor number"))
	case FIFO, Socket:
	default:
		p.fail("this program does not know %v", e.Type)
	}
	if more.Subvolume && e.Type != Dir || more.ReadOnly && !more.Subvolume || more.Reserved && e.Type != File {
		p.fail("a %v cannot be what it says", e.Type)
	}
}

func (p *parser) streams(e *Entry) []Stream {
	if e.Type != File && e.Type != Dir {
		p.fail("a %v has no streams", e.Type)
	}
	var all []Stream
	for n := p.number(maxEntries, "the number of its streams"); n > 0 && p.err == nil; n-- {
		s := Stream{Name: string(p.bytes(maxName, "a stream's name")), Data: p.data()}
		if s.Name == "" || strings.ContainsAny(s.Name, "/:\x00") || len(all) > 0 && all[len(all)-1].Name >= s.Name {
			p.fail("stream %q is out of order or no name", s.Name)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		p.fail("it has no streams")
	}
	return all
}

func (p *parser) data() Data {
	n := p.number(maxSize<<1|1, "its size")
	d := Data{Size: int64(n >> 1), Sparse: n&1 == 1}
	if d.Sparse {
		d.Stored = p.stored(d.Size)
	}
	if d.length() > 0 {
		d.At = int64(p.number(maxSize/chunk.Grid, "its place")) * chunk.Grid
	}
	return d
}

// stored reads the extents of a sparse file: on the grid but for the last end.
func (p *parser) stored(size int64) extent.List {
	var list extent.List
	end := int64(0)
	for n := p.number(maxEntries, "the number of its extents"); n > 0 && p.err == nil; n-- {
		gap := int64(p.number(maxSize/chunk.Grid, "a hole")) * chunk.Grid
		e := extent.Extent{Start: end + gap, Length: int64(p.number(maxSize, "an extent"))}
		if e.End() > size || e.Length == 0 || e.Length%chunk.Grid != 0 && e.End() != size || gap == 0 && len(list) > 0 {
			p.fail("%v is no extent of a file of %d bytes", e, size)
			return nil
		}
		list, end = append(list, e), onGrid(e.End())
	}
	return list
}

func (p *parser) time() Time {
	n := p.uvarint("a time")
	return Time{int64(n>>1) ^ -int64(n&1), uint32(p.number(999_999_999, "the nanoseconds of a time"))}
}
