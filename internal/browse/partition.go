package browse

import (
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/part"
)

// Partition is a volume of an image.
type Partition struct {
	Number   int // 0: the image is of one volume without a table
	Start    int64
	Size     int64
	Type     string // in the table, as part.Partition has it; so are the next
	ID, Name string
	Flags    uint64
	image.Volume

	blocks, listing, contents int // its regions; -1: it has none
}

// reachable reports whether the files of p can be read.
func (p *Partition) reachable() bool {
	return p.Method == image.FileByFile || mount.Mountable(p.Kind)
}

// Mounted reports whether the files of p are read through a mount.
func (p *Partition) Mounted() bool {
	return p.Method != image.FileByFile && mount.Mountable(p.Kind)
}

// Partitions are the volumes of the image, by their numbers.
func (i *Image) Partitions() []Partition {
	var all []Partition
	for _, r := range i.manifest.Regions {
		if r.Volume == nil || r.Role == image.Contents {
			continue
		}
		n := r.Partition
		p := Partition{
			Number: n, Start: r.Start, Size: r.Size, Volume: *r.Volume,
			blocks: i.region(n, image.Blocks), listing: i.region(n, image.Listing), contents: i.region(n, image.Contents),
		}
		if r.Role == image.Listing {
			p.Size = r.Volume.Size
		}
		if t := i.manifest.Table; t != nil {
			p.fromTable(t)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Partition) int { return a.Number - b.Number })
	return all
}

func (p *Partition) fromTable(t *part.Table) {
	for _, q := range t.Partitions {
		if q.Number == p.Number {
			p.Start, p.Size, p.Type, p.ID, p.Name, p.Flags = q.Start, q.Length, q.Type, q.ID, q.Name, q.Flags
		}
	}
}

// region is the number of a partition's region with a role; -1: there is none.
func (i *Image) region(n int, role image.Role) int {
	return slices.IndexFunc(i.manifest.Regions, func(r image.Region) bool { return r.Partition == n && r.Role == role && r.Volume != nil })
}

// NoPartitionError says that an image has no volume with this number.
type NoPartitionError struct {
	Number int
	Have   []int
}

func (e *NoPartitionError) Error() string {
	return fmt.Sprintf("the image has no partition %d; it has %v", e.Number, e.Have)
}

// KindError says that the files of a volume cannot be reached.
type KindError struct {
	Partition int
	Kind      string
}

func (e *KindError) Error() string {
	what := "Deploy the image to a disk or a file, and read them there."
	switch e.Kind {
	case "luks", "luks1", "luks2", "bitlocker":
		what = "It is encrypted: deploy the image to a disk or a file, and unlock it there."
	case "lvm2":
		what = "It holds volumes of its own: deploy the image to a disk or a file, and activate them there."
	case "swap":
		what = "It is space for swapping and holds none."
	}
	return fmt.Sprintf("partition %d holds %s, whose files cannot be read inside an image. %s", e.Partition, e.Kind, what)
}

// partition returns the volume with a number.
func (i *Image) partition(n int) (Partition, error) {
	all := i.Partitions()
	var have []int
	for _, p := range all {
		if p.Number == n {
			return p, nil
		}
		have = append(have, p.Number)
	}
	return Partition{}, &NoPartitionError{n, have}
}
