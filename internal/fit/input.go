package fit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/part"
)

// Limits on what a caller may claim; no disk comes near them.
const (
	maxDisk       = 1 << 60 // bytes
	maxSector     = 64 << 10
	maxPartitions = 1 << 15
)

// wishes is Options, read.
type wishes struct {
	Options
	number int // the partition that Grow names, -1 when it names none
}

// checkInput refuses tables and targets that contradict themselves, so that no
// later sum can overflow.
func checkInput(t part.Table, target Target) error {
	if !sectorSize(t.SectorSize) || t.DiskSize < 0 || t.DiskSize > maxDisk {
		return &RefusedError{fmt.Sprintf("the image comes from a disk of %d bytes in sectors of %d bytes, which no disk has", t.DiskSize, t.SectorSize)}
	}
	if !sectorSize(target.SectorSize) || target.Size < int64(target.SectorSize) || target.Size > maxDisk {
		return &RefusedError{fmt.Sprintf("a target of %d bytes in sectors of %d bytes cannot be used", target.Size, target.SectorSize)}
	}
	if len(t.Partitions) > maxPartitions {
		return &RefusedError{fmt.Sprintf("a table of %d partitions cannot be used", len(t.Partitions))}
	}
	if err := t.Validate(t.DiskSize); err != nil {
		return &RefusedError{err.Error()}
	}
	return nil
}

func sectorSize(n int) bool { return n >= 512 && n <= maxSector && n&(n-1) == 0 }

// volumesByNumber pairs volumes with partitions. A partition without a Volume
// holds something unknown that is needed to the last byte.
func volumesByNumber(t part.Table, volumes []Volume) (map[int]*Volume, error) {
	known := map[int]*Volume{}
	for _, p := range t.Partitions {
		if !p.Extended {
			known[p.Number] = &Volume{Partition: p.Number, Kind: "unknown", End: p.Length, Smallest: -1, RebuildSize: -1}
		}
	}
	if t.Kind == part.None {
		known[0] = &Volume{Kind: "unknown", End: t.DiskSize, Smallest: -1, RebuildSize: -1}
	}
	seen, total := map[int]bool{}, int64(0)
	for _, v := range volumes {
		switch {
		case known[v.Partition] == nil:
			return nil, &RefusedError{fmt.Sprintf("the image holds a volume of partition %d, which its table does not have", v.Partition)}
		case seen[v.Partition]:
			return nil, &RefusedError{fmt.Sprintf("the image holds two volumes of partition %d", v.Partition)}
		case v.Smallest > maxDisk || v.RebuildSize > maxDisk-total:
			return nil, &RefusedError{fmt.Sprintf("partition %d claims to need more bytes than any disk has", v.Partition)}
		}
		seen[v.Partition] = true
		total += max(0, v.RebuildSize)
		known[v.Partition] = &v
	}
	return known, nil
}

// readOptions checks what can be checked without a layout.
func readOptions(o Options, known map[int]*Volume) (wishes, error) {
	w := wishes{o, -1}
	for number, kind := range o.FileSystems {
		switch v := known[number]; {
		case v == nil:
			return w, &OptionError{fmt.Sprintf("file system %s for partition %d: there is no such partition", kind, number)}
		case v.Kind == kind:
		case !unix(kind) || !unix(v.Kind):
			return w, &OptionError{fmt.Sprintf("partition %d: %s cannot become %s; ext2, ext3, ext4, xfs and btrfs can become one another", number, v.Kind, kind)}
		case v.RebuildSize < 0:
			return w, &OptionError{fmt.Sprintf("partition %d cannot become %s: its files cannot be read", number, kind)}
		}
	}
	for number, on := range o.Rebuild {
		if v := known[number]; on && (v == nil || !remade(v.Kind) || v.RebuildSize < 0) {
			return w, &OptionError{fmt.Sprintf("partition %d cannot be made anew", number)}
		}
	}
	switch o.Grow {
	case "", "auto", "none", "proportional":
		return w, nil
	}
	number, err := strconv.Atoi(o.Grow)
	if err != nil || number < 0 {
		return w, &OptionError{fmt.Sprintf("grow %q: it is neither auto, none, proportional nor the number of a partition", o.Grow)}
	}
	w.number = number
	return w, nil
}

// numbers spells a list for people: "2", "2 and 5", "1, 2 and 5".
func numbers(of []item) string {
	var out []string
	for _, it := range of {
		out = append(out, strconv.Itoa(it.number))
	}
	if n := len(out); n > 1 {
		out = append(out[:n-2], out[n-2]+" and "+out[n-1])
	}
	return strings.Join(out, ", ")
}
