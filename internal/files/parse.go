package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// Limits of a listing. Memory grows with what is read, never with what is
// claimed: each entry takes ten bytes of the listing at least, and 150 of memory.
const (
	maxName     = 1024     // bytes; 255 UTF-16 units of NTFS are up to 765 bytes
	maxTarget   = 64 << 10 // of a symbolic link
	maxAttrName = 255
	maxAttr     = 64 << 10 // value of an extended attribute, as Linux has it
	maxAttrs    = 64 << 10 // in a set
	maxSpec     = 1 << 10  // pairs
	maxEntries  = 1<<31 - 1
	maxSize     = 1 << 60 // of a file, and of the contents
	maxDepth    = 4096    // directories one in the other
)

// FormatError says what is wrong with a listing.
type FormatError struct {
	Entry int64 // number of the entry; -1: before the first
	Why   string
}

func (e *FormatError) Error() string {
	if e.Entry < 0 {
		return "listing of files: " + e.Why
	}
	return fmt.Sprintf("listing of files, entry %d: %s", e.Entry, e.Why)
}

// Parse reads a listing and checks everything in it. The error is a *FormatError,
// or one of r.
func Parse(r io.Reader) (*Listing, error) {
	p := &parser{r: bufio.NewReaderSize(r, 1<<20), entry: -1}
	l := p.listing()
	if p.err != nil {
		return nil, p.err
	}
	if _, err := p.r.ReadByte(); err == nil {
		return nil, &FormatError{p.entry, "there are bytes behind its end"}
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return l, l.place()
}

// parser reads until the first error and keeps that.
type parser struct {
	r     *bufio.Reader
	entry int64
	err   error
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = &FormatError{p.entry, fmt.Sprintf(format, args...)}
	}
}

// failed keeps an error of reading.
func (p *parser) failed(err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		p.fail("it ends too early")
	}
	if p.err == nil {
		p.err = err
	}
}

// uvarint reads an integer of up to 64 bits.
func (p *parser) uvarint(what string) uint64 {
	var n uint64
	for shift := 0; shift < 64 && p.err == nil; shift += 7 {
		c, err := p.r.ReadByte()
		if err != nil {
			p.failed(err)
			return 0
		}
		if shift == 63 && c > 1 {
			break
		}
		if n |= uint64(c&0x7f) << shift; c < 0x80 {
			return n
		}
	}
	p.fail("%s is no integer", what)
	return 0
}

// number reads an integer of at most limit.
func (p *parser) number(limit uint64, what string) uint64 {
	n := p.uvarint(what)
	if n > limit {
		p.fail("%s is %d, at most %d is possible", what, n, limit)
	}
	if p.err != nil {
		return 0
	}
	return n
}

// bytes reads a length of at most limit and that many bytes.
func (p *parser) bytes(limit int, what string) []byte {
	b := make([]byte, p.number(uint64(limit), "the length of "+what))
	if _, err := io.ReadFull(p.r, b); err != nil && len(b) > 0 && p.err == nil {
		p.failed(err)
	}
	return b
}

func (p *parser) listing() *Listing {
	l := &Listing{Sets: [][]Attr{nil}}
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(p.r, head); err != nil {
		p.failed(err)
	} else if string(head) != magic {
		p.fail("it begins with %q, not with %q", head, magic)
	}
	l.Kind = string(p.bytes(maxName, "its kind"))
	l.Spec = map[string]string{}
	for range p.number(maxSpec, "the number of its properties") {
		key := string(p.bytes(maxName, "a property's name"))
		l.Spec[key] = string(p.bytes(maxAttr, "a property"))
	}
	l.Contents = int64(p.number(maxSize/chunk.Grid, "the size of the contents")) * chunk.Grid
	if l.Contents == 0 {
		p.fail("its contents have no size")
	}
	for n := p.number(maxEntries, "the number of sets of attributes"); n > 0 && p.err == nil; n-- {
		l.Sets = append(l.Sets, p.set())
	}
	p.entries(l)
	return l
}

func (p *parser) set() []Attr {
	var set []Attr
	for n := p.number(maxAttrs, "the number of attributes"); n > 0 && p.err == nil; n-- {
		a := Attr{string(p.bytes(maxAttrName, "an attribute's name")), p.bytes(maxAttr, "an attribute's value")}
		if a.Name == "" || strings.IndexByte(a.Name, 0) >= 0 || len(set) > 0 && set[len(set)-1].Name >= a.Name {
			p.fail("attribute %q is out of order or no name", a.Name)
		}
		set = append(set, a)
	}
	if len(set) == 0 {
		p.fail("a set of attributes is empty")
	}
	return set
}

// entries reads the entries: those of each directory lie behind those of the
// directories before it.
func (p *parser) entries(l *Listing) {
	n := p.number(maxEntries, "the number of entries")
	dir, left := int32(-1), int32(0)
	depth, deeper := 0, int32(1) // the first directory of the next level
	for p.entry = 0; p.entry < int64(n) && p.err == nil; p.entry++ {
		e := p.one(l)
		if p.entry == 0 {
			if e.Name != "" || e.Type != Dir {
				p.fail("the root is a %v with the name %q", e.Type, e.Name)
			}
			l.Entries = append(l.Entries, e)
			continue
		}
		for left == 0 {
			if dir++; int(dir) == len(l.Entries) {
				p.fail("it is in no directory")
				return
			}
			if dir == deeper {
				depth, deeper = depth+1, int32(p.entry)
			}
			if d := &l.Entries[dir]; d.Type == Dir {
				left, d.First = d.Count, int32(p.entry)
			}
		}
		left--
		e.Parent = dir
		if depth >= maxDepth {
			p.fail("it lies more than %d directories deep", maxDepth)
		}
		p.name(l, &e)
		l.Entries = append(l.Entries, e)
	}
	if p.err != nil {
		return
	}
	p.complete(l, dir, left)
}

// complete checks that every directory has the entries that it claims.
func (p *parser) complete(l *Listing, dir, left int32) {
	if len(l.Entries) == 0 {
		p.fail("it has no root")
	}
	if left > 0 {
		p.fail("directory %q ends too early", l.Path(dir))
	}
	for i := int(dir) + 1; i < len(l.Entries); i++ {
		if l.Entries[i].Type == Dir && l.Entries[i].Count > 0 {
			p.fail("directory %q has no entries", l.Path(int32(i)))
			return
		}
	}
}

// name checks an entry's name: one element of a path, behind those before it in
// its directory, so that none is there twice.
func (p *parser) name(l *Listing, e *Entry) {
	if e.Name == "" || e.Name == "." || e.Name == ".." || strings.ContainsAny(e.Name, "/\x00") {
		p.fail("%q is no name", e.Name)
		return
	}
	before := &l.Entries[len(l.Entries)-1]
	if len(l.Entries) > 1 && before.Parent == e.Parent && before.Name >= e.Name {
		p.fail("%q comes behind %q in one directory", e.Name, before.Name)
	}
}
