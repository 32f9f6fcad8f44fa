// Package system finds the operating system on the volumes of a disk, and puts
// its volumes together the way it does itself: /boot below /, the ESP below that.
//
// It owns which volume holds the system, what its fstab says about the others,
// and the mounts that make one tree of them. It changes no file. It refuses
// nothing: a disk without a system it knows has Kind "" and its volumes one by one.
package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// Volume is a volume of the disk and where it can be mounted from.
type Volume struct {
	Partition   int
	Kind        string // as volume.Info.Kind
	UUID, Label string // of the file system, as blkid spells them
	PartID      string // PARTUUID: GUID of the partition, or what Linux makes up on MBR
	PartLabel   string
	ESP         bool   // an EFI system partition by its type
	Path        string // file or device that holds it
	Options     mount.Options
}

// Kind is a family of operating systems, spelled as profile.OS.
type Kind string

const (
	None    Kind = ""
	Linux   Kind = "linux"
	Windows Kind = "windows"
)

// System is the mounted system of a disk.
type System struct {
	Kind      Kind
	Root      *rootfs.Root   // nil when Kind is None
	At        map[string]int // mount point → partition; "/" is the system itself, "C:" for Windows
	Subvolume string         // of a btrfs, that is the root
	ESP       *rootfs.Root   // the EFI system partition, wherever it is mounted; nil when there is none
	Missing   []string       // sentences: what fstab names and no volume is

	scratch string
	mounts  map[int]*mount.Mount
	binds   []string // in order of mounting
	roots   []*rootfs.Root
}

// Open finds the system among volumes and mounts it. Folders for its mounts are
// made in a new folder below dir. The System must be closed, with Close.
func Open(ctx context.Context, dir string, volumes []Volume) (*System, error) {
	scratch, err := os.MkdirTemp(dir, "ingot-system-")
	if err != nil {
		return nil, err
	}
	s := &System{scratch: scratch, At: map[string]int{}, mounts: map[int]*mount.Mount{}}
	if err := s.open(ctx, volumes); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *System) open(ctx context.Context, volumes []Volume) error {
	for _, v := range volumes {
		if !HoldsSystems(v.Kind) {
			continue
		}
		found, err := s.try(ctx, v)
		if err != nil {
			return fmt.Errorf("partition %d: %w", v.Partition, err)
		}
		if found {
			break
		}
	}
	if s.Kind == Linux {
		if err := s.follow(ctx, volumes); err != nil {
			return err
		}
	}
	return s.openESP(ctx, volumes)
}

// try mounts v and looks for a system on it. A volume without one is unmounted.
func (s *System) try(ctx context.Context, v Volume) (bool, error) {
	dir, err := s.mount(ctx, v)
	if err != nil {
		return false, err
	}
	top, err := rootfs.Open(dir)
	if err != nil {
		return false, err
	}
	defer top.Close()
	for _, sub := range Subvolumes(v.Kind, top.ReadDir) {
		at, err := folderOf(top, sub)
		if err != nil {
			continue
		}
		root, err := rootfs.Open(at)
		if err != nil {
			return false, err
		}
		s.Kind = KindOf(root)
		root.Close()
		if s.Kind == None {
			continue
		}
		s.At["/"], s.Subvolume = v.Partition, sub
		s.Root, err = s.root(at)
		return true, err
	}
	top.Close()
	m := s.mounts[v.Partition]
	delete(s.mounts, v.Partition)
	return false, errors.Join(m.Close(), os.Remove(m.Dir))
}

// folderOf is where a folder of a tree lies on this machine. Where its name is a
// link, that is where the link leads inside the tree.
func folderOf(top *rootfs.Root, name string) (string, error) {
	folder, err := top.Folder(name)
	if err != nil {
		return "", err
	}
	defer folder.Close()
	return os.Readlink(mount.PathOf(folder))
}

// mount mounts v in a folder of its own, once. Of btrfs that is the top level,
// below which all subvolumes are.
func (s *System) mount(ctx context.Context, v Volume) (string, error) {
	if m := s.mounts[v.Partition]; m != nil {
		return m.Dir, nil
	}
	dir := filepath.Join(s.scratch, fmt.Sprintf("partition-%d", v.Partition))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	m, err := mount.Volume(ctx, v.Path, v.Kind, dir, v.Options)
	if err != nil {
		return "", errors.Join(err, os.Remove(dir))
	}
	s.mounts[v.Partition] = m
	return dir, nil
}

// root opens a tree that Close closes.
func (s *System) root(dir string) (*rootfs.Root, error) {
	r, err := rootfs.Open(dir)
	if err == nil {
		s.roots = append(s.roots, r)
	}
	return r, err
}

// openESP opens the EFI system partition, and mounts it when nothing did yet.
func (s *System) openESP(ctx context.Context, volumes []Volume) error {
	i := slices.IndexFunc(volumes, func(v Volume) bool { return v.ESP && strings.HasPrefix(v.Kind, "fat") })
	if i < 0 {
		return nil
	}
	dir, err := s.mount(ctx, volumes[i])
	if err != nil {
		return fmt.Errorf("EFI system partition %d: %w", volumes[i].Partition, err)
	}
	s.ESP, err = s.root(dir)
	return err
}

// Close takes all mounts away; what was changed is in the volumes when it returns
// without an error. A second Close does nothing.
func (s *System) Close() error {
	var err error
	for _, r := range s.roots {
		err = errors.Join(err, r.Close())
	}
	for _, dir := range slices.Backward(s.binds) {
		err = errors.Join(err, mount.Unbind(dir))
	}
	for _, m := range s.mounts {
		err = errors.Join(err, m.Close(), os.Remove(m.Dir))
	}
	if s.scratch != "" {
		err = errors.Join(err, os.Remove(s.scratch))
	}
	s.roots, s.binds, s.mounts, s.scratch = nil, nil, nil, ""
	return err
}

// Partition is the one that is mounted where name lies, and name's path on it.
func (s *System) Partition(name string) (partition int, path string) {
	best := "/"
	for at := range s.At {
		if at != "/" && (name == at || strings.HasPrefix(name, at+"/")) && len(at) > len(best) {
			best = at
		}
	}
	return s.At[best], "/" + strings.TrimPrefix(strings.TrimPrefix(name, best), "/")
}
