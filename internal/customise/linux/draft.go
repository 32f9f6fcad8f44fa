package linux

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// maxText is the largest file that is edited. The largest of real ones are
// accounts of universities, some MiB.
const maxText = 16 << 20

// draft is a system with changes that are not written yet. What was changed reads
// as changed. A change that changes nothing is none, so a second run has nothing
// to do.
type draft struct {
	root    *rootfs.Root
	changes map[string]*change // by real name: absolute, no links but maybe the last element
	order   []string           // names of changes, as they are to be made
	held    int                // bytes in changes
	report  customise.Report
}

// change is what is to become of one name.
type change struct {
	kind   changeKind
	data   []byte
	source source // of kind copied
	target string // of kind linked
	attr   rootfs.Attr
	keep   bool // leave mode and owner of what is there
	fresh  bool // it was not there
}

type changeKind int

const (
	written changeKind = iota
	copied             // from a file that is too large to hold
	linked
	made // a folder
	removed
)

func newDraft(root *rootfs.Root) *draft {
	return &draft{root: root, changes: map[string]*change{}}
}

// maxNotes is more than anybody reads.
const maxNotes = 200

func (d *draft) note(format string, args ...any) {
	if len(d.report.Notes) == maxNotes {
		return
	}
	d.report.Notes = append(d.report.Notes, fmt.Sprintf(format, args...))
}

// set stages a change of a real name.
func (d *draft) set(name string, c *change) {
	if before := d.changes[name]; before != nil {
		c.fresh = before.fresh
	} else {
		d.order = append(d.order, name)
		_, err := d.root.Lstat(name)
		c.fresh = errors.Is(err, fs.ErrNotExist)
	}
	d.changes[name] = c
}

// entry is what a real name is, after the draft.
type entry struct {
	mode  fs.FileMode // type and permission
	owner rootfs.Owner
	size  int64
}

// has reports whether mode and owner are those of a.
func (e entry) has(a rootfs.Attr) bool {
	return e.mode&permissions == a.Mode && e.owner == rootfs.Owner{UID: a.UID, GID: a.GID}
}

// lstat describes a real name without following a link in its last place. The
// second value is false when there is nothing.
func (d *draft) lstat(name string) (entry, bool, error) {
	if c := d.changes[name]; c != nil {
		switch c.kind {
		case removed:
			return entry{}, false, nil
		case linked:
			return entry{mode: fs.ModeSymlink | 0o777}, true, nil
		case made:
			return entry{fs.ModeDir | c.attr.Mode, rootfs.Owner{UID: c.attr.UID, GID: c.attr.GID}, 0}, true, nil
		}
		return entry{c.attr.Mode, rootfs.Owner{UID: c.attr.UID, GID: c.attr.GID}, int64(len(c.data))}, true, nil
	}
	info, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return entry{}, false, nil
	}
	if err != nil {
		return entry{}, false, err
	}
	e := entry{mode: info.Mode(), size: info.Size()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		e.owner = rootfs.Owner{UID: int(st.Uid), GID: int(st.Gid)}
	}
	return e, true, nil
}

func (d *draft) readlink(name string) (string, error) {
	if c := d.changes[name]; c != nil && c.kind == linked {
		return c.target, nil
	}
	return d.root.Readlink(name)
}

// maxLinks is how many links are followed on the way to a name, as Linux does.
const maxLinks = 40

// parent resolves all of name but its last element, the way the system itself
// would. Package rootfs does so again, in the kernel, when the name is used: what
// is found here says which file a change is listed under.
func (d *draft) parent(name string) (string, error) {
	done, rest, links := "/", elements(name), 0
	if len(rest) == 0 {
		return "/", nil
	}
	for len(rest) > 1 {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		e, there, err := d.lstat(next)
		if err != nil {
			return "", err
		}
		if !there || e.mode&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "find", Path: name, Err: syscall.ELOOP}
		}
		target, err := d.readlink(next)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(target, "/") {
			done = "/"
		}
		rest = append(elements(target), rest...)
	}
	return path.Join(done, rest[0]), nil
}

// elements are the parts of a name. A '..' among them goes up from where the parts
// before it lead, so they are not cleaned.
func elements(target string) []string {
	var parts []string
	for part := range strings.SplitSeq(target, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	return parts
}

// real resolves name, links in its last place too.
func (d *draft) real(name string) (string, error) {
	for range maxLinks {
		at, err := d.parent(name)
		if err != nil {
			return "", err
		}
		e, there, err := d.lstat(at)
		if err != nil || !there || e.mode&fs.ModeSymlink == 0 {
			return at, err
		}
		target, err := d.readlink(at)
		if err != nil {
			return "", err
		}
		name = target
		if !strings.HasPrefix(target, "/") {
			name = path.Dir(at) + "/" + target
		}
	}
	return "", &fs.PathError{Op: "find", Path: name, Err: syscall.ELOOP}
}

// read returns a file's text, nil when there is none.
func (d *draft) read(name string) ([]byte, error) {
	at, err := d.real(name)
	if err != nil {
		return nil, err
	}
	if c := d.changes[at]; c != nil {
		switch c.kind {
		case removed:
			return nil, nil
		case written:
			return c.data, nil
		}
	}
	data, err := d.root.ReadFile(at, maxText)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	return data, err
}

// stat describes what name leads to.
func (d *draft) stat(name string) (entry, bool) {
	at, err := d.real(name)
	if err != nil {
		return entry{}, false
	}
	e, there, err := d.lstat(at)
	return e, there && err == nil
}

func (d *draft) exists(name string) bool {
	_, there := d.stat(name)
	return there
}

// isDir reports whether name leads to a folder.
func (d *draft) isDir(name string) bool {
	e, _ := d.stat(name)
	return e.mode.IsDir()
}

// same reports whether a real name holds data already.
func (d *draft) same(name string, data []byte) bool {
	old, err := d.read(name)
	return err == nil && old != nil && bytes.Equal(old, data)
}
