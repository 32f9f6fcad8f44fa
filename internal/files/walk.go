package files

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/image"
)

// WalkOptions say what is taken of a tree.
type WalkOptions struct {
	Kind    string            // of the file system, as volume.Info.Kind; "": the kernel is asked
	Spec    map[string]string // kept in the listing
	Exclude []string          // patterns of what is left out
	All     bool              // leave out nothing by default
	Only    string            // the one entry of the root that is taken; "": all of them
	Live    bool              // others may write to the tree meanwhile: look whether they did

	// Place tells where on the disk the first byte of an open file lies; false: it
	// is not known. With nil, files lie in the contents as they are found.
	Place func(fd int) (int64, bool)
}

// Tree is a tree of files as Walk found it.
type Tree struct {
	Listing *Listing
	Omitted []image.Omission // what was left out, and how much of it; 0 bytes: not known
	Notes   []string         // sentences about what a listing cannot hold

	tree   *tree
	live   bool
	ahead  ahead
	stamps []Time // of live trees: when each entry changed last

	mu      sync.Mutex
	changed map[datum]string // what changed while it was read
}

// Close lets go of the tree.
func (t *Tree) Close() error {
	t.ahead.stop()
	return t.tree.Close()
}

// Walk reads names and attributes of everything below dir that is in the same
// mounted file system. The tree stays open, for its contents, until it is closed.
// It takes about 230 bytes of memory for each file, and its listing 60.
func Walk(ctx context.Context, dir string, opts WalkOptions) (*Tree, error) {
	root, err := openTree(dir)
	if err != nil {
		return nil, err
	}
	w, err := newWalker(root, opts)
	if err == nil {
		err = w.run(ctx)
	}
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("walk %s: %w", dir, err)
	}
	return w.result(), nil
}

// walker goes through a tree level by level, so that the entries come out in the
// listing's order: the directories of a level are read by several goroutines, and
// what they found is put together afterwards.
type walker struct {
	opts    WalkOptions
	tree    *tree
	out     *Tree
	mount   uint64 // that of the root
	rules   []pattern
	omitted []omission // by rule
	sets    *attrSets
	links   map[inode]int32
	places  []int64 // by entry: where it lies on the disk
}

type omission struct{ files, bytes atomic.Int64 }

type inode struct{ dev, ino uint64 }

// found is an entry before it has a number.
type found struct {
	Entry
	set    []Attr
	inode  inode
	linked bool // it has other names
	leaf   bool // a directory that is not entered
	place  int64
	stamp  Time
}

func newWalker(t *tree, opts WalkOptions) (*walker, error) {
	st, err := statFD(int(t.root.Fd()))
	if err != nil {
		return nil, err
	}
	if opts.Kind == "" {
		opts.Kind = kindOf(int(t.root.Fd()))
	}
	w := &walker{opts: opts, tree: t, out: &Tree{tree: t, live: opts.Live}, mount: mountOf(&st),
		sets: newAttrSets(), links: map[inode]int32{}}
	if err := w.addRules(); err != nil {
		return nil, err
	}
	w.omitted = make([]omission, len(w.rules))
	if opts.Kind == "ntfs" && !hasACL(int(t.root.Fd())) {
		w.out.Notes = append(w.out.Notes, "its driver does not show security descriptors: they are not taken; ntfs-3g shows them")
	}
	w.out.Listing = &Listing{Kind: opts.Kind, Spec: opts.Spec}
	return w, nil
}

// addRules collects the patterns of what is left out.
func (w *walker) addRules() error {
	texts := slices.Clone(w.opts.Exclude)
	if !w.opts.All {
		texts = append(texts, w.defaultRules()...)
	}
	for _, text := range texts {
		p, err := newPattern(text, w.opts.Kind == "ntfs")
		if err != nil {
			return err
		}
		w.rules = append(w.rules, p)
	}
	return nil
}

func (w *walker) defaultRules() []string {
	var texts []string
	for _, d := range defaults {
		there := d.kind == "" || d.kind == w.opts.Kind
		for _, sign := range d.signs {
			fd, err := w.tree.open(sign, pathOnly, 0)
			closeFD(fd)
			there = there && err == nil
		}
		if there {
			texts = append(texts, d.patterns...)
		}
	}
	return texts
}

// run goes through the levels.
func (w *walker) run(ctx context.Context) error {
	l := w.out.Listing
	l.Entries = []Entry{{Type: Dir}}
	w.places, w.out.stamps = []int64{-1}, []Time{{}}
	for level, depth := []int32{0}, 0; len(level) > 0; depth++ {
		if depth > maxDepth {
			return fmt.Errorf("/%s lies more than %d directories deep", l.Path(level[0]), maxDepth)
		}
		all, err := w.readLevel(ctx, level)
		if err != nil {
			return err
		}
		var next []int32
		for i, dir := range level {
			next = append(next, w.add(dir, &all[i])...)
			all[i] = contents{}
		}
		level = next
	}
	l.Sets = w.sets.sets
	w.placeAll()
	if l.Entries[0].more().Subvolume && w.opts.Only == "" {
		return w.addDefaultSubvolume(ctx)
	}
	return nil
}

// contents are a directory and its entries.
type contents struct {
	self    found
	entries []found
}

// maxWalkers bounds how many directories are read at once.
const maxWalkers = 8

func (w *walker) readLevel(ctx context.Context, level []int32) ([]contents, error) {
	all := make([]contents, len(level))
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(2*runtime.GOMAXPROCS(0), maxWalkers, len(level)) {
		g.Go(func() error {
			r := newDirReader(w)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(level) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				var err error
				if all[i], err = r.read(level[i]); err != nil {
					return err
				}
			}
		})
	}
	return all, g.Wait()
}

// add puts a directory and its entries into the listing, and returns those of
// them that are to be read.
func (w *walker) add(dir int32, c *contents) (dirs []int32) {
	l := w.out.Listing
	d := &l.Entries[dir]
	c.self.Name, c.self.Parent, c.self.First = d.Name, d.Parent, int32(len(l.Entries))
	c.self.Attrs = w.sets.add(c.self.set)
	*d, w.out.stamps[dir] = c.self.Entry, c.self.stamp
	slices.SortFunc(c.entries, func(a, b found) int { return cmp.Compare(a.Name, b.Name) })
	for i := range c.entries {
		f := &c.entries[i]
		n := int32(len(l.Entries))
		f.Parent, f.Attrs = dir, w.sets.add(f.set)
		if f.linked {
			if to, ok := w.links[f.inode]; ok {
				f.Entry = Entry{Name: f.Name, Parent: dir, Type: Link, More: &More{Link: to}}
			} else {
				w.links[f.inode] = n
			}
		}
		l.Entries, w.places, w.out.stamps = append(l.Entries, f.Entry), append(w.places, f.place), append(w.out.stamps, f.stamp)
		if f.Type == Dir && !f.leaf {
			dirs = append(dirs, n)
		}
	}
	l.Entries[dir].Count = int32(len(c.entries))
	return dirs
}

// noteMount remembers a directory under which another file system is mounted.
func (w *walker) noteMount(name string) {
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	w.out.Notes = append(w.out.Notes, fmt.Sprintf("what is mounted at /%s is not part of this volume", name))
}

func (w *walker) result() *Tree {
	for i := range w.rules {
		if o := &w.omitted[i]; o.files.Load() > 0 {
			w.out.Omitted = append(w.out.Omitted, image.Omission{Name: w.rules[i].text, Bytes: o.bytes.Load()})
		}
	}
	slices.Sort(w.out.Notes)
	return w.out
}
