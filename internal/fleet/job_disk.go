package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Words that choose a disk by a rule. Anything else is a path, a serial number
// or a WWN; "" is the only internal disk.
const (
	LargestDisk  = "largest"
	SmallestDisk = "smallest"
	FirstNVMe    = "first nvme"
)

// ChooseDisk finds the disk that want means, among those that a machine has. By rule
// only internal disks are chosen: fixed, writable, not on USB and not on a network.
// A disk by its path or serial number may be any that can be written. The problem is
// for people, "" when there is none.
func ChooseDisk(disks []wire.Disk, want string) (disk wire.Disk, problem string) {
	want = strings.TrimSpace(want)
	internal := slices.DeleteFunc(slices.Clone(disks), func(d wire.Disk) bool { return !isInternal(d) })
	switch strings.ToLower(want) {
	case "":
		return only(internal, disks)
	case LargestDisk:
		return extreme(internal, disks, want, func(a, b wire.Disk) int { return cmp.Compare(b.Size, a.Size) })
	case SmallestDisk:
		return extreme(internal, disks, want, func(a, b wire.Disk) int { return cmp.Compare(a.Size, b.Size) })
	case FirstNVMe:
		return firstNVMe(internal)
	default:
		return named(disks, want)
	}
}

// isInternal reports whether a disk is one that a rule may choose.
func isInternal(d wire.Disk) bool {
	if d.Size <= 0 || d.ReadOnly || d.Removable || isVirtual(d.Path) {
		return false
	}
	return !slices.Contains([]string{"usb", "iscsi", "fc", "fcoe", "nbd", "loop", "mmc-removable"}, strings.ToLower(d.Transport))
}

// isVirtual knows devices of the kernel's own that hold no disk.
func isVirtual(path string) bool {
	name := strings.TrimPrefix(path, "/dev/")
	for _, prefix := range []string{"loop", "ram", "zram", "nbd", "sr", "fd", "dm-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func only(internal, all []wire.Disk) (wire.Disk, string) {
	switch {
	case len(internal) == 1:
		return internal[0], ""
	case len(internal) == 0 && len(all) == 0:
		return wire.Disk{}, "the machine has no disk; if it has one, its firmware hides it (RAID mode, VMD)"
	case len(internal) == 0:
		return wire.Disk{}, "the machine has no internal disk that can be written, only " + listDisks(all)
	default:
		return wire.Disk{}, fmt.Sprintf("the machine has %d disks: choose one by path or serial number, or by %q, %q or %q: %s",
			len(internal), LargestDisk, SmallestDisk, FirstNVMe, listDisks(internal))
	}
}

func extreme(internal, all []wire.Disk, want string, order func(a, b wire.Disk) int) (wire.Disk, string) {
	if len(internal) == 0 {
		return only(internal, all)
	}
	slices.SortStableFunc(internal, order)
	if len(internal) > 1 && order(internal[0], internal[1]) == 0 {
		return wire.Disk{}, fmt.Sprintf("two disks are the %s: choose one by path or serial number: %s", strings.ToLower(want), listDisks(internal))
	}
	return internal[0], ""
}

func firstNVMe(internal []wire.Disk) (wire.Disk, string) {
	nvme := slices.DeleteFunc(internal, func(d wire.Disk) bool { return !strings.EqualFold(d.Transport, "nvme") })
	if len(nvme) == 0 {
		return wire.Disk{}, "the machine has no NVMe disk"
	}
	// nvme2n1 goes before nvme10n1.
	return slices.MinFunc(nvme, func(a, b wire.Disk) int {
		return cmp.Or(cmp.Compare(len(a.Path), len(b.Path)), strings.Compare(a.Path, b.Path))
	}), ""
}

func named(disks []wire.Disk, want string) (wire.Disk, string) {
	var fits []wire.Disk
	for _, d := range disks {
		if d.Path == want || d.Serial != "" && fold(d.Serial) == fold(want) || d.WWN != "" && fold(d.WWN) == fold(want) {
			fits = append(fits, d)
		}
	}
	switch {
	case len(fits) == 0:
		return wire.Disk{}, fmt.Sprintf("the machine has no disk with the path or serial number %s; it has %s", quote(want), listDisks(disks))
	case len(fits) > 1:
		return wire.Disk{}, fmt.Sprintf("several disks have the serial number %s: choose one by its path: %s", quote(want), listDisks(fits))
	case fits[0].ReadOnly:
		return wire.Disk{}, fmt.Sprintf("the disk %s cannot be written", describeDisk(fits[0]))
	case fits[0].Size <= 0:
		return wire.Disk{}, fmt.Sprintf("the disk %s has no medium", describeDisk(fits[0]))
	default:
		return fits[0], ""
	}
}

// DiskName is how a job names a disk of a machine, so that it is the same disk after
// a start in which the kernel numbers them differently: by what no other disk of the
// machine has. Only a disk that has nothing of its own is named by its path.
func DiskName(disks []wire.Disk, d wire.Disk) string {
	for _, name := range []func(wire.Disk) string{
		func(d wire.Disk) string { return d.Serial },
		func(d wire.Disk) string { return d.WWN },
	} {
		same := 0
		for _, other := range disks {
			if fold(name(other)) == fold(name(d)) {
				same++
			}
		}
		if name(d) != "" && same == 1 {
			return name(d)
		}
	}
	return d.Path
}

func listDisks(disks []wire.Disk) string {
	if len(disks) == 0 {
		return "none"
	}
	var texts []string
	for i, d := range disks {
		if i == 8 {
			texts = append(texts, fmt.Sprintf("and %d more", len(disks)-i))
			break
		}
		texts = append(texts, describeDisk(d))
	}
	return strings.Join(texts, ", ")
}

// describeDisk is a disk in one breath: "/dev/sda (Samsung SSD 870, 500.1 GB, serial S5Y1)".
func describeDisk(d wire.Disk) string {
	var about []string
	if d.Model != "" {
		about = append(about, d.Model)
	}
	about = append(about, Bytes(d.Size))
	if d.Serial != "" {
		about = append(about, "serial "+d.Serial)
	}
	switch {
	case d.ReadOnly:
		about = append(about, "read-only")
	case d.Removable:
		about = append(about, "removable")
	case strings.EqualFold(d.Transport, "usb"):
		about = append(about, "USB")
	}
	return d.Path + " (" + strings.Join(about, ", ") + ")"
}

// Bytes is a number of bytes for people, as it stands on disks: 500.1 GB.
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d bytes", n)
	}
	value, unit := float64(n), 0
	for value >= 999.95 && unit < 5 {
		value /= 1000
		unit++
	}
	return fmt.Sprintf("%.1f %s", value, []string{"bytes", "kB", "MB", "GB", "TB", "PB"}[unit])
}

// Fits says whether an image of which the smallest disk is least bytes, unless it
// shrinks, goes onto a disk. The problem stops it; the warning does not.
func Fits(d wire.Disk, least int64, shrinks bool) (problem, warning string) {
	switch {
	case d.Size >= least:
		return "", ""
	case shrinks:
		return "", fmt.Sprintf("the disk has %s, the image was made for %s: whether it can be made small enough is measured on the machine, before anything is written",
			Bytes(d.Size), Bytes(least))
	default:
		return fmt.Sprintf("the image needs a disk of %s (%d bytes), %s has %s (%d bytes)", Bytes(least), least, d.Path, Bytes(d.Size), d.Size), ""
	}
}
