// Package deb reads Debian packages in Go alone, so that a boot environment is made
// the same way on any system.
//
// It owns the formats: ar, the compressed tars inside, control fields, the order of
// versions. It refuses names that lead out of a package, files that are neither
// regular, links nor folders, and sizes beyond what packages have. It never writes
// a package's files anywhere: Package is read like a folder. Start at Open.
package deb

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// What packages may be at most. A kernel is 400 MiB and 5,000 files.
const (
	maxControl  = 16 << 20
	maxUnpacked = 4 << 30
	maxFiles    = 200_000
	maxName     = 4096
)

// Package is one package that is read. Its files lie in an unnamed temporary file.
type Package struct {
	Info    Info
	Built   time.Time // the newest time of a file in it
	entries map[string]*Entry
	names   []string // of entries, in the package's order
	data    *os.File
}

// Entry is a file, folder or symbolic link of a package.
type Entry struct {
	Name string // relative, clean: "usr/bin/ls"
	Mode fs.FileMode
	Size int64
	Link string // of a symbolic link: what it says

	offset int64
}

// ReadInfo reads the control file of the package name alone.
func ReadInfo(name string) (Info, error) {
	f, err := os.Open(name)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	info, err := readInfo(f)
	if err != nil {
		return Info{}, fmt.Errorf("read the package %s: %w", name, err)
	}
	return info, nil
}

// Open reads the package name. Its unpacked files need room in tempDir ("": the
// system's) until Close.
func Open(name, tempDir string) (*Package, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := open(f, tempDir)
	if err != nil {
		return nil, fmt.Errorf("read the package %s: %w", name, err)
	}
	return p, nil
}

func readInfo(f *os.File) (Info, error) {
	r, err := openMember(f, "control.tar")
	if err != nil {
		return Info{}, err
	}
	defer r.Close()
	files := tar.NewReader(io.LimitReader(r, maxControl))
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return Info{}, fmt.Errorf("it has no control file")
		}
		if err != nil {
			return Info{}, fmt.Errorf("read control.tar: %w", err)
		}
		if path.Clean(h.Name) != "control" || h.Typeflag != tar.TypeReg {
			continue
		}
		infos, err := ParseInfo(files)
		if err != nil {
			return Info{}, fmt.Errorf("read its control file: %w", err)
		}
		if len(infos) != 1 {
			return Info{}, fmt.Errorf("its control file has %d paragraphs", len(infos))
		}
		return infos[0], nil
	}
}

// openMember opens the tar that begins with name, and checks the format's version.
func openMember(f *os.File, name string) (io.ReadCloser, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	all, err := members(f, stat.Size())
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].name != "debian-binary" {
		return nil, fmt.Errorf("its first member is not debian-binary")
	}
	version := make([]byte, 2)
	if _, err := all[0].data.ReadAt(version, 0); err != nil || string(version) != "2." {
		return nil, fmt.Errorf("its format has version %q, not 2", version)
	}
	for _, m := range all {
		if suffix, ok := strings.CutPrefix(m.name, name); ok {
			return decompress(m, suffix)
		}
	}
	return nil, fmt.Errorf("it has no %s", name)
}

func open(f *os.File, tempDir string) (*Package, error) {
	info, err := readInfo(f)
	if err != nil {
		return nil, err
	}
	r, err := openMember(f, "data.tar")
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p := &Package{Info: info, entries: map[string]*Entry{}}
	if p.data, err = os.CreateTemp(tempDir, "ingot-deb-"); err != nil {
		return nil, err
	}
	// Without a name it goes with the process, however that ends.
	if err = os.Remove(p.data.Name()); err == nil {
		err = p.unpack(r)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close gives the room of the unpacked files back.
func (p *Package) Close() error { return p.data.Close() }
