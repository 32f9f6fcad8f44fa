package agent

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// Bounds of a profile's folder: driver packs for a whole fleet fit.
const (
	maxProfileBytes = 4 << 30
	maxProfileFiles = 100_000
)

// errArchive says that a profile is not what a server may send.
var errArchive = errors.New("the profile's archive is not in order")

// unpack writes an archive's folders and files below dir, and nothing anywhere
// else. Links and devices are refused: no profile needs them.
func unpack(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	archive := tar.NewReader(r)
	left := int64(maxProfileBytes)
	for n := 0; ; n++ {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, tar.ErrHeader) {
			return fmt.Errorf("%w: %v", errArchive, err)
		}
		if err != nil {
			return err
		}
		name := path.Clean(h.Name)
		if left -= h.Size; n >= maxProfileFiles || left < 0 {
			return fmt.Errorf("%w: more than %d files or %d bytes", errArchive, maxProfileFiles, int64(maxProfileBytes))
		}
		if !filepath.IsLocal(name) {
			return fmt.Errorf("%w: %q leads out of it", errArchive, h.Name)
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = writeFile(root, name, archive)
		default:
			err = fmt.Errorf("%w: %q is neither a file nor a folder", errArchive, h.Name)
		}
		if err != nil {
			return err
		}
	}
}

func writeFile(root *os.Root, name string, r io.Reader) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
