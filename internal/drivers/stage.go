package drivers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// Staged is what Stage put into a system.
type Staged struct {
	customise.Report
	// Folders are those that Windows is to look for drivers in, as it names them:
	// C:\Drivers\ingot\01-Latitude 5420. They go into DevicePath and unattend.xml.
	Folders []string
	// Script installs packages; it runs once, at the first boot of a Linux system.
	// "" when there are none.
	Script string
}

// Stage copies what was chosen into the system in root, which nothing else uses
// meanwhile. What an earlier deploy staged there is replaced.
func Stage(ctx context.Context, root *rootfs.Root, c Choice) (Staged, error) {
	if len(c.Sets) == 0 {
		return Staged{}, nil
	}
	s := stager{ctx: ctx, root: root, choice: c}
	stage := s.linux
	if c.os == Windows {
		stage = s.windows
	}
	if err := stage(); err != nil {
		return Staged{}, fmt.Errorf("stage drivers: %w", err)
	}
	return s.staged, nil
}

type stager struct {
	ctx    context.Context
	root   *rootfs.Root
	choice Choice
	staged Staged
}

// windowsDir is below C:, spelled as Windows does.
const windowsDir = "Drivers/ingot"

// windows copies each set with all its files, as INF files name others beside
// and below them.
func (s *stager) windows() error {
	dir, err := foldPrefix(s.root, windowsDir)
	if err != nil {
		return err
	}
	if err := s.removeAll(dir, maxDepth); err != nil {
		return err
	}
	for i, set := range s.choice.Sets {
		name := fmt.Sprintf("%02d-%s", i+1, windowsName(path.Base(set.Name)))
		for _, file := range set.set.files {
			to := path.Join(dir, name, windowsPath(below(set.Name, file)))
			if err := s.copy(file, to); err != nil {
				return err
			}
		}
		s.staged.Folders = append(s.staged.Folders, `C:\`+strings.ReplaceAll(windowsDir, "/", `\`)+`\`+name)
	}
	s.staged.Touch(dir)
	return nil
}

// below is a file's name inside its set.
func below(set, file string) string {
	if set == "." {
		return file
	}
	return strings.TrimPrefix(file, set+"/")
}

// foldPrefix returns name with as much of it as is there spelled as it is there.
func foldPrefix(root *rootfs.Root, name string) (string, error) {
	found := "/"
	for _, elem := range strings.Split(name, "/") {
		next, err := root.Fold(path.Join(found, elem))
		if errors.Is(err, fs.ErrNotExist) {
			next, err = path.Join(found, elem), nil
		}
		if err != nil {
			return "", err
		}
		found = next
	}
	return found, nil
}

var notInWindows = regexp.MustCompile(`[<>:"|?*\\\x00-\x1f]`)

// windowsName makes a name that Windows takes: without its special characters,
// and without full stops and spaces at the end.
func windowsName(name string) string {
	name = strings.TrimRight(notInWindows.ReplaceAllString(name, "_"), ". ")
	if name == "" {
		return "_"
	}
	return name
}

func windowsPath(name string) string {
	elems := strings.Split(name, "/")
	for i, e := range elems {
		elems[i] = windowsName(e)
	}
	return path.Join(elems...)
}

// copy copies a file of the library, in pieces.
func (s *stager) copy(from, to string) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	in, err := s.choice.library.fsys.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := s.root.Mkdir(path.Dir(to), rootfs.Attr{}); err != nil {
		return err
	}
	if err := s.root.Remove(to); err != nil {
		return err
	}
	out, err := s.root.Create(to, rootfs.Attr{Mode: 0o644})
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// maxDepth bounds the folders below each other that are removed.
const maxDepth = 32

// removeAll removes what is below a folder and the folder itself; links are
// removed, not followed.
func (s *stager) removeAll(dir string, depth int) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	info, err := s.root.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return s.root.Remove(dir)
	}
	if depth == 0 {
		return fmt.Errorf("%s lies deeper than %d folders", dir, maxDepth)
	}
	entries, err := s.root.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := s.removeAll(path.Join(dir, e.Name()), depth-1); err != nil {
			return err
		}
	}
	return s.root.Remove(dir)
}
