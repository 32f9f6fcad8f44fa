package drivers

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// maxFiles bounds a library; vendors' packs for a thousand models have fewer.
const maxFiles = 2 << 20

// Load reads what sets there are below a folder: names and match files, not yet
// the drivers. Problems are what is wrong in them; a set with a problem is left
// out, the others are there.
func Load(fsys fs.FS) (*Library, []profile.Problem, error) {
	l := loader{fsys: fsys, matches: map[string]string{}, sets: map[string]*Set{}, broken: map[string]bool{}}
	if err := fs.WalkDir(fsys, ".", l.visit); err != nil {
		return nil, nil, fmt.Errorf("read the driver library: %w", err)
	}
	if err := l.readMatches(); err != nil {
		return nil, nil, fmt.Errorf("read the driver library: %w", err)
	}
	for _, f := range l.files {
		l.place(f)
	}
	lib := &Library{fsys: fsys}
	for _, s := range l.sets {
		if s.Imported {
			s.guessOS()
		}
		lib.Sets = append(lib.Sets, *s)
	}
	slices.SortFunc(lib.Sets, func(a, b Set) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(l.problems, func(a, b profile.Problem) int { return strings.Compare(a.File, b.File) })
	return lib, l.problems, nil
}

type loader struct {
	fsys     fs.FS
	files    []found
	matches  map[string]string // folder → its match.yaml
	sets     map[string]*Set   // by folder
	broken   map[string]bool   // folders of sets that are left out, or were complained of
	problems []profile.Problem
}

type found struct {
	name string
	size int64
}

func (l *loader) complain(file, format string, args ...any) {
	l.problems = append(l.problems, profile.Problem{File: file, Message: fmt.Sprintf(format, args...)})
}

func (l *loader) visit(name string, e fs.DirEntry, err error) error {
	switch {
	case err != nil:
		if name == "." {
			return err
		}
		l.complain(name, "it cannot be read: %v", err)
		return nil
	case name != "." && strings.HasPrefix(e.Name(), "."):
		if e.IsDir() {
			return fs.SkipDir
		}
		return nil
	case e.IsDir():
		return nil
	case !e.Type().IsRegular():
		l.complain(name, "it is neither a file nor a folder, and is left out")
		return nil
	case strings.EqualFold(e.Name(), matchName):
		l.matches[path.Dir(name)] = name
		return nil
	case strings.EqualFold(e.Name(), "match.yml"):
		l.complain(name, "name it %s", matchName)
		return nil
	}
	info, err := e.Info()
	if err != nil {
		l.complain(name, "it cannot be read: %v", err)
		return nil
	}
	l.files = append(l.files, found{name, info.Size()})
	if len(l.files) > maxFiles {
		return fmt.Errorf("it has more than %d files", maxFiles)
	}
	return nil
}

// readMatches makes a set of each folder with a match.yaml.
func (l *loader) readMatches() error {
	for dir, file := range l.matches {
		if outer := l.owner(dir); outer != dir {
			l.complain(file, "it lies inside the set %s, and is not looked at", outer)
			continue
		}
		data, err := readBounded(l.fsys, file, maxMatch+1)
		if err != nil {
			return err
		}
		match, problems := parseMatch(file, data)
		if len(problems) > 0 {
			l.problems = append(l.problems, problems...)
			l.broken[dir] = true
			continue
		}
		l.sets[dir] = &Set{Name: dir, Match: match}
	}
	return nil
}

func readBounded(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// owner returns the outermost folder with a match.yaml that dir lies in, "" when
// there is none.
func (l *loader) owner(dir string) string {
	elems := strings.Split(dir, "/")
	if _, ok := l.matches["."]; ok {
		return "."
	}
	for i := range elems {
		if outer := path.Join(elems[:i+1]...); l.matches[outer] != "" {
			return outer
		}
	}
	return ""
}

// place gives a file to its set.
func (l *loader) place(f found) {
	dir := l.owner(path.Dir(f.name))
	if dir == "" {
		dir = l.imported(f.name)
	}
	s := l.sets[dir]
	if s == nil {
		return
	}
	s.files = append(s.files, f.name)
	s.Bytes += f.size
}

// imported finds the set of a file in a tree of maker and model, and makes it when
// it is new; "" when the file is in none.
func (l *loader) imported(name string) string {
	elems := strings.Split(path.Dir(name), "/")
	rest := elems
	if len(rest) > 0 && strings.EqualFold(rest[0], "Out-of-box Drivers") {
		rest = rest[1:]
	}
	match := Match{}
	if len(rest) > 0 {
		if os, version, ok := osFolder(rest[0]); ok {
			if os == "" {
				return "" // for Windows PE, which ingot does not use
			}
			match.OS, rest = os, rest[1:]
			if version != "" {
				match.Versions = []string{version}
			}
		}
	}
	if len(rest) < 2 {
		if dir := path.Dir(name); isDriver(name) && !l.broken[dir] {
			l.broken[dir] = true
			l.complain(dir, "it holds drivers and is in no set: give it a %s, or put it into folders of maker and model", matchName)
		}
		return ""
	}
	dir := path.Join(elems[:len(elems)-len(rest)+2]...)
	if l.sets[dir] == nil {
		match.Maker, match.Model = []string{rest[0]}, []string{rest[1]}
		l.sets[dir] = &Set{Name: dir, Match: match, Imported: true}
	}
	return dir
}

var osName = regexp.MustCompile(`(?i)^(?:(win(?:dows)?[ _-]?pe)\b.*|win(?:dows)?[ _-]*(\d+(?:\.\d+)?)?\b.*|(linux))$`)

// osFolder knows the folders that many trees have above those of the makers; os
// is "" for Windows PE.
func osFolder(name string) (os OS, version string, ok bool) {
	m := osName.FindStringSubmatch(name)
	switch {
	case m == nil:
		return "", "", false
	case m[1] != "":
		return "", "", true
	case m[3] != "":
		return Linux, "", true
	}
	return Windows, m[2], true
}

// guessOS says what an imported set is for: one with INF files for Windows.
func (s *Set) guessOS() {
	if s.Match.OS != "" {
		return
	}
	s.Match.OS = Linux
	if slices.ContainsFunc(s.files, isINF) {
		s.Match.OS = Windows
	}
}
