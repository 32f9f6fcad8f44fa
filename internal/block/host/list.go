package host

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
)

// Disk describes a whole disk, a partition or an image file, as far as the
// machine knows. Text is "" where it does not.
type Disk struct {
	Path           string // "/dev/sda", or the path of an image file
	Name           string // "sda", or the image file's own name
	Model          string // "image file" of an image file
	Serial         string
	Vendor         string
	WWN            string // "naa.5002538e40a1b2c3", "eui.0025385b71b01234"
	Transport      string // "nvme", "sata", "sas", "scsi", "usb", "mmc", "virtio", "xen", "md", "loop", "file"
	Size           int64  // bytes
	LogicalSector  int    // bytes
	PhysicalSector int    // bytes
	Removable      bool
	ReadOnly       bool
	Rotational     bool
	Partitions     []string // device paths by partition number; none of a partition
	Backing        string   // of a loop device: the image file behind it

	discard, zeroes bool
}

// CanDiscard is what Target.CanDiscard will say.
func (d Disk) CanDiscard() bool { return d.discard }

// DiscardZeroes is what Target.DiscardZeroes will say.
func (d Disk) DiscardZeroes() bool { return d.zeroes }

// listed is what counts as a disk, with its driver's part of the name: sysfs
// does not tell a disk from a RAM disk, a CD drive or an eMMC boot area.
var listed = regexp.MustCompile(`^(?:(sd|hd|vd|xvd)[a-z]+|(nvme)\d+n\d+|(mmcblk|md|loop|nbd|pmem)\d+)$`)

// List describes the machine's whole disks, ordered by name. Drives without a
// medium and loop devices without a file are left out.
func List() ([]Disk, error) { return local().list() }

func (s system) list() ([]Disk, error) {
	entries, err := os.ReadDir(s.path("sys/block"))
	if err != nil {
		return nil, fmt.Errorf("list the disks: %w", err)
	}
	var disks []Disk
	for _, e := range entries {
		if !listed.MatchString(e.Name()) {
			continue
		}
		n, err := s.node(e.Name())
		if err != nil || n.flag("hidden") || n.number("size") == 0 {
			continue // hidden: one path of an NVMe disk with several
		}
		disks = append(disks, s.describe(n))
	}
	slices.SortFunc(disks, func(a, b Disk) int { return compareNames(a.Name, b.Name) })
	return disks, nil
}

// compareNames orders by driver, then puts sdb before sdaa and nvme2n1 before
// nvme10n1.
func compareNames(a, b string) int {
	driver := func(name string) string { return strings.Join(listed.FindStringSubmatch(name)[1:], "") }
	return cmp.Or(cmp.Compare(driver(a), driver(b)), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// Stat describes a single disk, partition or image file.
// Errors: *NotFoundError, *KindError.
func Stat(path string) (Disk, error) {
	if _, err := statKind(path); err != nil {
		return Disk{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return Disk{}, err
	}
	defer f.Close()
	g, err := measure(f, 0)
	if err != nil {
		return Disk{}, err
	}
	return describe(f, g)
}

// describe is Stat of what is open already; the sizes are those measured.
func describe(f *os.File, g geometry) (Disk, error) {
	d := Disk{Model: "image file", Transport: "file", discard: true, zeroes: true}
	if g.device {
		var st unix.Stat_t
		if err := control(f, func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
			return Disk{}, fmt.Errorf("stat %s: %w", f.Name(), err)
		}
		s := local()
		n, err := s.nodeOf(uint64(st.Rdev))
		if err != nil {
			return Disk{}, fmt.Errorf("find %s in sysfs: %w", f.Name(), err)
		}
		d = s.describe(n)
	} else {
		d.Name = f.Name()[strings.LastIndexByte(f.Name(), '/')+1:]
	}
	d.Path = f.Name()
	d.Size, d.LogicalSector, d.PhysicalSector = g.size, g.logicalSector, g.physicalSector
	return d, nil
}

// describe reads a device's attributes. A partition has its disk's model,
// serial and transport.
func (s system) describe(n node) Disk {
	disk := n.disk()
	d := Disk{
		Path:           n.path(),
		Name:           n.name(),
		Size:           n.number("size") * 512, // always in 512 bytes, whatever the sector
		LogicalSector:  int(disk.number("queue/logical_block_size")),
		PhysicalSector: int(disk.number("queue/physical_block_size")),
		Removable:      disk.flag("removable"),
		ReadOnly:       n.flag("ro"),
		Rotational:     disk.flag("queue/rotational"),
		Backing:        disk.attr("loop/backing_file"),
		discard:        disk.number("queue/discard_max_bytes") > 0,
	}
	for _, p := range n.partitions() {
		d.Partitions = append(d.Partitions, p.path())
	}
	s.identify(disk, &d)
	return d
}

// PartitionPath is the path of partition n of a disk. The kernel puts a "p"
// between a name that ends in a digit and the number; udev's names below
// /dev/disk take "-part".
func PartitionPath(disk string, n int) string {
	number := strconv.Itoa(n)
	if strings.HasPrefix(disk, "/dev/disk/") {
		return disk + "-part" + number
	}
	if disk != "" && unicode.IsDigit(rune(disk[len(disk)-1])) {
		return disk + "p" + number
	}
	return disk + number
}
