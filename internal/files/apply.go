package files

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/progress"
)

// Loss is something that the target's file system cannot hold.
type Loss struct {
	What  string // "attribute security.selinux: operation not supported"
	Files int64
	First string // the first file, below the root
}

// Apply makes every file of the volume in dir, which should be empty: what is
// there already and is no directory is an error. What dir's file system cannot
// hold is returned; the files are there without it.
//
// Directories come first, then what has no bytes, then the files in the order in
// which they lie in the contents, by several goroutines, then other names of
// files, and at last the attributes of directories. Memory is that of the
// listing, about 210 bytes for each file, and of a few pieces of contents.
func (v *Volume) Apply(ctx context.Context, dir string, work *progress.Work) ([]Loss, error) {
	t, err := openTree(dir)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	a := newApplier(v.Listing, t, work)
	defer a.closeAll()
	steps := []func(context.Context) error{
		a.directories,
		a.withoutBytes,
		func(ctx context.Context) error { return v.eachPiece(ctx, a.newWriter) },
		a.links,
		a.late,
		a.finishDirectories,
		a.defaultSubvolume,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return a.losses(), fmt.Errorf("make the files of %s: %w", dir, err)
		}
	}
	return a.losses(), nil
}

// applier makes the files of a listing.
type applier struct {
	*Listing
	tree  *tree
	kind  string // of the target's file system
	stage *progress.Stage
	work  *progress.Work

	mu   sync.Mutex
	open map[datum]*output // files whose bytes come in several pieces
	lost map[string]*Loss
	last []int32 // entries that get attributes once all bytes are there
}

func newApplier(l *Listing, t *tree, work *progress.Work) *applier {
	return &applier{
		Listing: l, tree: t, kind: kindOf(int(t.root.Fd())), work: work, stage: work.Stage("files", l.extentsOf(l.order).Bytes()),
		open: map[datum]*output{}, lost: map[string]*Loss{},
	}
}

// lose remembers what could not be kept of an entry.
func (a *applier) lose(i int32, what string, err error) {
	what = fmt.Sprintf("%s: %v", what, err)
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lost[what]
	if l == nil {
		l = &Loss{What: what, First: "/" + a.Path(i)}
		a.lost[what] = l
	}
	l.Files++
}

func (a *applier) losses() []Loss {
	var all []Loss
	for _, l := range a.lost {
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b Loss) int { return strings.Compare(a.What, b.What) })
	return all
}

// inDirectory calls do with a directory of the listing, open as a place for names.
func (a *applier) inDirectory(i int32, do func(dir int) error) error {
	name := a.Path(i)
	fd, err := a.tree.open(name, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return do(fd)
}

// eachDirectory calls do for every directory of which some entry is wanted, from
// several goroutines.
func (a *applier) eachDirectory(ctx context.Context, wanted func(e *Entry) bool, do func(dir int, i int32) error) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(2*runtime.GOMAXPROCS(0), maxWalkers) {
		g.Go(func() error {
			for {
				i := int32(next.Add(1)) - 1
				if int(i) >= len(a.Entries) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := a.children(i, wanted, do); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// children calls do for those entries of a directory that are wanted.
func (a *applier) children(i int32, wanted func(e *Entry) bool, do func(dir int, i int32) error) error {
	d := &a.Entries[i]
	if d.Type != Dir || !slices.ContainsFunc(a.Entries[d.First:d.First+d.Count], func(e Entry) bool { return wanted(&e) }) {
		return nil
	}
	return a.inDirectory(i, func(dir int) error {
		for n := d.First; n < d.First+d.Count; n++ {
			if e := &a.Entries[n]; !wanted(e) {
				continue
			}
			if err := do(dir, n); err != nil {
				return failure("make", "/"+a.Path(n), err)
			}
		}
		return nil
	})
}

// directories makes all directories, each after the one that it is in. Nobody
// else can enter them until they have their modes.
func (a *applier) directories(ctx context.Context) error {
	isDir := func(e *Entry) bool { return e.Type == Dir }
	for i := range a.Entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.children(int32(i), isDir, func(dir int, n int32) error { return a.makeDirectory(ctx, dir, n) }); err != nil {
			return err
		}
	}
	return nil
}

// links gives files their other names.
func (a *applier) links(ctx context.Context) error {
	isLink := func(e *Entry) bool { return e.Type == Link }
	return a.eachDirectory(ctx, isLink, func(dir int, n int32) error {
		to := &a.Entries[a.Entries[n].More.Link]
		return a.inDirectory(to.Parent, func(from int) error {
			return again(func() error { return unix.Linkat(from, to.Name, dir, a.Entries[n].Name, 0) })
		})
	})
}

// late gives attributes to files that could not have them before.
func (a *applier) late(ctx context.Context) error {
	slices.Sort(a.last)
	for _, n := range a.last {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := &a.Entries[n]
		err := a.inDirectory(e.Parent, func(dir int) error { return a.finishByName(dir, n, true) })
		if err != nil {
			return failure("set the attributes of", "/"+a.Path(n), err)
		}
	}
	return nil
}

// finishDirectories goes from the last directory, which is deepest, to the root.
func (a *applier) finishDirectories(ctx context.Context) error {
	for n := int32(len(a.Entries)) - 1; n >= 0; n-- {
		if a.Entries[n].Type != Dir {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.finishDirectory(ctx, n); err != nil {
			return failure("set the attributes of", "/"+a.Path(n), err)
		}
	}
	return nil
}
