// Package devname knows the names by which a Linux system calls its volumes, and
// what they are after a deploy.
//
// It owns UUID=, LABEL=, PARTUUID= and the links below /dev/disk. It leaves alone
// what it cannot map with certainty: kernel names like /dev/sda2, and names that
// two volumes of the disk had. Start at New.
package devname

import (
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise"
)

// Names maps the names of one disk's volumes.
type Names struct {
	byName map[key]*customise.Volume // nil: more than one had that name
	disk   customise.Disk
}

type key struct{ tag, value string }

// The tags of fstab(5), and where udev has links for them.
const (
	uuid     = "UUID"
	label    = "LABEL"
	partUUID = "PARTUUID"
)

var links = map[string]string{"/dev/disk/by-uuid/": uuid, "/dev/disk/by-label/": label, "/dev/disk/by-partuuid/": partUUID}

// New looks at what a deploy does to the disk.
func New(disk customise.Disk) *Names {
	n := &Names{map[key]*customise.Volume{}, disk}
	for i := range disk.Volumes {
		v := &disk.Volumes[i]
		n.add(uuid, v.OldUUID, v)
		n.add(label, v.OldLabel, v)
		n.add(partUUID, n.oldPartUUID(v), v)
	}
	return n
}

func (n *Names) add(tag, value string, v *customise.Volume) {
	k := folded(tag, value)
	if _, twice := n.byName[k]; twice {
		v = nil
	}
	if value != "" {
		n.byName[k] = v
	}
}

// folded is a name as it is compared: labels by their letters, IDs without case.
func folded(tag, value string) key {
	if tag != label {
		value = strings.ToLower(value)
	}
	return key{tag, value}
}

// oldPartUUID is what PARTUUID= was: the GUID of the partition on GPT, the disk's
// signature and the partition's number on MBR (block/partitions/msdos.c of Linux).
func (n *Names) oldPartUUID(v *customise.Volume) string {
	return n.partUUID(v, v.OldID, n.disk.OldID)
}

func (n *Names) newPartUUID(v *customise.Volume) string { return n.partUUID(v, v.ID, n.disk.ID) }

func (n *Names) partUUID(v *customise.Volume, id, disk string) string {
	switch {
	case id != "":
		return strings.ToLower(id)
	case disk != "" && !n.disk.GPT:
		return fmt.Sprintf("%s-%02x", strings.ToLower(disk), v.Partition)
	}
	return ""
}

// Resolve returns the volume that a name meant, and what the name is now, in the
// same form. The volume is nil when the name means none of this disk.
func (n *Names) Resolve(name string) (*customise.Volume, string) {
	tag, value, form := split(name)
	v := n.byName[folded(tag, value)]
	if v == nil {
		return nil, name
	}
	now := map[string]string{uuid: v.UUID, label: v.Label, partUUID: n.newPartUUID(v)}[tag]
	if strings.EqualFold(now, value) && (tag != label || now == value) {
		return v, name
	}
	if now == "" { // a label that is no more
		tag, now = uuid, v.UUID
	}
	return v, form(tag, now)
}

// split takes a name apart; form makes one of the same form of another value.
func split(name string) (tag, value string, form func(tag, value string) string) {
	for dir, tag := range links {
		if value, ok := strings.CutPrefix(name, dir); ok {
			return tag, unescape(value), func(tag, value string) string { return linkOf(tag) + escape(value) }
		}
	}
	tag, value, _ = strings.Cut(name, "=")
	if tag != uuid && tag != label && tag != partUUID {
		return "", "", nil
	}
	quote := ""
	if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
		quote, value = value[:1], value[1:len(value)-1]
	}
	return tag, value, func(tag, value string) string { return tag + "=" + quote + value + quote }
}

func linkOf(wanted string) string {
	for dir, tag := range links {
		if tag == wanted {
			return dir
		}
	}
	return ""
}

// IDs are the strings that mean another volume, or none, from now on: the old one
// and the new one of each. Labels are not among them, since a label may be any word.
func (n *Names) IDs() map[string]string {
	ids := map[string]string{}
	for k, v := range n.byName {
		if v == nil || k.tag == label {
			continue
		}
		now := v.UUID
		if k.tag == partUUID {
			now = n.newPartUUID(v)
		}
		if now != "" && !strings.EqualFold(now, k.value) {
			ids[k.value] = now
		}
	}
	return ids
}

// Labels are the labels that changed, old and new.
func (n *Names) Labels() map[string]string {
	labels := map[string]string{}
	for k, v := range n.byName {
		if v != nil && k.tag == label && v.Label != "" && v.Label != k.value {
			labels[k.value] = v.Label
		}
	}
	return labels
}

// unescape undoes udev's \xHH in the names of links.
func unescape(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		var b byte
		if strings.HasPrefix(s[i:], `\x`) && len(s) >= i+4 {
			if _, err := fmt.Sscanf(s[i+2:i+4], "%02x", &b); err == nil {
				out.WriteByte(b)
				i += 3
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// escape is what udev does to a label in the name of a link: all but letters,
// digits, #+-.:=@_ and UTF-8 become \xHH.
func escape(s string) string {
	var out strings.Builder
	for _, c := range []byte(s) {
		if c >= 0x80 || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("#+-.:=@_", c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, `\x%02x`, c)
		}
	}
	return out.String()
}
