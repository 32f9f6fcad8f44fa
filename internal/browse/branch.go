package browse

import (
	"context"
	"errors"
	"io/fs"

	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/mount"
)

// branch is a directory of a volume with everything below it, or one file in a
// directory of its own, as package files makes it elsewhere.
type branch struct {
	*files.Volume
	at    int32 // of its listing: the directory
	only  int32 // of its listing: the one file; 0: everything below at
	close func() error
}

func noClose() error { return nil }

func (l *listed) below(_ context.Context, name string) (*branch, error) {
	i, err := l.find("find", name)
	if err != nil {
		return nil, err
	}
	v := *l.Volume
	if l.Listing.Entries[i].Type == files.Dir {
		return &branch{&v, i, 0, noClose}, nil
	}
	return &branch{&v, l.Listing.Entries[i].Parent, i, noClose}, nil
}

// below walks a directory as a capture does.
func (m mounted) below(ctx context.Context, name string) (*branch, error) {
	e, err := m.lstat(name)
	if err != nil {
		return nil, err
	}
	dir, opts := name, files.WalkOptions{Kind: m.kind, All: true}
	if !e.IsDir() {
		dir, opts.Only = name[:max(0, len(name)-len(e.Name)-1)], e.Name
	}
	folder, err := m.root.Folder(dir)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	tree, err := files.Walk(ctx, mount.PathOf(folder), opts)
	if err != nil {
		return nil, err
	}
	b := &branch{Volume: tree.Volume(), close: tree.Close}
	if opts.Only == "" {
		return b, nil
	}
	if b.only = 1; len(b.Listing.Entries) != 2 {
		return nil, errors.Join(&fs.PathError{Op: "find", Path: name, Err: fs.ErrNotExist}, tree.Close())
	}
	return b, nil
}
