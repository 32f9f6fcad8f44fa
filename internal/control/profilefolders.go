package control

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// profileFile is the name of the profile in its folder.
const profileFile = "profile.yaml"

var profileName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// profileFolders are the profiles: a folder each, in one folder. Names with a dot at
// their beginning are folders in the making, or on their way out.
type profileFolders struct {
	dir string
	mu  sync.RWMutex // writers move folders under it, so that readers find one
}

// open makes the folder, and puts back what a power cut left between two renames.
func (p *profileFolders) open() error {
	if err := os.MkdirAll(p.dir, 0o750); err != nil {
		return err
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, old := strings.CutPrefix(e.Name(), ".old-")
		if old {
			_, err := os.Stat(filepath.Join(p.dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				if err := os.Rename(filepath.Join(p.dir, e.Name()), filepath.Join(p.dir, name)); err != nil {
					return err
				}
				continue
			}
		}
		if old || strings.HasPrefix(e.Name(), ".new-") {
			if err := os.RemoveAll(filepath.Join(p.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *profileFolders) path(name string) (string, error) {
	if !profileName.MatchString(name) {
		return "", &InvalidError{"name", "a profile's name has 1 to 40 small letters, digits and hyphens"}
	}
	return filepath.Join(p.dir, name), nil
}

func (p *profileFolders) names() ([]string, error) {
	entries, err := os.ReadDir(p.dir)
	var names []string
	for _, e := range entries {
		if e.IsDir() && profileName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func (p *profileFolders) modified(name string) (time.Time, error) {
	dir, err := p.path(name)
	if err != nil {
		return time.Time{}, err
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	info, err := os.Stat(filepath.Join(dir, profileFile))
	if err != nil {
		return time.Time{}, noProfile(err, name)
	}
	return info.ModTime().UTC(), nil
}

// noProfile leaves paths of the server out of what people are told.
func noProfile(err error, name string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &NotFoundError{What: "profile", ID: name}
	}
	return err
}

func (p *profileFolders) text(name string) ([]byte, error) {
	dir, err := p.path(name)
	if err != nil {
		return nil, err
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	info, err := os.Stat(filepath.Join(dir, profileFile))
	if err == nil && info.Size() > profile.MaxSize {
		err = &InvalidError{"name", "the profile is too large"}
	}
	if err != nil {
		return nil, noProfile(err, name)
	}
	text, err := os.ReadFile(filepath.Join(dir, profileFile))
	return text, noProfile(err, name)
}

// load reads a profile. What is wrong with it is a *ProfileError.
func (p *profileFolders) load(name string) (*profile.Document, error) {
	text, err := p.text(name)
	if err != nil {
		return nil, err
	}
	return p.parse(name, text)
}

// ofBatch is the profile that a batch needs, nil for none.
func (p *profileFolders) ofBatch(b fleet.Batch) (*profile.Document, error) {
	if b.Spec.Profile == "" {
		return nil, nil
	}
	return p.load(b.Spec.Profile)
}

// parse reads the text of a profile beside the files of the one with that name.
func (p *profileFolders) parse(name string, text []byte) (*profile.Document, error) {
	if name == "" {
		return parseProfile(name, text, "")
	}
	dir, err := p.path(name)
	if err != nil {
		return nil, err
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return parseProfile(name, text, dir)
}

func parseProfile(name string, text []byte, dir string) (*profile.Document, error) {
	if dir != "" {
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		dir = absolute
	}
	document, err := profile.Parse(profileFile, text, dir)
	var broken *profile.Error
	if errors.As(err, &broken) {
		return nil, &ProfileError{Name: name, Problems: broken.Problems}
	}
	if err != nil {
		return nil, err
	}
	if problems := foreignFiles(document.Profile); len(problems) > 0 {
		return nil, &ProfileError{Name: name, Problems: problems}
	}
	return document, nil
}

// foreignFiles are names in a profile that lead out of its folder. On a server they
// would be files of the server.
func foreignFiles(p profile.Profile) (problems []profile.Problem) {
	named := map[string]string{
		"machines": p.Machines, "drivers": p.Drivers, "linux.root.file": p.Linux.Root.File, "windows.unattend": p.Windows.Unattend,
		"windows.administrator.file": p.Windows.Administrator.File, "windows.domain.password.file": p.Windows.Domain.Password.File, "windows.domain.blob": p.Windows.Domain.Blob,
	}
	for i, u := range p.Users {
		named[fmt.Sprintf("users[%d].password.file", i)] = u.Password.File
	}
	for i, f := range p.Files {
		named[fmt.Sprintf("files[%d].source", i)] = f.Source
	}
	for i, s := range p.Scripts {
		named[fmt.Sprintf("scripts[%d].source", i)] = s.Source
	}
	for path, name := range named {
		if strings.HasPrefix(name, "/") {
			problems = append(problems, profile.Problem{File: profileFile, Path: path, Message: "on a server, files lie beside the profile: put it into the profile's folder, and name it from there"})
		}
	}
	slices.SortFunc(problems, func(a, b profile.Problem) int { return cmp.Compare(a.Path, b.Path) })
	return problems
}

// putText replaces profile.yaml in one step.
func (p *profileFolders) putText(name string, text []byte) error {
	dir, err := p.path(name)
	if err != nil {
		return err
	}
	if _, err := p.parse(name, text); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	temporary := filepath.Join(dir, ".new-"+rand.Text())
	if err := writeSynced(temporary, text); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return os.Rename(temporary, filepath.Join(dir, profileFile))
}

func writeSynced(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func (p *profileFolders) remove(name string) error {
	dir, err := p.path(name)
	if err != nil {
		return err
	}
	if _, err := p.modified(name); err != nil {
		return err
	}
	old := filepath.Join(p.dir, ".new-"+rand.Text()) // gone at the next start, if not now
	p.mu.Lock()
	err = os.Rename(dir, old)
	p.mu.Unlock()
	if err != nil {
		return noProfile(err, name)
	}
	return os.RemoveAll(old)
}

// replace puts a complete folder in the place of a profile.
func (p *profileFolders) replace(name, folder string) error {
	dir, err := p.path(name)
	if err != nil {
		return err
	}
	old := filepath.Join(p.dir, ".old-"+name)
	p.mu.Lock()
	defer p.mu.Unlock()
	err = os.Rename(dir, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(folder, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return os.RemoveAll(old)
}

// files are those beside profile.yaml, by name.
func (p *profileFolders) files(name string) ([]ProfileFile, error) {
	var files []ProfileFile
	err := p.walk(context.Background(), name, func(root *os.Root, path string, info fs.FileInfo) error {
		if path != profileFile && info.Mode().IsRegular() {
			files = append(files, ProfileFile{Name: path, Size: info.Size()})
		}
		return nil
	})
	return files, err
}

// walk calls f with every file and folder of a profile, by name. Links and devices,
// that somebody may have put there by hand, are left out.
func (p *profileFolders) walk(ctx context.Context, name string, f func(root *os.Root, path string, info fs.FileInfo) error) error {
	dir, err := p.path(name)
	if err != nil {
		return err
	}
	p.mu.RLock()
	root, err := os.OpenRoot(dir)
	p.mu.RUnlock()
	if err != nil {
		return noProfile(err, name)
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if path == "." || strings.HasPrefix(path, ".new-") {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() && !info.IsDir() {
			return nil
		}
		return f(root, path, info)
	})
}
