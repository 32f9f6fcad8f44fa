package bootenv

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// tree is the files of the RAM disk by their paths.
type tree map[string]*node

type node struct {
	mode         fs.FileMode
	content      *io.SectionReader // of a regular file
	link         string            // of a symbolic link
	major, minor uint32            // of a character device
}

// put adds n and the folders above it. What is there already stays; a link in place
// of a folder is an error.
func (t tree) put(name string, n *node) error {
	if !fs.ValidPath(name) || name == "." {
		return fmt.Errorf("%q is no name for a file of the RAM disk", name)
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		above := t[dir]
		if above == nil {
			t[dir] = &node{mode: fs.ModeDir | 0o755}
		} else if !above.mode.IsDir() {
			return fmt.Errorf("%s would lie below %s, which is no folder", name, dir)
		}
	}
	if t[name] == nil {
		t[name] = n
	}
	return nil
}

func (t tree) putText(name string, mode fs.FileMode, text string) error {
	return t.put(name, &node{mode: mode, content: section(text)})
}

func (t tree) putLink(name, target string) error {
	return t.put(name, &node{mode: fs.ModeSymlink | 0o777, link: target})
}

func section(text string) *io.SectionReader {
	return io.NewSectionReader(strings.NewReader(text), 0, int64(len(text)))
}

// sorted are the names, folders before what is in them.
func (t tree) sorted() []string { return slices.Sorted(maps.Keys(t)) }

// take adds the file at name, and the links that lead to it, as they are in the
// packages.
func (t tree) take(s *packageSet, name string) (placed, error) {
	file, at, links, err := s.resolve(name)
	if err != nil {
		return placed{}, err
	}
	for _, link := range links {
		if err := t.putLink(link, s.files[link].entry.Link); err != nil {
			return placed{}, err
		}
	}
	return file, t.put(at, &node{mode: file.entry.Mode.Perm(), content: file.from.Content(file.entry)})
}
