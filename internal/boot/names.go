package boot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/part"
)

// has reports whether a device that a system's file names is on the disk. known
// is false for names that do not tell: devices of the kernel's numbering, and
// those inside a container whose content nobody listed.
func (d Disk) has(spec string) (found, known bool) {
	tag, value := reference(spec)
	if tag == "" {
		return false, false
	}
	found = slices.ContainsFunc(d.Volumes, func(v Volume) bool { return d.means(v, tag, value) })
	return found, found || !d.opaque()
}

// reference splits UUID=..., LABEL=..., and their links below /dev/disk.
func reference(spec string) (tag, value string) {
	tag, value, ok := strings.Cut(spec, "=")
	if rest, isLink := strings.CutPrefix(spec, "/dev/disk/by-"); isLink {
		tag, value, ok = strings.Cut(rest, "/")
	}
	tag, value = strings.ToUpper(tag), strings.Trim(value, `"'`)
	if !ok || value == "" || !slices.Contains([]string{"UUID", "LABEL", "PARTUUID", "PARTLABEL"}, tag) {
		return "", ""
	}
	return tag, value
}

func (d Disk) means(v Volume, tag, value string) bool {
	switch tag {
	case "UUID":
		return strings.EqualFold(v.UUID, value)
	case "LABEL":
		return v.Label == value
	}
	i := slices.IndexFunc(d.Table.Partitions, func(p part.Partition) bool { return p.Number == v.Partition })
	if i < 0 {
		return false
	}
	p := d.Table.Partitions[i]
	if tag == "PARTLABEL" {
		return p.Name == value
	}
	return strings.EqualFold(partUUID(d.Table, p), value)
}

// partUUID is how Linux names a partition: by its GUID, on MBR by the disk's
// signature and its number (block/partitions/msdos.c).
func partUUID(t part.Table, p part.Partition) string {
	if t.Kind == part.MBR {
		return fmt.Sprintf("%s-%02x", t.ID, p.Number)
	}
	return p.ID
}

// opaque reports whether volumes are on the disk that are not among d.Volumes.
func (d Disk) opaque() bool {
	return slices.ContainsFunc(d.Volumes, func(v Volume) bool {
		for _, container := range []string{"lvm", "luks", "bitlocker", "linux_raid"} {
			if strings.HasPrefix(v.Kind, container) {
				return true
			}
		}
		return false
	})
}
