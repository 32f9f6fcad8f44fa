package bootenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/bootenv/apt"
	"github.com/ingot-imaging/ingot/internal/bootenv/deb"
)

// lookup finds packages by name.
type lookup func(names []string) (map[string]deb.Info, error)

// shelf is a folder of packages.
type shelf struct {
	dir   string
	infos map[string]deb.Info // the newest of each name
	files map[string]string   // by name of the package
	sums  map[string]string   // what SHA256SUMS says, by name of the file
}

// gather returns the packages that r needs, from the folder and from the archive.
func gather(ctx context.Context, c Config, r recipe) (*packageSet, error) {
	if c.Packages == "" {
		return nil, fmt.Errorf("no folder was named for Debian packages")
	}
	if err := os.MkdirAll(c.Packages, 0o755); err != nil {
		return nil, err
	}
	s, err := readShelf(c.Packages)
	if err != nil {
		return nil, err
	}
	wanted, missing, err := closure(r, s.find)
	if err != nil {
		return nil, err
	}
	var trouble []string
	if !c.Offline && (c.Update || len(missing) > 0) {
		if wanted, missing, trouble, err = s.fetch(ctx, c, r); err != nil {
			return nil, err
		}
	}
	var notes []string
	for _, name := range missing {
		if !slices.Contains(r.optional, name) {
			return nil, fmt.Errorf("the package %s is not in %s%s", name, c.Packages, whyMissing(c, trouble))
		}
		notes = append(notes, "without the package "+name+", which is not to be had")
	}
	c.Progress(fmt.Sprintf("reading %d packages", len(wanted)))
	set, err := s.open(ctx, wanted)
	if err != nil {
		return nil, err
	}
	set.notes, set.trouble = notes, trouble
	return set, nil
}

func whyMissing(c Config, trouble []string) string {
	switch {
	case c.Offline:
		return ", and nothing was to be fetched"
	case len(trouble) > 0:
		return ", nor in the archive: " + strings.Join(trouble, "; ")
	}
	return ", nor in the archive"
}

// readShelf reads what packages lie in dir.
func readShelf(dir string) (*shelf, error) {
	s := &shelf{dir, map[string]deb.Info{}, map[string]string{}, map[string]string{}}
	names, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.deb"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		info, err := deb.ReadInfo(name)
		if err != nil {
			return nil, err
		}
		if info.Architecture != "amd64" && info.Architecture != "all" {
			continue
		}
		if old, ok := s.infos[info.Name]; !ok || deb.CompareVersions(info.Version, old.Version) > 0 {
			s.infos[info.Name], s.files[info.Name] = info, name
		}
	}
	return s, s.readSums()
}

// escapeGlob keeps what a folder is called from being a pattern.
func escapeGlob(dir string) string {
	return regexp.MustCompile(`[*?\[\\]`).ReplaceAllString(dir, `\$0`)
}

func (s *shelf) find(names []string) (map[string]deb.Info, error) {
	found := map[string]deb.Info{}
	for _, name := range names {
		if i, ok := s.infos[name]; ok {
			found[name] = i
		}
	}
	return found, nil
}

// fetch asks the archive what the newest packages are and gets those that the folder
// lacks. Trouble with lists is no error.
func (s *shelf) fetch(ctx context.Context, c Config, r recipe) (wanted []deb.Info, missing, trouble []string, err error) {
	c.Progress("fetching lists of packages")
	archive, err := apt.Open(ctx, c.Sources)
	if err != nil {
		return nil, nil, nil, err
	}
	defer archive.Close()
	if err := archive.Trouble(); err != nil {
		trouble = append(trouble, "some lists could not be fetched: "+err.Error())
	}
	wanted, missing, err = closure(r, func(names []string) (map[string]deb.Info, error) { return archive.Find(ctx, names) })
	if err != nil {
		return nil, nil, nil, err
	}
	var lacking []deb.Info
	var size int64
	for _, i := range wanted {
		if sum := s.sums[i.FileName()]; s.infos[i.Name].Version != i.Version || sum != i.SHA256 {
			lacking = append(lacking, i)
			size += i.Size
		}
	}
	if len(lacking) > 0 {
		c.Progress(fmt.Sprintf("fetching %d packages, %d MiB", len(lacking), size>>20))
		if err := archive.Fetch(ctx, lacking, s.dir); err != nil {
			return nil, nil, nil, err
		}
	}
	for _, i := range wanted {
		s.files[i.Name], s.sums[i.FileName()] = filepath.Join(s.dir, i.FileName()), i.SHA256
	}
	return wanted, missing, trouble, s.writeSums()
}

// followed are packages that are needed because another one depends on them: shared
// libraries, and the kernel that a metapackage means. What else packages depend on is
// for installing them, which is not done here.
var followed = regexp.MustCompile(`^(lib|zlib1g$|linux-image-[0-9])`)

// closure returns the packages of r and what they need, in the order of their names,
// and the names of those that are not there.
func closure(r recipe, find lookup) (wanted []deb.Info, missing []string, err error) {
	found := map[string]deb.Info{}
	for asked := r.packages(); len(asked) > 0; {
		asked = slices.DeleteFunc(asked, func(name string) bool { _, ok := found[name]; return ok })
		slices.Sort(asked)
		asked = slices.Compact(asked)
		infos, err := find(asked)
		if err != nil {
			return nil, nil, err
		}
		var next []string
		for _, name := range asked {
			i, ok := infos[name]
			if !ok && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
			if !ok {
				continue
			}
			found[name] = i
			next = append(next, dependencies(i)...)
		}
		asked = slices.DeleteFunc(next, func(name string) bool { return slices.Contains(missing, name) })
	}
	for _, i := range found {
		wanted = append(wanted, i)
	}
	slices.SortFunc(wanted, func(a, b deb.Info) int { return strings.Compare(a.Name, b.Name) })
	return wanted, missing, nil
}

// dependencies are the packages that i needs at run time. Of alternatives the first
// is Debian's choice.
func dependencies(i deb.Info) (names []string) {
	for _, alternatives := range i.Depends {
		if name := alternatives[0]; followed.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}
