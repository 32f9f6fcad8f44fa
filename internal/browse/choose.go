package browse

import (
	"bytes"

	"github.com/ingot-imaging/ingot/internal/files"
)

// choice says what of a branch is made, and as what.
type choice struct {
	keep  func(below string, e *files.Entry) bool // asked for each entry by its name below the branch
	name  string                                  // of the one file; "": its own
	owner *owner                                  // of everything; nil: as it is
	top   *files.Entry                            // attributes of the directory of the one file
}

type owner struct{ uid, gid uint32 }

// choose makes the branch's volume what c says, which is then what Apply makes.
func (b *branch) choose(c choice) error {
	s := newSelection(b.Listing, c)
	root := b.Listing.Entries[b.at]
	root.Name = ""
	if b.only > 0 {
		root = *c.top
	}
	s.add(b.at, "", root)
	if b.only > 0 {
		e := s.moving(b.only)
		if c.name != "" {
			e.Name = c.name
		}
		s.add(b.only, e.Name, e)
		s.entries[0].Count = 1
	} else {
		s.children()
	}
	chosen := &files.Listing{Kind: b.Listing.Kind, Contents: b.Listing.Contents, Sets: b.Listing.Sets, Entries: s.entries}
	var err error
	b.Volume.Listing, err = files.Parse(bytes.NewReader(chosen.Encode()))
	return err
}

// selection copies entries of a listing into another, whose order is that of all
// listings: directory by directory.
type selection struct {
	choice
	of      *files.Listing
	entries []files.Entry
	from    []int32         // by entry: its number in of
	names   []string        // of directories: below the branch
	moved   map[int32]int32 // files with several names: their numbers in entries
}

// notYet is for files that have no number in the new listing.
const notYet = -1

func newSelection(of *files.Listing, c choice) *selection {
	s := &selection{of: of, choice: c, moved: map[int32]int32{}}
	for i := range of.Entries {
		if e := &of.Entries[i]; e.Type == files.Link {
			s.moved[e.More.Link] = notYet
		}
	}
	return s
}

func (s *selection) add(i int32, below string, e files.Entry) {
	if e.Type != files.Dir {
		below = ""
	}
	if s.owner != nil && e.Type != files.Link {
		e.UID, e.GID = s.owner.uid, s.owner.gid
	}
	s.entries, s.from, s.names = append(s.entries, e), append(s.from, i), append(s.names, below)
}

func (s *selection) children() {
	for n := 0; n < len(s.entries); n++ {
		if s.entries[n].Type != files.Dir {
			continue
		}
		first, end := s.of.Entries[s.from[n]].Children()
		count := int32(0)
		for i := first; i < end; i++ {
			e := s.moving(i)
			name := join(s.names[n], e.Name)
			if !s.keep(name, &e) {
				continue
			}
			if to, ok := s.moved[s.itself(i)]; ok && to == notYet {
				s.moved[s.itself(i)] = int32(len(s.entries))
			}
			s.add(i, name, e)
			count++
		}
		s.entries[n].Count = count
	}
}

// itself is the number of the file that entry i is a name of.
func (s *selection) itself(i int32) int32 {
	if e := &s.of.Entries[i]; e.Type == files.Link {
		return e.More.Link
	}
	return i
}

// moving is entry i for the new listing. Another name of a file that is not in it
// becomes the file.
func (s *selection) moving(i int32) files.Entry {
	e := s.of.Entries[i]
	if e.Type != files.Link {
		return e
	}
	if to := s.moved[e.More.Link]; to != notYet {
		e.More = &files.More{Link: to}
		return e
	}
	name := e.Name
	e = s.of.Entries[e.More.Link]
	e.Name = name
	return e
}

// isDevice reports whether an entry is a device node.
func isDevice(e *files.Entry) bool {
	return e.Type == files.CharDevice || e.Type == files.BlockDevice
}
