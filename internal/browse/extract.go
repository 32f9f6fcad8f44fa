package browse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// ExtractOptions say how files are taken out of an image.
type ExtractOptions struct {
	Devices   bool // make device nodes
	Overwrite bool // replace what is in the way
	Owners    bool // give files their owners, which only root can
}

// Extracted is what an Extract made.
type Extracted struct {
	Files   int64        // entries of directories, hard links included
	Bytes   int64        // in files, holes included
	Devices int64        // nodes that were left out
	Lost    []files.Loss // what the folder's file system could not hold
}

// Extract makes what is in the directory name, or the one file name, in the folder
// dir of this machine, which must be there. It follows no link in dir, and writes
// nowhere else.
func (t *Tree) Extract(ctx context.Context, name, dir string, opts ExtractOptions, work *progress.Work) (Extracted, error) {
	root, err := rootfs.Open(dir)
	if err != nil {
		return Extracted{}, err
	}
	defer root.Close()
	x := &extraction{tree: t, to: root, opts: opts, work: work}
	at, err := t.Resolve(name, true)
	if err != nil {
		return x.Extracted, err
	}
	if err := x.take(ctx, at, "", base(strings.TrimRight(name, "/"))); err != nil {
		return x.Extracted, err
	}
	for _, p := range t.points[1:] {
		if p.at == at || !inside(p.at, at) {
			continue
		}
		if err := x.take(ctx, p.at, strings.Trim(strings.TrimPrefix(p.at, at), "/"), ""); err != nil {
			return x.Extracted, err
		}
	}
	return x.Extracted, nil
}

// extraction is an Extract that is going on.
type extraction struct {
	Extracted
	tree *Tree
	to   *rootfs.Root
	opts ExtractOptions
	work *progress.Work
}

// take makes what one volume has of a directory of the tree, in a folder of the
// target; as is the new name of what is no directory.
func (x *extraction) take(ctx context.Context, name, folder, as string) error {
	target, err := x.to.Folder(folder)
	if err != nil {
		return err
	}
	defer target.Close()
	p, there, err := x.tree.on(name)
	if err != nil {
		return err
	}
	b, err := p.files.below(ctx, there)
	if err != nil {
		return named(err, name)
	}
	err = x.choose(b, name, as, target)
	if err == nil && x.opts.Overwrite {
		err = x.clear(b.Listing, folder)
	}
	if err == nil {
		var lost []files.Loss
		lost, err = b.Apply(ctx, mount.PathOf(target), x.work)
		x.count(b.Listing, lost, folder)
	}
	return errors.Join(err, b.close())
}

// choose leaves out device nodes, and what lies hidden below a place where another
// volume is.
func (x *extraction) choose(b *branch, name, as string, target *os.File) error {
	c := choice{keep: func(below string, e *files.Entry) bool {
		if isDevice(e) && !x.opts.Devices {
			x.Devices++
			return false
		}
		for _, p := range x.tree.points[1:] {
			if full := join(name, below); p.at != name && inside(p.at, name) && full != p.at && inside(full, p.at) {
				return false
			}
		}
		return true
	}}
	if as != "" && as != "." && as != ".." {
		c.name = as
	}
	if !x.opts.Owners {
		c.owner = &owner{uint32(os.Geteuid()), uint32(os.Getegid())}
	}
	var err error
	if c.top, err = attributesOf(target); err != nil {
		return err
	}
	return b.choose(c)
}

// attributesOf is a folder of this machine as the root of a listing.
func attributesOf(folder *os.File) (*files.Entry, error) {
	info, err := os.Stat(mount.PathOf(folder))
	if err != nil {
		return nil, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("%s: nothing is known of it", folder.Name())
	}
	return &files.Entry{
		Type: files.Dir, Mode: uint16(st.Mode & 0o7777), UID: st.Uid, GID: st.Gid,
		Mtime: files.Time{Sec: st.Mtim.Sec, Nsec: uint32(st.Mtim.Nsec)}, Atime: files.Time{Sec: st.Atim.Sec, Nsec: uint32(st.Atim.Nsec)},
	}, nil
}

// clear removes what is in the way of the listing's files, never through a link:
// directories come before what is in them, so those on the way are real ones.
func (x *extraction) clear(l *files.Listing, folder string) error {
	for i := 1; i < len(l.Entries); i++ {
		name := join(folder, l.Path(int32(i)))
		have, err := x.to.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && have.IsDir() && l.Entries[i].Type == files.Dir {
			continue
		}
		if err == nil && have.IsDir() {
			err = &fs.PathError{Op: "replace", Path: path.Join("/", Printable(name)), Err: errors.New("a directory is in the place of a file; remove it first")}
		}
		if err == nil {
			err = x.to.Remove(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *extraction) count(l *files.Listing, lost []files.Loss, folder string) {
	x.Files += int64(len(l.Entries)) - 1
	x.Bytes += l.Bytes()
	for _, loss := range lost {
		loss.First = "/" + join(folder, strings.TrimPrefix(loss.First, "/"))
		x.Lost = append(x.Lost, loss)
	}
}
