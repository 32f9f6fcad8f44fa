package mount

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// fat mounts FAT by the kernel. Where that has no driver for it, the files are
// copied into the folder by mtools, and what was changed there is copied back
// when the mount is closed.
func fat(ctx context.Context, m *Mount, path, kind string, opts Options) error {
	dev, err := m.attach(path, opts)
	if err != nil {
		return err
	}
	err = m.mount(dev, kind, opts)
	var no *KindError
	if !errors.As(err, &no) {
		return err
	}
	if tool.Need(tool.Mcopy, tool.Mdel, tool.Mmd, tool.Mrd) != nil {
		return &KindError{kind, no.Why + ", and mtools is not installed"}
	}
	return m.stage(ctx, fmt.Sprintf("%s@@%d", path, opts.Offset), opts)
}

// stage copies all files out, and announces the way back. dev is a file or device
// with an offset, as mtools takes it.
func (m *Mount) stage(ctx context.Context, dev string, opts Options) error {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty, and files of a FAT volume are to be copied there", m.Dir)
	}
	if err := m.copyOut(ctx, dev); err != nil {
		return err
	}
	before, err := look(m.Dir)
	if err != nil {
		return err
	}
	m.first(func() error {
		var err error
		if !opts.ReadOnly {
			err = m.copyBack(context.WithoutCancel(ctx), dev, before)
		}
		return errors.Join(err, empty(m.Dir))
	})
	return nil
}

// copyOut copies the tree. mcopy fails on a volume without a single file, which
// mdir tells from one that it cannot read.
func (m *Mount) copyOut(ctx context.Context, dev string) error {
	_, err := tool.Command{Name: tool.Mcopy, Args: []string{"-Q", "-s", "-n", "-p", "-m", "-i", dev, "::*", m.Dir + "/"}}.Run(ctx)
	var failed *tool.FailedError
	if !errors.As(err, &failed) {
		return err
	}
	var listing bytes.Buffer // without the warnings that mtools has for some devices
	said, lerr := tool.Command{Name: tool.Mdir, Args: []string{"-a", "-b", "-i", dev, "::"}, OK: []int{1}, Out: &listing}.Run(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if lerr == nil && (said.Code == 0 && len(bytes.TrimSpace(listing.Bytes())) == 0 || strings.Contains(said.Output, `File "*" not found`)) {
		return nil
	}
	return err
}

// staged is what tells whether a file was changed. Times have the two seconds
// that FAT keeps; what is written later differs in size or time of change.
type staged struct {
	name  string // relative
	dir   bool
	size  int64
	mtime time.Time
	inode uint64
}

func look(dir string) ([]staged, error) {
	var all []staged
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.IsDir() && !info.Mode().IsRegular() {
			return fmt.Errorf("%s: FAT has no such kind of file", path)
		}
		name, _ := filepath.Rel(dir, path)
		all = append(all, staged{name, info.IsDir(), info.Size(), changedAt(info), inodeOf(info)})
		return nil
	})
	return all, err
}

// copyBack brings the volume to what the folder holds: removals first, deepest
// first, then folders and files, parents first.
func (m *Mount) copyBack(ctx context.Context, dev string, before []staged) error {
	after, err := look(m.Dir)
	if err != nil {
		return err
	}
	byName := func(a, b staged) int { return cmp.Compare(a.name, b.name) }
	slices.SortFunc(before, byName)
	slices.SortFunc(after, byName)
	for _, old := range slices.Backward(before) {
		i, found := slices.BinarySearchFunc(after, old, byName)
		if found && after[i].dir == old.dir {
			continue
		}
		name := tool.Mdel
		if old.dir {
			name = tool.Mrd
		}
		if _, err := (tool.Command{Name: name, Args: []string{"-i", dev, mtoolsName(old.name)}}).Run(ctx); err != nil {
			return err
		}
	}
	for _, now := range after {
		i, found := slices.BinarySearchFunc(before, now, byName)
		switch {
		case now.dir && found && before[i].dir, found && sameFile(before[i], now):
			continue
		case now.dir:
			_, err = tool.Command{Name: tool.Mmd, Args: []string{"-i", dev, mtoolsFolder(now.name) + filepath.Base(now.name)}}.Run(ctx)
		default:
			_, err = tool.Command{Name: tool.Mcopy, Args: []string{"-Q", "-o", "-m", "-i", dev, filepath.Join(m.Dir, now.name), mtoolsFolder(now.name)}}.Run(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sameFile(a, b staged) bool {
	return !a.dir && !b.dir && a.size == b.size && a.mtime.Equal(b.mtime) && a.inode == b.inode
}

// mtoolsName is a name on the volume as mtools takes it: what it would take for a
// pattern escaped, of which FAT allows the brackets in a name. The last element of
// a folder that is to be made is no pattern.
func mtoolsName(name string) string {
	return "::/" + strings.NewReplacer("[", `\[`, "]", `\]`).Replace(name)
}

// mtoolsFolder is the folder that holds name.
func mtoolsFolder(name string) string {
	if dir := filepath.Dir(name); dir != "." {
		return mtoolsName(dir) + "/"
	}
	return "::/"
}

// empty removes what is in dir.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}
