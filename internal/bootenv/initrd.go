package bootenv

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/ingot-imaging/ingot/internal/bootenv/cpio"
)

// initrd puts the RAM disk together, and notes in m what is in it.
func (s *packageSet) initrd(c Config, r recipe, agent []byte, m *Manifest) (tree, error) {
	t := tree{}
	for _, step := range []func() error{
		func() error { return t.layOut() },
		func() error {
			return t.put("init", &node{mode: 0o755, content: io.NewSectionReader(bytes.NewReader(agent), 0, int64(len(agent)))})
		},
		func() error { return t.takePrograms(s, r.programs) },
		func() error { return t.takeLibraries(s, r.libraries) },
		func() error { return t.takeFiles(s, r.files) },
		func() error { return t.putLinks(r.links) },
		func() error { return t.takeShell(s, r.shell, r.applets) },
		func() error { return t.putSettings(c.Version) },
		func() error { return t.takeModules(s, append(r.modules, c.Modules...), m) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// layOut makes the folders that programs expect, and the two devices that the kernel
// and a shell need before devtmpfs is mounted.
func (t tree) layOut() error {
	for _, dir := range mergedFolders {
		if err := t.putLink(dir, "usr/"+dir); err != nil {
			return err
		}
	}
	for _, dir := range []string{"dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "var/lib", "var/log", "var/tmp"} {
		if err := t.put(dir, &node{mode: fs.ModeDir | 0o755}); err != nil {
			return err
		}
	}
	device := fs.ModeDevice | fs.ModeCharDevice
	if err := t.put("dev/console", &node{mode: device | 0o600, major: 5, minor: 1}); err != nil {
		return err
	}
	return t.put("dev/null", &node{mode: device | 0o666, major: 1, minor: 3})
}

// takeLibraries adds what programs load without saying so.
func (t tree) takeLibraries(s *packageSet, names []string) error {
	for _, name := range names {
		at, ok := s.libraryPath(name)
		if !ok {
			return fmt.Errorf("no package has the library %s", name)
		}
		if err := t.takeProgram(s, at); err != nil {
			return err
		}
	}
	return nil
}

// takeFiles adds data files. Compressed ones are unpacked: the RAM disk is compressed
// as a whole.
func (t tree) takeFiles(s *packageSet, names []string) error {
	for _, name := range s.expand(names) {
		if !strings.HasSuffix(name, ".gz") {
			if _, err := t.take(s, name); err != nil {
				return err
			}
			continue
		}
		text, err := s.text(name)
		if err != nil {
			return err
		}
		unpacked, err := gunzip(text)
		if err != nil {
			return fmt.Errorf("unpack %s: %w", name, err)
		}
		if err := t.putText(strings.TrimSuffix(merged(name), ".gz"), 0o644, unpacked); err != nil {
			return err
		}
	}
	return nil
}

// expand replaces folders, which end in a slash, by the files in them.
func (s *packageSet) expand(names []string) (all []string) {
	for _, name := range names {
		if !strings.HasSuffix(name, "/") {
			all = append(all, name)
			continue
		}
		for file := range s.files {
			if strings.HasPrefix(file, name) {
				all = append(all, file)
			}
		}
	}
	return all
}

func gunzip(text string) (string, error) {
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(z, maxText))
	return string(b), err
}

func (t tree) putLinks(links map[string]string) error {
	for name, target := range links {
		if err := t.putLink(name, target); err != nil {
			return err
		}
	}
	return nil
}

// takeShell adds the shell, under the name of each applet that no program has.
func (t tree) takeShell(s *packageSet, shell string, applets []string) error {
	if _, err := t.take(s, shell); err != nil {
		return err
	}
	for _, applet := range applets {
		if t["usr/sbin/"+applet] == nil {
			if err := t.putLink("usr/bin/"+applet, path.Base(shell)); err != nil {
				return err
			}
		}
	}
	// Where the kernel looks when it needs a module by itself (CONFIG_MODPROBE_PATH).
	return t.putLink("usr/sbin/modprobe", "../bin/"+path.Base(shell))
}

// writeInitrd writes t as a compressed cpio archive and returns how large it is
// unpacked, in bytes.
func writeInitrd(ctx context.Context, name string, t tree, modified time.Time) (unpacked int64, err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	// One thread: the bytes must not depend on how many there are.
	z, err := zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
	if err != nil {
		return 0, err
	}
	defer z.Close()
	counted := &counter{w: z}
	buffered := bufio.NewWriterSize(counted, 1<<20)
	if err = t.write(ctx, cpio.NewWriter(buffered), modified); err != nil {
		return 0, err
	}
	if err = buffered.Flush(); err == nil {
		err = z.Close()
	}
	if err != nil {
		return 0, err
	}
	return counted.n, f.Close()
}

// window is how far back the compression looks. The kernel allows 128 MiB and takes
// that much memory for it.
const window = 8 << 20

func (t tree) write(ctx context.Context, w *cpio.Writer, modified time.Time) error {
	for _, name := range t.sorted() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n := t[name]
		h := cpio.Header{Name: name, Mode: n.mode, Modified: modified, Major: n.major, Minor: n.minor}
		content := n.content
		if n.link != "" {
			content = section(n.link)
		}
		if content == nil {
			content = section("")
		}
		h.Size = content.Size()
		if err := w.Next(h); err != nil {
			return err
		}
		if _, err := io.Copy(w, io.NewSectionReader(content, 0, h.Size)); err != nil {
			return fmt.Errorf("add %s to the RAM disk: %w", name, err)
		}
	}
	return w.Close()
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
