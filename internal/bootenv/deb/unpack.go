package deb

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
)

// unpack copies the contents of the files of a tar, and lists them.
func (p *Package) unpack(r io.Reader) error {
	files := tar.NewReader(r)
	out := bufio.NewWriterSize(p.data, 1<<20)
	var end int64
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return fmt.Errorf("read data.tar: %w", err)
		}
		e, err := p.entry(h)
		if err != nil {
			return err
		}
		if e == nil {
			continue
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if e.Size > maxUnpacked-end {
			return fmt.Errorf("its files are larger than %d GiB", maxUnpacked>>30)
		}
		e.offset = end
		n, err := io.Copy(out, files)
		if err != nil || n != e.Size {
			return fmt.Errorf("unpack %s: %d of %d bytes: %w", e.Name, n, e.Size, err)
		}
		end += n
	}
}

// entry lists the file that h describes; nil: it was there, or is the root.
func (p *Package) entry(h *tar.Header) (*Entry, error) {
	name := path.Clean(h.Name)
	if name == "." {
		return nil, nil
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	if h.ModTime.After(p.Built) {
		p.Built = h.ModTime.UTC()
	}
	e := &Entry{Name: name, Mode: fs.FileMode(h.Mode) & fs.ModePerm, Size: h.Size}
	switch h.Typeflag {
	case tar.TypeReg:
	case tar.TypeDir:
		e.Mode, e.Size = e.Mode|fs.ModeDir, 0
	case tar.TypeSymlink:
		if h.Linkname == "" || len(h.Linkname) > maxName || strings.ContainsRune(h.Linkname, 0) {
			return nil, fmt.Errorf("%s is a link to %q", name, h.Linkname)
		}
		e.Mode, e.Size, e.Link = fs.ModeSymlink|0o777, 0, h.Linkname
	case tar.TypeLink:
		first := p.entries[path.Clean(h.Linkname)]
		if first == nil || !first.Mode.IsRegular() {
			return nil, fmt.Errorf("%s is another name of %q, which is no file before it", name, h.Linkname)
		}
		e.Mode, e.Size, e.offset = first.Mode, first.Size, first.offset
	default:
		return nil, fmt.Errorf("%s is neither a file, a folder nor a link (type %q)", name, h.Typeflag)
	}
	return e, p.add(e)
}

func (p *Package) add(e *Entry) error {
	if old := p.entries[e.Name]; old != nil {
		if old.Mode.IsDir() && e.Mode.IsDir() {
			return nil
		}
		return fmt.Errorf("%s is in it twice", e.Name)
	}
	for dir := path.Dir(e.Name); dir != "."; dir = path.Dir(dir) {
		if above := p.entries[dir]; above != nil && !above.Mode.IsDir() {
			return fmt.Errorf("%s lies below %s, which is no folder", e.Name, dir)
		}
	}
	if len(p.entries) == maxFiles {
		return fmt.Errorf("it has more than %d files", maxFiles)
	}
	p.entries[e.Name] = e
	p.names = append(p.names, e.Name)
	return nil
}

// checkName refuses names that lead out of the package.
func checkName(name string) error {
	if !fs.ValidPath(name) || len(name) > maxName || strings.ContainsAny(name, "\x00\n") {
		return fmt.Errorf("the name %q leads out of the package, or is none", name)
	}
	return nil
}

// Entries are the package's files in its own order.
func (p *Package) Entries() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		for _, name := range p.names {
			if !yield(p.entries[name]) {
				return
			}
		}
	}
}

// Lookup returns the entry with that clean relative name itself; nil: there is none.
func (p *Package) Lookup(name string) *Entry { return p.entries[name] }

// Content is what the regular file e holds.
func (p *Package) Content(e *Entry) *io.SectionReader {
	return io.NewSectionReader(p.data, e.offset, e.Size)
}
