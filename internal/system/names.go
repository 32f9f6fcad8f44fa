package system

import (
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/part"
)

// The names by which Linux calls a volume, fstab(5).
var tags = []string{"UUID", "LABEL", "PARTUUID", "PARTLABEL"}

// Reference splits UUID=..., LABEL=..., and their links below /dev/disk. The tag is
// "" for what is none of these, such as /dev/sda2.
func Reference(spec string) (tag, value string) {
	tag, value, ok := strings.Cut(spec, "=")
	if rest, isLink := strings.CutPrefix(spec, "/dev/disk/by-"); isLink {
		tag, value, ok = strings.Cut(rest, "/")
	}
	tag, value = strings.ToUpper(tag), strings.Trim(value, `"'`)
	if !ok || value == "" || !slices.Contains(tags, tag) {
		return "", ""
	}
	return tag, value
}

// Is reports whether v has a name, as Reference splits it.
func (v Volume) Is(tag, value string) bool {
	switch tag {
	case "UUID":
		return strings.EqualFold(value, v.UUID)
	case "LABEL":
		return value == v.Label
	case "PARTUUID":
		return strings.EqualFold(value, v.PartID)
	case "PARTLABEL":
		return value == v.PartLabel
	}
	return false
}

// In is v with what a table says of its partition.
func (v Volume) In(t part.Table) Volume {
	if p, ok := t.Partition(v.Partition); ok {
		v.PartID, v.PartLabel, v.ESP = t.UUID(p), p.Name, t.IsESP(p)
	}
	return v
}
