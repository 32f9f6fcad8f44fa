package browse

import (
	"io"
	"sort"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/files"
)

// listedFile is a file's bytes in the contents of a volume.
type listedFile struct {
	contents content.Random
	data     *files.Data
	at       []int64 // of a sparse file: where each of its stored extents lies in the contents
}

func newListedFile(contents content.Random, d *files.Data) listedFile {
	f := listedFile{contents, d, nil}
	at := d.At
	for _, e := range d.Stored {
		f.at = append(f.at, at)
		at += (e.Length + chunk.Grid - 1) &^ (chunk.Grid - 1)
	}
	return f
}

// Size implements File.
func (f listedFile) Size() int64 { return f.data.Size }

// Close implements File; the contents belong to the volume.
func (f listedFile) Close() error { return nil }

// place says where in the contents byte off lies, and for how many bytes from
// there on what it says is true; a hole lies nowhere.
func (f listedFile) place(off int64) (at, length int64, hole bool) {
	d := f.data
	if !d.Sparse {
		return d.At + off, d.Size - off, false
	}
	i := sort.Search(len(d.Stored), func(i int) bool { return d.Stored[i].End() > off })
	switch {
	case i == len(d.Stored):
		return 0, d.Size - off, true
	case d.Stored[i].Start > off:
		return 0, d.Stored[i].Start - off, true
	}
	return f.at[i] + off - d.Stored[i].Start, d.Stored[i].End() - off, false
}

// ReadAt implements File.
func (f listedFile) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), f.data.Size-off))
	if off < 0 || n <= 0 {
		return 0, io.EOF
	}
	for done := 0; done < n; {
		at, length, hole := f.place(off + int64(done))
		part := p[done : done+int(min(int64(n-done), length))]
		if hole {
			clear(part)
		} else if _, err := f.contents.ReadAt(part, at); err != nil && err != io.EOF {
			return done, err
		}
		done += len(part)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
