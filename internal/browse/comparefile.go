package browse

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
)

// trees compares the files of two volumes.
func (c *comparison) trees(ctx context.Context, n int) error {
	a, err := c.a.Volume(ctx, n)
	if err != nil {
		return err
	}
	b, err := c.b.Volume(ctx, n)
	if err != nil {
		return err
	}
	c.chunks = [2]chunkFinder{c.a.chunksOf(n), c.b.chunksOf(n)}
	ea, err := a.Lstat("")
	if err != nil {
		return err
	}
	eb, err := b.Lstat("")
	if err != nil {
		return err
	}
	return c.pair(ctx, pairOf{a, b, n}, "", &ea, &eb)
}

// pairOf are the trees that are being compared.
type pairOf struct {
	a, b      *Tree
	partition int
}

// pair compares two files of one name, and what is below them.
func (c *comparison) pair(ctx context.Context, t pairOf, name string, a, b *Entry) error {
	d, err := c.entries(ctx, t, name, a, b)
	if err != nil {
		return err
	}
	if len(d) > 0 {
		if err := c.differ(Difference{Partition: t.partition, Path: "/" + name, Change: Changed, Dir: a.IsDir() && b.IsDir(), Details: d}); err != nil {
			return err
		}
	}
	if !a.IsDir() || !b.IsDir() {
		return nil
	}
	return c.directory(ctx, t, name)
}

func (c *comparison) directory(ctx context.Context, t pairOf, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ea, err := t.a.ReadDir(name)
	if err != nil {
		return err
	}
	eb, err := t.b.ReadDir(name)
	if err != nil {
		return err
	}
	return merge(ea, eb, func(x, y Entry) int { return cmp.Compare(x.Name, y.Name) }, func(x, y *Entry) error {
		switch {
		case x == nil:
			return c.differ(Difference{Partition: t.partition, Path: "/" + join(name, y.Name), Change: Added, Dir: y.IsDir()})
		case y == nil:
			return c.differ(Difference{Partition: t.partition, Path: "/" + join(name, x.Name), Change: Removed, Dir: x.IsDir()})
		}
		return c.pair(ctx, t, join(name, x.Name), x, y)
	})
}

// entries compares what two files are; of regular ones their bytes too.
func (c *comparison) entries(ctx context.Context, t pairOf, name string, a, b *Entry) (details, error) {
	var d details
	if a.Mode.Type() != b.Mode.Type() {
		d.add("type", TypeOf(a.Mode), TypeOf(b.Mode))
		return d, nil
	}
	d.add("mode", Permissions(a.Mode), Permissions(b.Mode))
	d.add("owner", fmt.Sprintf("%d:%d", a.UID, a.GID), fmt.Sprintf("%d:%d", b.UID, b.GID))
	d.add("target", a.Target, b.Target)
	d.add("device", fmt.Sprintf("%d:%d", a.Major, a.Minor), fmt.Sprintf("%d:%d", b.Major, b.Minor))
	if a.IsDir() {
		return d, nil
	}
	d.add("time", a.Mtime.UTC().Format(timeFormat), b.Mtime.UTC().Format(timeFormat))
	d.add("size", a.Size, b.Size)
	if !a.Mode.IsRegular() || a.Size != b.Size || a.Size == 0 {
		return d, nil
	}
	same, err := c.sameBytes(ctx, t, name, a.Mtime.Equal(b.Mtime) && !c.opts.Content)
	if err == nil && !same {
		d = append(d, Detail{What: "content"})
	}
	return d, err
}

const timeFormat = "2006-01-02T15:04:05.999999999Z"

// Permissions are the permission bits of a mode with set-user-ID, set-group-ID
// and sticky bit, in octal.
func Permissions(m fs.FileMode) string {
	bits := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return fmt.Sprintf("%04o", bits)
}
