package system

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// maxFstab is far above what an fstab has, bytes.
const maxFstab = 1 << 20

// follow mounts what the system's fstab names below its root, parents first.
func (s *System) follow(ctx context.Context, volumes []Volume) error {
	data, err := s.Root.ReadFile("etc/fstab", maxFstab)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the system's fstab: %w", err)
	}
	points, missing := Points(string(data), volumes)
	s.Missing = append(s.Missing, missing...)
	for _, p := range points {
		if v := volumes[p.Volume]; mount.Mountable(v.Kind) {
			if err := s.attach(ctx, v, p); err != nil {
				return fmt.Errorf("mount partition %d at the system's %s: %w", v.Partition, p.At, err)
			}
		}
	}
	return nil
}

// Point is a volume, or a subvolume of it, at its place in a system's tree.
type Point struct {
	At        string // absolute
	Volume    int    // index
	Subvolume string // of btrfs; "": what the volume shows by itself
}

// Points are the places that a system's fstab gives to volumes, parents first,
// and sentences about what it names and no volume is.
func Points(fstab string, volumes []Volume) (points []Point, missing []string) {
	entries := ParseFstab(fstab)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(len(a.At), len(b.At)) })
	for _, e := range entries {
		if e.At == "/" || e.At == "" || !slices.Contains(tree, strings.SplitN(e.At, "/", 3)[1]) {
			continue
		}
		i := slices.IndexFunc(volumes, func(v Volume) bool { return e.means(v) })
		switch {
		case i >= 0 && volumes[i].Kind == "btrfs":
			points = append(points, Point{e.At, i, e.subvolume()})
		case i >= 0:
			points = append(points, Point{e.At, i, ""})
		case !slices.Contains(e.Options, "nofail") && !slices.Contains(e.Options, "noauto"):
			missing = append(missing, fmt.Sprintf("%s of its fstab (%s) is on none of the disk's partitions", e.At, e.Spec))
		}
	}
	return points, missing
}

// tree are the folders below / that belong to a system; data volumes elsewhere are
// left alone.
var tree = []string{"boot", "efi", "usr", "var", "etc", "home", "root", "opt", "srv"}

// attach shows a volume, or a subvolume of it, at its mount point.
func (s *System) attach(ctx context.Context, v Volume, p Point) error {
	if s.At[p.At] != 0 {
		return nil
	}
	dir, err := s.mount(ctx, v)
	if err != nil {
		return err
	}
	if p.Subvolume != "" {
		top, err := rootfs.Open(dir)
		if err != nil {
			return err
		}
		defer top.Close()
		folder, err := top.Folder(p.Subvolume)
		if err != nil {
			return err
		}
		defer folder.Close()
		return s.bind(mount.PathOf(folder), v.Partition, p.At)
	}
	return s.bind(dir, v.Partition, p.At)
}

func (s *System) bind(dir string, partition int, at string) error {
	target, err := s.Root.Folder(at)
	if errors.Is(err, fs.ErrNotExist) {
		s.Missing = append(s.Missing, fmt.Sprintf("the system has no folder %s to mount a volume at", at))
		return nil
	}
	if err != nil {
		return err
	}
	defer target.Close()
	where, err := mount.Bind(dir, target)
	if err != nil {
		return err
	}
	s.binds = append(s.binds, where)
	s.At[at] = partition
	return nil
}

// means reports whether an entry names v.
func (e Entry) means(v Volume) bool {
	if tag, value := Reference(e.Spec); tag != "" {
		return v.Is(tag, value)
	}
	return deviceNumber(e.Spec) == v.Partition && v.Partition > 0
}

// deviceNumber is the partition's number in a device name: 2 of /dev/sda2 and of
// /dev/nvme0n1p2; 0 of others.
func deviceNumber(spec string) int {
	rest, ok := strings.CutPrefix(spec, "/dev/")
	if !ok || strings.Contains(rest, "/") {
		return 0
	}
	digits := len(rest) - len(strings.TrimRight(rest, "0123456789"))
	n, err := strconv.Atoi(rest[len(rest)-digits:])
	if err != nil || digits == len(rest) {
		return 0
	}
	return n
}

func (e Entry) subvolume() string {
	for _, o := range e.Options {
		if sub, ok := strings.CutPrefix(o, "subvol="); ok {
			return strings.Trim(sub, "/")
		}
	}
	return ""
}
