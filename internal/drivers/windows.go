package drivers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// Where Windows keeps the INF files of the drivers that it can install by itself.
const (
	infDir   = "Windows/INF"
	storeDir = "Windows/System32/DriverStore/FileRepository"
)

// openWindows reads the INF files of an image. Those in the store that are also
// published, by the same name, are read once.
func openWindows(ctx context.Context, root *rootfs.Root, arch string) (Builtin, []string, error) {
	dir, err := root.Fold(infDir)
	if err != nil {
		return nil, nil, err
	}
	w := infReader{ctx: ctx, root: root, arch: cmp.Or(arch, "amd64"), ids: idSet{}, seen: map[string]bool{}}
	if err := w.folder(dir); err != nil {
		return nil, nil, err
	}
	store, err := root.Fold(storeDir)
	if errors.Is(err, fs.ErrNotExist) {
		return w.ids, w.notes, nil
	}
	if err != nil {
		return nil, nil, err
	}
	packages, err := root.ReadDir(store)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range packages {
		name, _, _ := strings.Cut(strings.ToLower(p.Name()), ".inf_") // e1d.inf_amd64_0123456789abcdef
		if !p.IsDir() || w.seen[name+".inf"] {
			continue
		}
		if err := w.folder(path.Join(store, p.Name())); err != nil {
			return nil, nil, err
		}
	}
	return w.ids, w.notes, nil
}

type infReader struct {
	ctx   context.Context
	root  *rootfs.Root
	arch  string
	ids   idSet
	seen  map[string]bool // names of files, lower case
	notes []string
}

// folder reads the INF files in a folder. One that cannot be read is a note.
func (w *infReader) folder(dir string) error {
	entries, err := w.root.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if e.IsDir() || !isINF(e.Name()) {
			continue
		}
		data, err := w.root.ReadFile(path.Join(dir, e.Name()), maxINF)
		if err != nil {
			if len(w.notes) < maxNotes {
				w.notes = append(w.notes, fmt.Sprintf("%s of the image cannot be read: %v", e.Name(), err))
			}
			continue
		}
		w.seen[strings.ToLower(e.Name())] = true
		for _, id := range ParseINF(data, w.arch).IDs {
			w.ids.add(id)
		}
	}
	return nil
}
