package files

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// shadows are names under which XFS lists access control lists a second time.
var shadows = [...]string{"trusted.SGI_ACL_FILE", "trusted.SGI_ACL_DEFAULT"}

// attrReader reads extended attributes with buffers of its own.
type attrReader struct{ names, value []byte }

func newAttrReader() *attrReader {
	return &attrReader{make([]byte, maxAttr), make([]byte, maxAttr)}
}

// attrSource is a file by which attributes are listed and read: an open one, or
// one that is named.
type attrSource struct {
	list func(dest []byte) (int, error)
	get  func(name string, dest []byte) (int, error)
}

func attrsOfFD(fd int) attrSource {
	return attrSource{
		func(dest []byte) (int, error) { return unix.Flistxattr(fd, dest) },
		func(name string, dest []byte) (int, error) { return unix.Fgetxattr(fd, name, dest) },
	}
}

func attrsOfName(path string) attrSource {
	return attrSource{
		func(dest []byte) (int, error) { return unix.Llistxattr(path, dest) },
		func(name string, dest []byte) (int, error) { return unix.Lgetxattr(path, name, dest) },
	}
}

// read returns the attributes that are listed, and of the unlisted ones those
// that are there, sorted by name.
func (r *attrReader) read(from attrSource, unlisted []string) ([]Attr, error) {
	n, err := from.list(r.names)
	if err != nil && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.ENOSYS) {
		return nil, err
	}
	if n <= 0 && len(unlisted) == 0 {
		return nil, nil
	}
	var all []Attr
	add := func(name string) error {
		size, err := from.get(name, r.value)
		if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
			return nil
		}
		if err == nil {
			all = append(all, Attr{strings.Clone(name), slices.Clone(r.value[:size])})
		}
		return err
	}
	for name := range strings.SplitSeq(string(r.names[:max(n, 0)]), "\x00") {
		if name == "" || slices.Contains(unlisted, name) || slices.Contains(shadows[:], name) {
			continue
		}
		if err := add(name); err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
	}
	for _, name := range unlisted {
		err := add(name)
		if name == ntfsDOSName && errors.Is(err, unix.EPERM) {
			continue // so ntfs-3g says that the root has none
		}
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
	}
	slices.SortFunc(all, func(a, b Attr) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// attrSets numbers the different sets of attributes.
type attrSets struct {
	sets   [][]Attr
	number map[string]uint32
}

func newAttrSets() *attrSets { return &attrSets{[][]Attr{nil}, map[string]uint32{}} }

func (s *attrSets) add(set []Attr) uint32 {
	if len(set) == 0 {
		return 0
	}
	var key []byte
	for _, a := range set {
		key = appendBytes(key, a.Name)
		key = appendBytes(key, a.Value)
	}
	n, ok := s.number[string(key)]
	if !ok {
		n = uint32(len(s.sets))
		s.sets, s.number[string(key)] = append(s.sets, set), n
	}
	return n
}
