package files

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// Difference is a file that is not as the listing says.
type Difference struct{ Path, What string }

// Compare reads dir and calls differ for everything that is not as in the volume:
// names, attributes and bytes. What is in dir and not in the listing is a
// difference too. Times of access are not looked at, nor, where kind is another
// than the listing's, what only its own kind has.
func (v *Volume) Compare(ctx context.Context, dir string, differ func(Difference)) error {
	found, err := Walk(ctx, dir, WalkOptions{All: true})
	if err != nil {
		return err
	}
	defer found.Close()
	c := &comparison{want: v.Listing, have: found.Listing, tree: found.tree, differ: differ, same: map[int32]int32{}}
	c.directory(0, 0)
	if err := c.holes(ctx); err != nil {
		return err
	}
	return v.eachPiece(ctx, c.newReader)
}

// comparison holds two listings against each other.
type comparison struct {
	want, have *Listing
	tree       *tree
	same       map[int32]int32 // files whose bytes are to be compared: wanted to had

	mu     sync.Mutex
	differ func(Difference)
}

func (c *comparison) say(n int32, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.differ(Difference{"/" + c.want.Path(n), fmt.Sprintf(format, args...)})
}

// directory compares directory w with h and everything below them.
func (c *comparison) directory(w, h int32) {
	c.entry(w, h)
	wf, we := c.want.Entries[w].Children()
	hf, he := c.have.Entries[h].Children()
	for wf < we || hf < he {
		switch {
		case hf == he || wf < we && c.want.Entries[wf].Name < c.have.Entries[hf].Name:
			c.say(wf, "it is missing")
			wf++
		case wf == we || c.want.Entries[wf].Name > c.have.Entries[hf].Name:
			c.say(w, "%q is in it and should not be", c.have.Entries[hf].Name)
			hf++
		default:
			c.pair(wf, hf)
			wf, hf = wf+1, hf+1
		}
	}
}

// pair compares two entries of one name.
func (c *comparison) pair(w, h int32) {
	a, b := &c.want.Entries[w], &c.have.Entries[h]
	switch {
	case a.Type != b.Type:
		c.say(w, "it is a %v and should be a %v", b.Type, a.Type)
	case a.Type == Dir:
		c.directory(w, h)
	case a.Type == Link:
		if c.want.Path(a.More.Link) != c.have.Path(b.More.Link) {
			c.say(w, "it is another name of %q and should be one of %q", c.have.Path(b.More.Link), c.want.Path(a.More.Link))
		}
	default:
		c.entry(w, h)
		c.same[w] = h
	}
}

// entry compares attributes.
func (c *comparison) entry(w, h int32) {
	a, b := &c.want.Entries[w], &c.have.Entries[h]
	am, bm := a.more(), b.more()
	for _, x := range []struct {
		what       string
		have, want any
	}{
		{"mode", b.Mode, a.Mode}, {"owner", b.UID, a.UID}, {"group", b.GID, a.GID}, {"flags", b.Flags, a.Flags},
		{"time", b.Mtime, a.Mtime}, {"size", b.Size, a.Size}, {"target", bm.Target, am.Target},
		{"device", [2]uint32{bm.Major, bm.Minor}, [2]uint32{am.Major, am.Minor}}, {"streams", len(bm.Streams), len(am.Streams)},
		{"being a subvolume", bm.Subvolume, am.Subvolume}, {"time of birth", birth(bm, am), birth(am, bm)},
	} {
		if x.have != x.want {
			c.say(w, "its %s is %v and should be %v", x.what, x.have, x.want)
		}
	}
	if !equalAttrs(c.want.Sets[a.Attrs], c.have.Sets[b.Attrs]) {
		c.say(w, "its extended attributes are %q and should be %q", c.have.Sets[b.Attrs], c.want.Sets[a.Attrs])
	}
}

// birth is the time of birth in m, if other has one too.
func birth(m, other More) Time {
	if m.Times == nil || other.Times == nil {
		return Time{}
	}
	return m.Times.Birth
}

func equalAttrs(a, b []Attr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !bytes.Equal(a[i].Value, b[i].Value) {
			return false
		}
	}
	return true
}

// holes looks for bytes where a file should have none. What there is in a volume
// is little, so that this reads little.
func (c *comparison) holes(ctx context.Context) error {
	for w, h := range c.same {
		want, have := &c.want.Entries[w].Data, &c.have.Entries[h].Data
		if !want.Sparse || want.Size != have.Size {
			continue
		}
		stored := extent.List{{Length: have.Size}}
		if have.Sparse {
			stored = have.Stored
		}
		if err := c.zeros(ctx, w, stored.Subtract(want.Stored)); err != nil {
			return err
		}
	}
	return nil
}

// zeros reads stretches of a file that should be zeros.
func (c *comparison) zeros(ctx context.Context, w int32, list extent.List) error {
	if len(list) == 0 {
		return nil
	}
	fd, err := openToRead(func(flags int) (int, error) { return c.tree.open(c.want.Path(w), flags, 0) }, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	buf, none := make([]byte, zerosAtOnce), make([]byte, zerosAtOnce)
	for _, e := range list {
		for at := e.Start; at < e.End(); at += zerosAtOnce {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := readFile(fd, buf[:min(zerosAtOnce, e.End()-at)], at)
			if err != nil {
				return failure("read", "/"+c.want.Path(w), err)
			}
			if !bytes.Equal(buf[:n], none[:n]) {
				c.say(w, "it has bytes at %#x, where it should have none", at)
			}
		}
	}
	return nil
}

const zerosAtOnce = 1 << 20

// newReader returns what compares the bytes of pieces.
func (c *comparison) newReader() pieceWorker {
	var parts []part
	var buf []byte
	return func(_ context.Context, p piece) error {
		for _, d := range p.data {
			if _, ok := c.same[d.entry]; !ok {
				continue
			}
			parts = c.want.parts(parts[:0], d, p.span)
			var err error
			if buf, err = c.bytes(p, d, parts, buf); err != nil {
				return err
			}
		}
		return nil
	}
}

// bytes compares what a piece has of a datum.
func (c *comparison) bytes(p piece, d datum, parts []part, buf []byte) ([]byte, error) {
	name := c.want.path(d)
	fd, err := openToRead(func(flags int) (int, error) { return c.tree.open(name, flags, 0) }, 0)
	if err != nil {
		return buf, err
	}
	defer unix.Close(fd)
	for _, part := range parts {
		if int64(len(buf)) < part.inFile.Length {
			buf = make([]byte, part.inFile.Length)
		}
		have := buf[:part.inFile.Length]
		n, err := readFile(fd, have, part.inFile.Start)
		if err != nil {
			return buf, failure("read", name, err)
		}
		want := p.bytes[part.at-p.span.Start:][:len(have)]
		if !bytes.Equal(have[:n], want) {
			c.say(d.entry, "its bytes differ between %#x and %#x", part.inFile.Start, part.inFile.End())
		}
	}
	return buf, nil
}
