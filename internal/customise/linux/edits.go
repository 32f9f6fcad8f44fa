package linux

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/rootfs"
)

const permissions = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// maxDraft bounds what is held in memory for all changes of text.
const maxDraft = 256 << 20

// write replaces or makes a file; one that is there keeps mode, owner and
// extended attributes, a new one is root's and has mode 0644.
func (d *draft) write(name string, data []byte) error {
	return d.put(name, data, rootfs.Attr{Mode: 0o644}, true)
}

// writeAs replaces or makes a file with a mode and an owner.
func (d *draft) writeAs(name string, data []byte, a rootfs.Attr) error {
	return d.put(name, data, a, false)
}

func (d *draft) put(name string, data []byte, a rootfs.Attr, keep bool) error {
	at, e, there, err := d.writable(name)
	if err != nil {
		return err
	}
	if there && keep {
		a = rootfs.Attr{Mode: e.mode & permissions, UID: e.owner.UID, GID: e.owner.GID}
	}
	if there && e.has(a) && d.same(at, data) {
		return nil
	}
	if err := d.mkdirs(path.Dir(at)); err != nil {
		return err
	}
	if data == nil {
		data = []byte{}
	}
	if d.held += len(data); d.held > maxDraft {
		return fmt.Errorf("write %s: all changes together are more than %d bytes, more than can be right", at, maxDraft)
	}
	d.set(at, &change{kind: written, data: data, attr: a, keep: keep && there})
	return nil
}

// writable finds out what a file that is to be written replaces, by its real name:
// a regular file, or nothing.
func (d *draft) writable(name string) (at string, e entry, there bool, err error) {
	if at, err = d.real(name); err != nil {
		return at, e, false, err
	}
	e, there, err = d.lstat(at)
	if err == nil && there && !e.mode.IsRegular() {
		err = fmt.Errorf("write %s: it is there already and no regular file", at)
	}
	return at, e, there, err
}

// edit changes a file that is there; f returns its new text.
func (d *draft) edit(name string, f func([]byte) []byte) error {
	text, err := d.read(name)
	if text == nil || err != nil {
		return err
	}
	return d.write(name, f(text))
}

// mkdir makes a folder, with its parents; one that is there stays as it is.
func (d *draft) mkdir(name string, a rootfs.Attr) error {
	at, err := d.real(name)
	if err != nil {
		return err
	}
	e, there, err := d.lstat(at)
	switch {
	case err != nil:
		return err
	case there && !e.mode.IsDir():
		return fmt.Errorf("make the folder %s: it is there already and no folder", at)
	case there:
		return nil
	}
	if err := d.mkdirs(path.Dir(at)); err != nil {
		return err
	}
	d.set(at, &change{kind: made, attr: a})
	return nil
}

// mkdirs makes the folders above a name, as root's with mode 0755.
func (d *draft) mkdirs(dir string) error {
	if dir == "/" {
		return nil
	}
	return d.mkdir(dir, rootfs.Attr{Mode: 0o755})
}

// link makes name itself a link, in the place of a file or link that is there.
func (d *draft) link(target, name string, owner rootfs.Owner) error {
	at, err := d.parent(name)
	if err != nil {
		return err
	}
	e, there, err := d.lstat(at)
	if err != nil {
		return err
	}
	if there && e.mode.IsDir() {
		return fmt.Errorf("link %s: it is there already, as a folder", at)
	}
	if there && e.mode&fs.ModeSymlink != 0 {
		if now, err := d.readlink(at); err == nil && now == target {
			return nil
		}
	}
	if err := d.mkdirs(path.Dir(at)); err != nil {
		return err
	}
	d.set(at, &change{kind: linked, target: target, attr: rootfs.Attr{UID: owner.UID, GID: owner.GID}})
	return nil
}

// remove removes name itself, if it is there; of a folder, everything.
func (d *draft) remove(name string) error {
	at, err := d.parent(name)
	if err != nil {
		return err
	}
	return d.removeTree(at, 0)
}

// maxDepth and maxEntries bound trees of an image that are walked.
const (
	maxDepth   = 64
	maxEntries = 100_000
)

func (d *draft) removeTree(at string, depth int) error {
	e, there, err := d.lstat(at)
	if !there || err != nil {
		return err
	}
	if e.mode.IsDir() {
		names, err := d.list(at)
		if err != nil {
			return err
		}
		if depth > maxDepth || len(d.order) > maxEntries {
			return fmt.Errorf("remove %s: it holds more than can be right", at)
		}
		for _, name := range names {
			if err := d.removeTree(path.Join(at, name), depth+1); err != nil {
				return err
			}
		}
	}
	d.set(at, &change{kind: removed})
	return nil
}

// list returns the names in a folder, sorted; none when it is not there.
func (d *draft) list(dir string) ([]string, error) {
	at, err := d.real(dir)
	if err != nil || !d.isDir(at) {
		return nil, err
	}
	var names []string
	if c := d.changes[at]; c == nil || !c.fresh {
		entries, err := d.root.ReadDir(at)
		if err != nil {
			return nil, err
		}
		if len(entries) > maxEntries {
			return nil, fmt.Errorf("list %s: it has %d entries, more than can be right", at, len(entries))
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	for name := range d.changes {
		if path.Dir(name) == at && !slices.Contains(names, path.Base(name)) {
			names = append(names, path.Base(name))
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		c := d.changes[path.Join(at, name)]
		return c != nil && c.kind == removed
	})
	slices.Sort(names)
	return names, nil
}

// texts returns the regular files that match a pattern.
func (d *draft) texts(pattern string) []string {
	return slices.DeleteFunc(d.glob(pattern), func(name string) bool {
		e, _ := d.stat(name)
		return !e.mode.IsRegular()
	})
}

// glob returns what matches a pattern, of which any element may have wildcards.
// Folders that cannot be read match nothing.
func (d *draft) glob(pattern string) []string {
	found := []string{"/"}
	for part := range strings.SplitSeq(strings.Trim(pattern, "/"), "/") {
		var next []string
		for _, dir := range found {
			if !strings.ContainsAny(part, "*?[") {
				next = append(next, path.Join(dir, part))
				continue
			}
			names, _ := d.list(dir)
			for _, name := range names {
				if ok, _ := path.Match(part, name); ok {
					next = append(next, path.Join(dir, name))
				}
			}
		}
		found = next
	}
	return slices.DeleteFunc(found, func(name string) bool { return !d.exists(name) })
}
