package bootenv

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/bootenv/deb"
)

// packageSet is the packages that something is taken of, as one tree of files.
type packageSet struct {
	packages []*opened // in the order of their names
	files    map[string]placed
	notes    []string // packages that are not there
	trouble  []string // with the archive
}

type opened struct {
	*deb.Package
	sum  string
	used bool // something of it is in the environment
}

// placed is an entry of one of the packages.
type placed struct {
	from  *opened
	entry *deb.Entry
}

// open reads packages, several at once, the large ones first.
func (s *shelf) open(ctx context.Context, infos []deb.Info) (*packageSet, error) {
	set := &packageSet{packages: make([]*opened, len(infos)), files: map[string]placed{}}
	order := make([]int, len(infos))
	for i := range infos {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.size(infos[b]), s.size(infos[a])) })
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for _, i := range order {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			name := s.files[infos[i].Name]
			sum, err := s.check(name)
			if err != nil {
				return err
			}
			p, err := deb.Open(name, "")
			if err != nil {
				return err
			}
			set.packages[i] = &opened{Package: p, sum: sum}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		set.close()
		return nil, err
	}
	for _, p := range set.packages {
		set.place(p)
	}
	return set, nil
}

// size is how large the file of a package is.
func (s *shelf) size(i deb.Info) int64 {
	stat, err := os.Stat(s.files[i.Name])
	if err != nil {
		return 0
	}
	return stat.Size()
}

// place adds the files of p. What an earlier package has stays.
func (s *packageSet) place(p *opened) {
	for e := range p.Entries() {
		name := merged(e.Name)
		if _, ok := s.files[name]; !ok && !e.Mode.IsDir() {
			s.files[name] = placed{p, e}
		}
	}
}

// merged is where a file lies on a system whose /bin, /sbin and /lib are links into
// /usr, as the boot environment is; packages of Debian 12 still say the old places.
func merged(name string) string {
	top, _, _ := strings.Cut(name, "/")
	if slices.Contains(mergedFolders, top) {
		return "usr/" + name
	}
	return name
}

var mergedFolders = []string{"bin", "lib", "lib64", "sbin"}

func (s *packageSet) close() {
	for _, p := range s.packages {
		if p != nil {
			p.Close()
		}
	}
}

// newest is the time of the newest file in any package.
func (s *packageSet) newest() (t time.Time) {
	for _, p := range s.packages {
		if p.Built.After(t) {
			t = p.Built
		}
	}
	return t
}

// listed are the packages of which something was taken. It is called last.
func (s *packageSet) listed() (all []Package) {
	for _, p := range s.packages {
		if p.used {
			all = append(all, Package{p.Info.Name, p.Info.Version, p.sum})
		}
	}
	return all
}

// maxLinks is how many symbolic links lead to a file at most.
const maxLinks = 16

// resolve follows links from name to a regular file. It also returns the links on
// the way, the first of them name itself.
func (s *packageSet) resolve(name string) (file placed, at string, links []string, err error) {
	at = merged(name)
	for range maxLinks {
		p, ok := s.files[at]
		if !ok {
			return placed{}, "", nil, fmt.Errorf("no package has %s", at)
		}
		p.from.used = true
		if p.entry.Link == "" {
			return p, at, links, nil
		}
		links = append(links, at)
		at = linkTarget(at, p.entry.Link)
	}
	return placed{}, "", nil, fmt.Errorf("too many links lead from %s", name)
}

// linkTarget is where a link at name leads. As in a chroot, nothing is above the root.
func linkTarget(name, link string) string {
	if !path.IsAbs(link) {
		link = path.Join("/", path.Dir(name), link)
	}
	return merged(strings.TrimPrefix(path.Clean(link), "/"))
}
