package bootenv

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// copyLoaders puts the boot loaders into folder, unchanged.
func (s *packageSet) copyLoaders(r recipe, folder string) error {
	for _, l := range r.loaders {
		if err := s.copyOut(l.from, filepath.Join(folder, filepath.FromSlash(l.to))); err != nil {
			return fmt.Errorf("take the boot loader %s: %w", l.to, err)
		}
	}
	return nil
}

// copyKernel puts the kernel that version is of into folder, unchanged.
func (s *packageSet) copyKernel(version, folder string) error {
	if err := s.copyOut("boot/vmlinuz-"+version, filepath.Join(folder, "vmlinuz")); err != nil {
		return fmt.Errorf("take the kernel: %w", err)
	}
	return nil
}

func (s *packageSet) copyOut(name, to string) (err error) {
	p, _, _, err := s.resolve(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, p.from.Content(p.entry))
	return err
}
