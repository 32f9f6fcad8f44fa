package fleet

import (
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Bounds of an inventory, far above what machines have. An agent is a program on
// somebody's PC, and may say anything.
const (
	maxText    = 200 // characters
	maxLine    = 500 // of what is a sentence or a list
	maxDisks   = 64
	maxNICs    = 64
	maxDevices = 1024
	maxNotes   = 32
)

// Clean returns an inventory as it may be kept and shown: texts by the rules of
// Text, addresses in one form or "", lists and numbers within bounds. It changes
// nothing of inv, and cleaning twice is cleaning once.
func Clean(inv wire.Inventory) wire.Inventory {
	inv.Facts = cleanFacts(inv.Facts)
	for _, s := range []*string{&inv.CPU, &inv.TPM, &inv.BIOS} {
		*s = Text(*s, maxText)
	}
	inv.SecureBoot = oneOf(inv.SecureBoot, "on", "off")
	inv.Cores, inv.Memory = max(0, inv.Cores), max(0, inv.Memory)
	inv.Disks = each(inv.Disks, maxDisks, cleanDisk)
	inv.NICs = each(inv.NICs, maxNICs, cleanNIC)
	inv.Notes = each(inv.Notes, maxNotes, func(s string) string { return Text(s, maxLine) })
	return inv
}

func cleanFacts(f profile.Facts) profile.Facts {
	for _, s := range []*string{&f.Maker, &f.Model, &f.Version, &f.SKU, &f.Serial, &f.UUID, &f.Board, &f.Asset} {
		*s = Text(*s, maxText)
	}
	f.UUID = strings.ToLower(f.UUID)
	f.Firmware = oneOf(f.Firmware, "uefi", "bios")
	f.MACs = slices.DeleteFunc(each(f.MACs, maxNICs, MAC), func(mac string) bool { return mac == "" })
	f.Devices = each(f.Devices, maxDevices, func(d profile.Device) profile.Device {
		for _, s := range []*string{&d.Bus, &d.ID, &d.Class, &d.Subsys, &d.Modalias, &d.Driver} {
			*s = Text(*s, maxText)
		}
		return d
	})
	return f
}

func cleanDisk(d wire.Disk) wire.Disk {
	for _, s := range []*string{&d.Path, &d.Model, &d.Serial, &d.WWN, &d.Transport, &d.Health} {
		*s = Text(*s, maxText)
	}
	d.Holds = Text(d.Holds, maxLine)
	d.Size, d.Sector = max(0, d.Size), max(0, d.Sector)
	return d
}

func cleanNIC(n wire.NIC) wire.NIC {
	for _, s := range []*string{&n.Name, &n.Driver, &n.Addr} {
		*s = Text(*s, maxText)
	}
	n.MAC, n.Speed = MAC(n.MAC), max(0, n.Speed)
	return n
}

// each returns at most most elements of s, each changed by f, in a new slice.
func each[T any](s []T, most int, f func(T) T) []T {
	if len(s) == 0 {
		return nil
	}
	changed := make([]T, min(len(s), most))
	for i := range changed {
		changed[i] = f(s[i])
	}
	return changed
}

func oneOf(s string, known ...string) string {
	if slices.Contains(known, s) {
		return s
	}
	return ""
}

// MAC returns an Ethernet address as "52:54:00:12:34:56", "" for what is none. It
// takes colons, hyphens, Cisco's dots, and digits alone.
func MAC(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	switch {
	case len(s) == 17 && (strings.Count(s, ":") == 5 || strings.Count(s, "-") == 5):
		for i := 2; i < len(s); i += 3 {
			if s[i] != ':' && s[i] != '-' {
				return ""
			}
		}
	case len(s) == 14 && s[4] == '.' && s[9] == '.':
	case len(s) == 12:
	default:
		return ""
	}
	digits := strings.NewReplacer(":", "", "-", "", ".", "").Replace(s)
	if len(digits) != 12 || strings.Trim(digits, "0123456789abcdef") != "" {
		return ""
	}
	var pairs []string
	for pair := range slices.Chunk([]byte(digits), 2) {
		pairs = append(pairs, string(pair))
	}
	return strings.Join(pairs, ":")
}
