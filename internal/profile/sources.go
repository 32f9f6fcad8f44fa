package profile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Bounds of what a profile refers to, in bytes.
const (
	maxPasswordFile = 4 << 10
	maxScript       = 1 << 20
	maxUnattend     = 1 << 20
	maxBlob         = 1 << 20
	maxTable        = 16 << 20 // 5,000 machines with 3 KB each
)

// A source is a file or folder that a profile names. A relative name stays below
// the profile's folder, links included; an absolute one is taken as it is.
type source struct {
	dir, name string
}

// absolute is the source's absolute path.
func (s source) absolute() string {
	if filepath.IsAbs(s.name) {
		return filepath.Clean(s.name)
	}
	return filepath.Join(s.dir, s.name)
}

// in calls f with a folder and the source's name in it.
func (s source) in(f func(root *os.Root, name string) error) error {
	dir, name := s.dir, filepath.Clean(s.name)
	if filepath.IsAbs(s.name) {
		dir, name = filepath.Split(name)
		if name == "" {
			name = "."
		}
	}
	if dir == "" {
		return errors.New("the profile has no folder: name it by an absolute path")
	}
	if !filepath.IsLocal(name) {
		return errors.New("leads out of the folder of the profile: move it there, or name it by an absolute path")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return plainError(err)
	}
	defer root.Close()
	return f(root, name)
}

// stat says what the source is.
func (s source) stat() (info fs.FileInfo, err error) {
	err = s.in(func(root *os.Root, name string) error {
		info, err = root.Stat(name)
		if err != nil && filepath.IsAbs(s.name) { // a link there may lead anywhere
			info, err = os.Stat(s.name)
		}
		return plainError(err)
	})
	return info, err
}

// read returns the content of the source, a file of at most most bytes.
func (s source) read(most int64) (data []byte, info fs.FileInfo, err error) {
	if info, err = s.stat(); err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, info, errors.New("is not a file") // reading a pipe would wait
	}
	open := os.Open
	err = s.in(func(root *os.Root, name string) error {
		if !filepath.IsAbs(s.name) {
			open = func(string) (*os.File, error) { return root.Open(name) }
		}
		data, err = readFile(open, s.name, most)
		return plainError(err)
	})
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("is larger than %d bytes", most)
	}
	return data, info, err
}

// readFile reads at most one byte more than most.
func readFile(open func(string) (*os.File, error), path string, most int64) ([]byte, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most+1))
}

// plainError says what the operating system refused, without the names that the
// message has already.
func plainError(err error) error {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("does not exist")
	case errors.As(err, &path) && strings.Contains(path.Err.Error(), "escapes"):
		return errors.New("leads out of the folder of the profile by a link: name its target by an absolute path")
	case errors.As(err, &path):
		return path.Err
	}
	return err
}

// file looks at the file or folder that stands at path and returns its absolute
// name, which is name itself where that cannot be.
func (c *checker) file(path, name string) (absolute string, info fs.FileInfo) {
	if !c.given(path) {
		return name, nil
	}
	s := source{c.doc.dir, name}
	info, err := s.stat()
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		err = errors.New("is neither a file nor a folder")
	}
	if err != nil {
		c.add(path, "%s %v", shown(name), err)
		return name, nil
	}
	return s.absolute(), info
}

// content reads the file that stands at path.
func (c *checker) content(path, name string, most int64) (data []byte, absolute string, info fs.FileInfo) {
	if !c.given(path) {
		return nil, name, nil
	}
	s := source{c.doc.dir, name}
	data, info, err := s.read(most)
	if err != nil {
		c.add(path, "%s %v", shown(name), err)
		return nil, name, nil
	}
	return data, s.absolute(), info
}
