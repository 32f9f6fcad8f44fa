package control

import (
	"archive/tar"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Bounds of a profile's folder. Driver sets are the largest that is in one.
const (
	maxFolderFiles = 50_000
	maxFolderBytes = 8 << 30
	maxFolderDepth = 32
)

// putFolder unpacks a tar beside the profiles, checks the profile in it, and puts it
// in the place of the one with that name.
func (p *profileFolders) putFolder(ctx context.Context, name string, folder io.Reader) error {
	if _, err := p.path(name); err != nil {
		return err
	}
	temporary := filepath.Join(p.dir, ".new-"+rand.Text())
	if err := os.Mkdir(temporary, 0o750); err != nil {
		return err
	}
	err := unpack(ctx, temporary, folder)
	if err == nil {
		err = checkFolder(name, temporary)
	}
	if err == nil {
		err = p.replace(name, temporary)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(temporary))
	}
	return nil
}

func checkFolder(name, dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, profileFile))
	if errors.Is(err, fs.ErrNotExist) {
		return &InvalidError{"folder", "there is no " + profileFile + " at the top of the tar"}
	}
	if err != nil {
		return err
	}
	_, err = parseProfile(name, text, dir)
	return err
}

// unpack writes the files and folders of a tar below dir. Whatever else is in it,
// and names that lead out, are refused.
func unpack(ctx context.Context, dir string, folder io.Reader) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	in := tar.NewReader(folder)
	left := int64(maxFolderBytes)
	for files := 0; ; files++ {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &InvalidError{"folder", "is no tar, or ends in its middle"}
		}
		if files == maxFolderFiles {
			return &InvalidError{"folder", fmt.Sprintf("has more than %d files", maxFolderFiles)}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if left -= header.Size; header.Size < 0 || left < 0 {
			return &InvalidError{"folder", fmt.Sprintf("is larger than %d bytes", int64(maxFolderBytes))}
		}
		if err := unpackOne(root, header, in); err != nil {
			return err
		}
	}
}

func unpackOne(root *os.Root, header *tar.Header, in io.Reader) error {
	name, problem := nameInTar(header.Name)
	refuse := func(why string) error {
		return &InvalidError{"folder", fmt.Sprintf("%q %s", clean(header.Name, maxName), why)}
	}
	switch {
	case problem != "":
		return refuse(problem)
	case header.Typeflag == tar.TypeXGlobalHeader || header.Typeflag == tar.TypeDir && name == ".":
		return nil
	case header.Typeflag == tar.TypeDir:
		if err := root.MkdirAll(name, 0o750); err != nil {
			return refuse("is a file and a folder")
		}
		return nil
	case header.Typeflag != tar.TypeReg:
		return refuse("is neither a file nor a folder")
	}
	if err := root.MkdirAll(path.Dir(name), 0o750); err != nil {
		return refuse("is below a file")
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return refuse("is there twice")
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(f, in)
	if err := errors.Join(err, f.Close()); errors.Is(err, io.ErrUnexpectedEOF) {
		return &InvalidError{"folder", "ends in its middle"}
	} else if err != nil {
		return err
	}
	return nil
}

// nameInTar is a name below the folder, or what is wrong with it.
func nameInTar(name string) (clean, problem string) {
	name = strings.TrimSuffix(strings.TrimPrefix(name, "./"), "/")
	if name == "" || name == "." {
		return ".", ""
	}
	switch {
	case strings.ContainsAny(name, "\\\x00") || strings.HasPrefix(path.Base(name), ".new-"):
		return "", "is no name that a profile's file can have"
	case !fs.ValidPath(name):
		return "", "leads out of the folder"
	case len(name) > 1000 || strings.Count(name, "/") >= maxFolderDepth:
		return "", "is too long a name"
	}
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > 255 || part != strings.TrimSpace(part) {
			return "", "is no name that a profile's file can have"
		}
	}
	return name, ""
}

// writeTar writes a profile's folder as a tar: the same folder, the same bytes.
func (p *profileFolders) writeTar(ctx context.Context, name string, w io.Writer) error {
	out := tar.NewWriter(w)
	err := p.walk(ctx, name, func(root *os.Root, path string, info fs.FileInfo) error {
		header := &tar.Header{Name: path, Mode: 0o644, Typeflag: tar.TypeReg, Size: info.Size(), Format: tar.FormatPAX}
		if info.IsDir() {
			header.Name, header.Mode, header.Typeflag, header.Size = path+"/", 0o755, tar.TypeDir, 0
		}
		if err := out.WriteHeader(header); err != nil || info.IsDir() {
			return err
		}
		f, err := root.Open(path)
		if err != nil {
			return err
		}
		_, err = io.CopyN(out, f, info.Size())
		return errors.Join(err, f.Close())
	})
	if err != nil {
		return fmt.Errorf("send the profile %s: %w", name, err)
	}
	return out.Close()
}
