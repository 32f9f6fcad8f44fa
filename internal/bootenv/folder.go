package bootenv

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// mayReplace refuses folders that hold something else.
func mayReplace(out string) error {
	if out == "" {
		return errors.New("no folder was named to make it in")
	}
	entries, err := os.ReadDir(out)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := ReadManifest(out); err != nil {
		return fmt.Errorf("%s holds something that is no boot environment; name an empty folder: %w", out, err)
	}
	return nil
}

// replace puts the finished folder in the place of out.
func replace(out, folder string) error {
	if err := os.Chmod(folder, 0o755); err != nil {
		return err
	}
	out = filepath.Clean(out)
	old := folder + ".old"
	if err := os.Rename(out, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(folder, out); err != nil {
		return errors.Join(err, os.Rename(old, out))
	}
	return os.RemoveAll(old)
}

// maxAgent is far more than the agent has.
const maxAgent = 200 << 20

// readAgent reads a program that runs where there are no libraries.
func readAgent(name string) ([]byte, error) {
	stat, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read the agent: %w", err)
	}
	if !stat.Mode().IsRegular() || stat.Size() > maxAgent {
		return nil, fmt.Errorf("read the agent: %s is no file of at most %d MiB", name, maxAgent>>20)
	}
	f, err := elf.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the agent %s: %w", name, err)
	}
	defer f.Close()
	if f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("the agent %s is for %s; build it for amd64", name, f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return nil, fmt.Errorf("the agent %s needs shared libraries; build it with CGO_ENABLED=0", name)
		}
	}
	return os.ReadFile(name)
}
