package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const mib = 1 << 20

// subject is one volume and everything that is measured on it.
type subject struct {
	title     string
	image     string // file that holds the volume
	offset    int64  // of the volume in the image, in bytes
	length    int64  // of the volume
	kind      string // of file system, as in partclone.KIND
	partition int    // what ingot takes: this partition, or the whole image if 0
	later     string // a disk that holds the image's later state, or ""

	memory  string // folder in memory
	ingot   string
	samples map[string][]sample // by step, one a round
}

// newSubject returns what make-images laid out: "root", the root of disk A; "a",
// the same for peers while ingot takes the whole disk; or the volume xfs, btrfs or ntfs.
func newSubject(name, images, memory, ingot string) (*subject, error) {
	s := &subject{title: name + " volume", kind: name, memory: memory, ingot: ingot, samples: map[string][]sample{}}
	s.image = filepath.Join(images, name+".img")
	if name == "root" || name == "a" {
		s.title, s.kind = "Disk A", "extfs"
		s.image, s.later = filepath.Join(images, "a.img"), filepath.Join(images, "b.img")
		s.offset, s.length = 513*mib, 8704*mib
	}
	if name == "root" {
		s.title, s.partition = "Root of disk A", 2
	}
	info, err := os.Stat(s.image)
	if err != nil {
		return nil, fmt.Errorf("%w (make it with bench/make-images)", err)
	}
	if s.length == 0 {
		s.length = info.Size()
	}
	return s, nil
}

// measure runs the steps, round by round; the tools that no bar is about only in
// the first rounds, as many as all says.
func (s *subject) measure(ctx context.Context, rounds, all int) error {
	device, err := attach(ctx, s.image, s.offset, s.length)
	if err != nil {
		return err
	}
	defer exec.Command("losetup", "--detach", device).Run()
	for round := range rounds {
		for _, step := range s.steps(device, round < all) {
			sample, err := s.runStep(ctx, step)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, step.name, err)
			}
			fmt.Fprintf(os.Stderr, "%s, round %d, %s: %.2f s, cpu %.2f s, %d MiB peak, %d MiB\n", s.title, round+1, step.name,
				sample.wall.Seconds(), sample.cpu.Seconds(), sample.peak/mib, sample.size/mib)
			s.samples[step.name] = append(s.samples[step.name], sample)
		}
		if err := empty(s.memory, s.ingot); err != nil {
			return err
		}
	}
	return nil
}

func (s *subject) runStep(ctx context.Context, step step) (sample, error) {
	if step.prepare != nil {
		if err := step.prepare(ctx); err != nil {
			return sample{}, err
		}
	}
	result, err := run(ctx, step.pipeline...)
	if err != nil || step.result == "" {
		return result, err
	}
	result.size, err = sizeOf(step.result)
	return result, err
}

// attach returns a read-only loop device over a part of the file.
func attach(ctx context.Context, file string, offset, length int64) (string, error) {
	out, err := exec.CommandContext(ctx, "losetup", "--find", "--show", "--read-only",
		"--offset", strconv.FormatInt(offset, 10), "--sizelimit", strconv.FormatInt(length, 10), file).Output()
	if err != nil {
		return "", fmt.Errorf("losetup %s: %w", file, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// empty removes all from the folder but the file keep.
func empty(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if path := filepath.Join(dir, entry.Name()); path != keep {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	return err
}

// warm brings the file's data into the page cache, and none of its holes.
func warm(path string) error {
	const seekData, seekHole = 3, 4 // lseek(2)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for end := int64(0); ; {
		start, err := f.Seek(end, seekData)
		if errors.Is(err, syscall.ENXIO) {
			return nil
		}
		if err != nil {
			return err
		}
		if end, err = f.Seek(start, seekHole); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, io.NewSectionReader(f, start, end-start)); err != nil {
			return err
		}
	}
}

// blank makes the file anew, with nothing but size zero bytes.
func blank(path string, size int64) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}
