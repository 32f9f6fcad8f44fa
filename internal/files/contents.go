package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
)

// Contents are the bytes of all files of the tree as one region, of which only
// what Used says matters. Of a file that is shorter now than Walk found it the
// rest is zeros, and Changed has its name.
func (t *Tree) Contents() block.Reader { return treeContents{t} }

// Used are the bytes of the contents that are those of files.
func (t *Tree) Used() extent.List { return t.Listing.extentsOf(t.Listing.order) }

// Volume is the tree as if it had been captured and read again. It reads the
// files when it is asked for their bytes.
func (t *Tree) Volume() *Volume {
	region := image.Region{Role: image.Contents, Size: t.Listing.Contents, Rest: image.Free, Volume: &image.Volume{Kind: t.Listing.Kind, Method: image.FileByFile}}
	src := content.NewLive([]image.Region{region}, []extent.List{t.Used()}, []block.Reader{t.Contents()})
	return &Volume{Listing: t.Listing, source: src}
}

// Change is a file that is not in the image as it was at one moment.
type Change struct{ Path, What string }

// Changed are the files that were written to between Walk and the end of
// reading them, by name; their bytes in the image may be old, new or both. It is
// complete when all contents were read.
func (t *Tree) Changed() []Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []Change
	for d, what := range t.changed {
		all = append(all, Change{"/" + t.Listing.path(d), what})
	}
	slices.SortFunc(all, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return all
}

func (t *Tree) change(d datum, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed == nil {
		t.changed = map[datum]string{}
	}
	t.changed[d] = what
}

type treeContents struct{ *Tree }

func (c treeContents) Size() int64 { return c.Listing.Contents }

// SectorSize is what a rescue reads at least.
func (c treeContents) SectorSize() int { return chunk.Grid }

const (
	maxReaders = 4  // files that are read at once
	batch      = 32 // files that one of them takes
)

// ReadAt reads the files that lie in the range, several at once.
func (c treeContents) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= c.Size() {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), c.Size()-off))
	span := extent.Extent{Start: off, Length: int64(n)}
	clear(p[:n])
	c.ahead.advance(c.Tree, span.End())
	if err := c.readAll(p[:n], c.Listing.inside(span), span); err != nil {
		return 0, err
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readAll reads what lies in span.
func (c treeContents) readAll(p []byte, todo []datum, span extent.Extent) error {
	var next atomic.Int64
	read := func() error {
		for {
			from := int(next.Add(batch)) - batch
			if from >= len(todo) {
				return nil
			}
			for _, d := range todo[from:min(from+batch, len(todo))] {
				if err := c.read(p, d, span); err != nil {
					return err
				}
			}
		}
	}
	if len(todo) <= batch {
		return read()
	}
	var g errgroup.Group
	for range min(maxReaders, runtime.GOMAXPROCS(0)) {
		g.Go(read)
	}
	return g.Wait()
}

// read fills in what of one file lies in span; p holds zeros.
func (c treeContents) read(p []byte, d datum, span extent.Extent) error {
	name := c.Listing.path(d)
	fd, err := openToRead(func(flags int) (int, error) { return c.tree.open(name, flags, 0) }, 0)
	if err != nil {
		return c.missing(d, err)
	}
	defer unix.Close(fd)
	var room [1]part
	for _, part := range c.Listing.parts(room[:0], d, span) {
		to := part.at - span.Start
		want := p[to : to+part.inFile.Length]
		got, err := readFile(fd, want, part.inFile.Start)
		if err != nil {
			return failure("read", name, fmt.Errorf("at %#x: %w", part.inFile.Start+int64(got), err))
		}
		if got < len(want) {
			if !c.live {
				return failure("read", name, io.ErrUnexpectedEOF)
			}
			c.change(d, "it became shorter")
		}
	}
	if !c.live {
		return nil
	}
	st, err := statFD(fd)
	if err == nil && timeOf(st.Ctime) != c.stamps[d.entry] {
		c.change(d, "it was written to")
	}
	return err
}

// missing is for a file that cannot be opened: in a live tree it may be gone.
func (c treeContents) missing(d datum, err error) error {
	if !c.live || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.change(d, "it was removed")
	return nil
}

// readFile reads until p is full or the file ends.
func readFile(fd int, p []byte, off int64) (n int, err error) {
	for n < len(p) {
		var got int
		err := again(func() (err error) { got, err = unix.Pread(fd, p[n:], off+int64(n)); return err })
		if err != nil || got == 0 {
			return n, err
		}
		n += got
	}
	return n, nil
}
