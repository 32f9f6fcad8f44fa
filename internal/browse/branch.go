package browse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/image"
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
	b := &branch{close: tree.Close}
	if b.Volume, err = volumeOf(ctx, tree); err == nil && opts.Only != "" {
		b.only, err = onlyEntry(b.Listing, name)
	}
	if err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	return b, nil
}

func onlyEntry(l *files.Listing, name string) (int32, error) {
	if len(l.Entries) != 2 {
		return 0, &fs.PathError{Op: "find", Path: name, Err: fmt.Errorf("there are %d of it", len(l.Entries)-1)}
	}
	return 1, nil
}

// volumeOf is a tree of files as a volume of an image that has just been made.
func volumeOf(ctx context.Context, t *files.Tree) (*files.Volume, error) {
	listing := t.Listing.Encode()
	readers := []block.Reader{io.NewSectionReader(bytes.NewReader(listing), 0, int64(len(listing))), t.Contents()}
	var regions []image.Region
	var used []extent.List
	for i, role := range []image.Role{image.Listing, image.Contents} {
		size := readers[i].Size()
		regions = append(regions, image.Region{
			Role: role, Size: size, Data: size, End: size, Rest: image.Zeros, Volume: &image.Volume{Kind: t.Listing.Kind, Method: image.FileByFile},
		})
		used = append(used, extent.Of(extent.Extent{Length: size}))
	}
	return files.Open(ctx, content.NewLive(regions, used, readers), 0)
}
