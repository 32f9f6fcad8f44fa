package browse

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// Tree is files below one root: those of a volume, or of several, put together the
// way a system puts them. Its methods but Resolve take names that Resolve
// returned, and such names joined with those of entries.
type Tree struct {
	Missing []string // sentences: what belongs to a system and is not in the image

	points []point // the root first
}

// point is a volume at its place in a tree. It is opened when a name on it is
// first asked for.
type point struct {
	at        string // "" is the root
	partition int
	kind      string
	open      func() (v volume, folder string, err error)

	files  volume // nil until it is opened
	folder string // of the volume, which is shown there
}

func (p *point) ready() (err error) {
	if p.files == nil {
		p.files, p.folder, err = p.open()
	}
	return err
}

// foldsCase reports whether names on a kind of volume ignore case.
func foldsCase(kind string) bool {
	return kind == "ntfs" || kind == "exfat" || strings.HasPrefix(kind, "fat")
}

// on finds the volume on which name lies, and its name there.
func (t *Tree) on(name string) (p *point, there string, err error) {
	p = t.pointOf(name)
	err = p.ready()
	return p, join(p.folder, strings.TrimPrefix(strings.TrimPrefix(name, p.at), "/")), err
}

func (t *Tree) pointOf(name string) *point {
	p := &t.points[0]
	for i := range t.points {
		if q := &t.points[i]; inside(name, q.at) && len(q.at) > len(p.at) {
			p = q
		}
	}
	return p
}

// inside reports whether name is dir, or lies below it.
func inside(name, dir string) bool {
	return dir == "" || name == dir || strings.HasPrefix(name, dir+"/")
}

// join joins two names of which either may be "".
func join(dir, name string) string { return strings.Trim(dir+"/"+name, "/") }

// base is a name's last element.
func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// Partition is the number of the partition that holds the root.
func (t *Tree) Partition() int { return t.points[0].partition }

// Lstat describes a file.
func (t *Tree) Lstat(name string) (Entry, error) {
	p, there, err := t.on(name)
	if err != nil {
		return Entry{}, err
	}
	e, err := p.files.lstat(there)
	e.Name = base(name)
	return e, named(err, name)
}

// ReadDir lists a directory, ascending by name.
func (t *Tree) ReadDir(name string) ([]Entry, error) {
	p, there, err := t.on(name)
	if err != nil {
		return nil, err
	}
	entries, err := p.files.readDir(there)
	if err != nil {
		return nil, named(err, name)
	}
	for i := range entries {
		for _, q := range t.points[1:] {
			if q.at != join(name, entries[i].Name) {
				continue
			}
			if entries[i], err = t.Lstat(q.at); err != nil {
				return nil, err
			}
		}
	}
	return entries, nil
}

// Open opens a regular file.
func (t *Tree) Open(name string) (File, error) {
	p, there, err := t.on(name)
	if err != nil {
		return nil, err
	}
	if e, err := p.files.lstat(there); err == nil && !e.Mode.IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: Printable("/" + name), Err: notRegularError{e.Mode}}
	}
	f, err := p.files.open(there)
	return f, named(err, name)
}

// named gives an error the name that the user knows.
func named(err error, name string) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return &fs.PathError{Op: pe.Op, Path: Printable("/" + name), Err: pe.Err}
	}
	return err
}

// maxLinks is how many links are followed for one name, as Linux does.
const maxLinks = 40

// Resolve returns the name of what a name leads to, "" for the root: without
// links, '..' and slashes at its ends. The last element may be a link unless
// follow is true or a slash is behind it. Where the volume ignores case, the name
// comes back as the volume spells it.
func (t *Tree) Resolve(name string, follow bool) (string, error) {
	at, rest, links := "", strings.Split(name, "/"), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = strings.TrimPrefix(path.Dir("/"+at), "/")
			continue
		}
		e, err := t.find(at, part)
		if err != nil {
			return "", err
		}
		if e.Mode&fs.ModeSymlink != 0 && (follow || len(rest) > 0) {
			if links++; links > maxLinks {
				return "", &fs.PathError{Op: "find", Path: Printable("/" + strings.Trim(name, "/")), Err: syscall.ELOOP}
			}
			if strings.HasPrefix(e.Target, "/") {
				at = ""
			}
			rest = append(strings.Split(e.Target, "/"), rest...)
			continue
		}
		at = join(at, e.Name)
		if len(rest) > 0 && !e.IsDir() {
			return "", &fs.PathError{Op: "find", Path: Printable("/" + at), Err: syscall.ENOTDIR}
		}
	}
	return at, nil
}

// find looks for an entry of a directory; where case does not matter, for one
// that is spelled otherwise too.
func (t *Tree) find(dir, name string) (Entry, error) {
	e, err := t.Lstat(join(dir, name))
	if !errors.Is(err, fs.ErrNotExist) || !foldsCase(t.pointOf(dir).kind) {
		return e, err
	}
	entries, derr := t.ReadDir(dir)
	if derr != nil {
		return e, derr
	}
	for _, other := range entries {
		if strings.EqualFold(other.Name, name) {
			return other, nil
		}
	}
	return e, err
}
