package windows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/windows/acl"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// files adds the profile's files and folders.
func (s *session) files(ctx context.Context) error {
	for _, f := range s.want.Files {
		name, err := inTree(f.Path)
		if err != nil {
			return err
		}
		if f.Source == "" {
			err = s.write(name, []byte(f.Content), inherited)
		} else {
			err = s.copyTree(ctx, f.Source, name)
		}
		if err != nil {
			return fmt.Errorf("add %s: %w", f.Path, err)
		}
	}
	return nil
}

// copyTree copies a file or a folder of this machine to a place in the tree. It
// refuses links and names that Windows cannot hold, before it writes.
func (t *tree) copyTree(ctx context.Context, source, name string) error {
	var names []string
	err := filepath.WalkDir(source, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir() && !d.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder", file)
		case file != source:
			if err := checkPart(d.Name()); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		names = append(names, file)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	for _, file := range names {
		rest := filepath.ToSlash(strings.TrimPrefix(file, source))
		if err := t.copyOne(ctx, file, path.Join(name, rest)); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) copyOne(ctx context.Context, source, name string) error {
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return t.mkdir(name, inherited)
	}
	if name, err = t.spelled(name); err != nil {
		return err
	}
	if same, err := t.same(ctx, f, name); same || err != nil {
		return err
	}
	if err := t.mkdir(path.Dir(name), inherited); err != nil {
		return err
	}
	return t.replace(ctx, f, name)
}

// replace copies a file of any size to a name in the tree. One that is there hands
// on who may use it.
func (t *tree) replace(ctx context.Context, from *os.File, name string) error {
	descriptor, err := t.root.Xattr(name, acl.Attribute)
	isNew := err != nil
	if err := t.root.Remove(name); err != nil {
		return err
	}
	to, err := t.root.Create(name, rootfs.Attr{Mode: 0o644})
	if err != nil {
		return err
	}
	t.report.Touch(name)
	_, err = io.Copy(to, &stoppable{ctx, from})
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("copy %s: %w", from.Name(), err)
	}
	if isNew {
		return t.protect(name, false, inherited)
	}
	return t.root.SetXattr(name, acl.Attribute, descriptor)
}

// same reports whether name holds what f does, and rewinds f.
func (t *tree) same(ctx context.Context, f *os.File, name string) (bool, error) {
	old, err := t.root.Open(name)
	if err != nil {
		return false, nil // replace says what is wrong
	}
	defer old.Close()
	equal, err := equalContent(&stoppable{ctx, f}, old)
	if err != nil {
		return false, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return equal, err
}

func equalContent(a, b io.Reader) (bool, error) {
	const piece = 1 << 20
	x, y := make([]byte, piece), make([]byte, piece)
	for {
		n, err := io.ReadFull(a, x)
		m, err2 := io.ReadFull(b, y)
		if n != m || !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return true, nil
		}
		if err = errors.Join(err, err2); err != nil {
			return false, err
		}
	}
}

// stoppable ends when ctx is done.
type stoppable struct {
	ctx context.Context
	io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.Reader.Read(p)
}
