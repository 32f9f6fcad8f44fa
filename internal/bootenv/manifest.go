package bootenv

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Manifest says what a boot environment consists of. It lies beside the files as
// manifest.json.
type Manifest struct {
	Format   int       `json:"format"` // 1
	Agent    string    `json:"agent"`  // version
	Kernel   string    `json:"kernel"` // version, as uname -r says it
	Modified time.Time `json:"modified"`
	Built    Built     `json:"built"`
	Unpacked int64     `json:"unpacked"` // bytes that the RAM disk takes in memory
	Modules  int       `json:"modules"`  // kernel modules in it
	Firmware int       `json:"firmware"` // firmware files in it
	Files    []File    `json:"files"`
	Packages []Package `json:"packages"`
	// Notes are what was wished for and is not in it.
	Notes []string `json:"notes,omitempty"`
}

// Built is what was asked for beyond the defaults.
type Built struct {
	Kernel  string   `json:"kernel"` // package
	Modules []string `json:"modules,omitempty"`
	Extra   []string `json:"extra,omitempty"` // packages
}

// File is a file of the folder; the manifest does not list itself.
type File struct {
	Name   string `json:"name"` // with slashes
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Package is a Debian package of which something is in the environment.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // of the .deb
}

const (
	manifestName   = "manifest.json"
	manifestFormat = 1
	maxManifest    = 16 << 20
)

// ReadManifest reads the manifest of the boot environment in folder.
func ReadManifest(folder string) (*Manifest, error) {
	f, err := os.Open(filepath.Join(folder, manifestName))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return nil, err
	}
	m := &Manifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	if m.Format != manifestFormat {
		return nil, fmt.Errorf("read %s: its format is %d, and this ingot knows %d; build the boot environment again", f.Name(), m.Format, manifestFormat)
	}
	return m, nil
}

// Verify checks every file of the boot environment in folder against the manifest,
// and returns the manifest. Files that are not listed are no concern of it.
func Verify(folder string) (*Manifest, error) {
	m, err := ReadManifest(folder)
	if err != nil {
		return nil, fmt.Errorf("check the boot environment: %w", err)
	}
	var bad []error
	for _, f := range m.Files {
		if !fs.ValidPath(f.Name) {
			return nil, fmt.Errorf("check the boot environment in %s: the manifest names %q", folder, f.Name)
		}
		if got, err := describe(folder, f.Name); err != nil {
			bad = append(bad, err)
		} else if got != f {
			bad = append(bad, fmt.Errorf("%s is not what the manifest says", f.Name))
		}
	}
	if len(bad) > 0 {
		return nil, fmt.Errorf("check the boot environment in %s; build it again: %w", folder, errors.Join(bad...))
	}
	return m, nil
}

// finish lists the files of folder, in the order of their names, and writes m.
func (m *Manifest) finish(folder string) error {
	m.Files = nil
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		relative, err := filepath.Rel(folder, name)
		if err != nil || relative == manifestName {
			return err
		}
		f, err := describe(folder, filepath.ToSlash(relative))
		m.Files = append(m.Files, f)
		return err
	})
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, manifestName), append(b, '\n'), 0o644)
}

func describe(folder, name string) (File, error) {
	sum, size, err := hashFile(filepath.Join(folder, filepath.FromSlash(name)))
	return File{name, size, sum}, err
}

// hashFile returns the SHA-256 of a file, and how many bytes it has.
func hashFile(name string) (sum string, size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
