package linux

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// preview is the report of a draft that is not carried out.
func (d *draft) preview() *customise.Report {
	for _, name := range d.order {
		if c := d.changes[name]; c.kind != removed || !c.fresh {
			d.report.Touch(name)
		}
	}
	return &d.report
}

// commit carries the draft out, in the order in which it was made.
func (d *draft) commit(ctx context.Context) (*customise.Report, error) {
	for _, name := range d.order {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := d.carryOut(ctx, name, d.changes[name]); err != nil {
			return nil, err
		}
	}
	return d.preview(), nil
}

func (d *draft) carryOut(ctx context.Context, name string, c *change) error {
	switch c.kind {
	case removed:
		return d.root.Remove(name)
	case linked:
		if err := d.root.Symlink(c.target, name); err != nil {
			return err
		}
		return d.root.Chown(name, c.attr.UID, c.attr.GID)
	case made:
		return d.root.Mkdir(name, c.attr)
	case copied:
		return d.copy(ctx, name, c)
	}
	if c.fresh {
		return d.root.WriteFile(name, c.data, c.attr)
	}
	return d.replace(name, c)
}

// replace writes over a file that is there. Package rootfs keeps its extended
// attributes, labels of SELinux among them, when mode and owner are kept, too: so
// these follow.
func (d *draft) replace(name string, c *change) error {
	if err := d.root.WriteFile(name, c.data, rootfs.Attr{}); err != nil || c.keep {
		return err
	}
	if err := d.root.Chown(name, c.attr.UID, c.attr.GID); err != nil {
		return err
	}
	return d.root.Chmod(name, c.attr.Mode)
}

// source is a large file to copy: one of this host, or of the image.
type source struct {
	host  string
	image string
}

func (s source) open(root *rootfs.Root) (*os.File, error) {
	if s.image != "" {
		return root.Open(s.image)
	}
	return os.Open(s.host)
}

// copy makes a file out of another one, piece by piece.
func (d *draft) copy(ctx context.Context, name string, c *change) (err error) {
	in, err := c.source.open(d.root)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := d.root.Remove(name); err != nil {
		return err
	}
	out, err := d.root.Create(name, c.attr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, reader{ctx, in}); err != nil {
		return fmt.Errorf("copy to %s: %w", name, err)
	}
	return out.Sync()
}

// reader ends when its context does.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// maxHeld is the largest file that a draft holds in memory.
const maxHeld = 1 << 20

// stageCopy makes name a copy of a file: now, when it is small.
func (d *draft) stageCopy(name string, s source, a rootfs.Attr) error {
	in, err := s.open(d.root)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "copy", Path: in.Name(), Err: errors.New("it is not a regular file")}
	}
	if info.Size() <= maxHeld {
		data, err := io.ReadAll(io.LimitReader(in, maxHeld))
		if err != nil {
			return err
		}
		return d.writeAs(name, data, a)
	}
	at, e, there, err := d.writable(name)
	if err != nil {
		return err
	}
	if there && e.has(a) && e.size == info.Size() && d.sameAs(at, in) {
		return nil
	}
	if err := d.mkdirs(path.Dir(at)); err != nil {
		return err
	}
	d.set(at, &change{kind: copied, source: s, attr: a})
	return nil
}

// sameAs reports whether a file of the image holds what in does.
func (d *draft) sameAs(name string, in io.Reader) bool {
	old, err := d.root.Open(name)
	if err != nil {
		return false
	}
	defer old.Close()
	a, b := make([]byte, maxHeld), make([]byte, maxHeld)
	for {
		n, err := io.ReadFull(in, a)
		k, _ := io.ReadFull(old, b)
		if !bytes.Equal(a[:n], b[:k]) {
			return false
		}
		if err != nil {
			return err == io.EOF || err == io.ErrUnexpectedEOF
		}
	}
}
