package fleet

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/machine"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// IdentityOf is what of an inventory tells its machine from all others. Left out is
// what firmware never set or whole series share, what is too short to be a serial
// number, and whatever can be pulled out and plugged into the next machine: USB
// network interfaces, removable and USB disks, disks of the network.
func IdentityOf(inv wire.Inventory) Identity {
	inv = Clean(inv)
	id := Identity{UUID: machine.KnownUUID(inv.UUID), Asset: machine.Known(inv.Asset)}
	serial, board := serialNumber(inv.Serial), serialNumber(inv.Board)
	if derived(serial, id.UUID) {
		serial = ""
	}
	// A board that repeats the machine's number proves nothing besides it.
	if fold(board) == fold(serial) || derived(board, id.UUID) {
		board = ""
	}
	id.Serial, id.Board = WithMaker(inv.Maker, serial), WithMaker(inv.Maker, board)
	for _, d := range inv.Disks {
		if serial := diskSerial(d); serial != "" {
			id.Disks = append(id.Disks, WithMaker(d.Model, serial))
		}
	}
	for _, n := range inv.NICs {
		if !n.USB && ownMAC(n.MAC, inv.MACs) {
			id.MACs = append(id.MACs, n.MAC)
		}
	}
	return id.sorted()
}

// WithMaker is a serial number with who made what it is on, "Dell Inc./5XK2R93", as
// Identity has it; "" without a number. Makers may be unknown, as in "/5XK2R93".
func WithMaker(maker, serial string) string {
	if serial == "" {
		return ""
	}
	return strings.ReplaceAll(machine.Known(maker), "/", " ") + "/" + serial
}

// shortest is how many characters a serial number has at least: VirtualBox says "0",
// home-made firmware "1" or "123".
const shortest = 4

func serialNumber(s string) string {
	if len(fold(s)) < shortest {
		return ""
	}
	return machine.Known(s)
}

// derived reports whether a serial number is only the UUID in other words, as
// hypervisors have it ("VMware-56 4d 3f ..."). It is copied with it.
func derived(serial, uuid string) bool {
	if serial == "" || uuid == "" {
		return false
	}
	digits := strings.Map(hexDigit, strings.TrimPrefix(strings.ToLower(serial), "vmware-"))
	plain := strings.ReplaceAll(uuid, "-", "")
	return digits == plain || digits == swapped(plain)
}

func hexDigit(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'f' {
		return r
	}
	return -1
}

// swapped is a UUID of 32 digits with its first three fields in the other byte
// order, SMBIOS 3.7 section 7.2.1.
func swapped(d string) string {
	return d[6:8] + d[4:6] + d[2:4] + d[:2] + d[10:12] + d[8:10] + d[14:16] + d[12:14] + d[16:]
}

// sharedSerial are serial numbers of disks that emulators number through, one
// machine as the next.
var sharedSerial = regexp.MustCompile(`^(qm\d{5}|drive-.*|vd[a-z]|hd[a-z]|sd[a-z]|disk\d*|nvme\d*)$`)

// diskSerial is the serial number of a disk that stays in its machine, "" of others.
func diskSerial(d wire.Disk) string {
	if d.Removable || slices.Contains([]string{"usb", "iscsi", "fc", "fcoe", "nbd", "sas-expander"}, strings.ToLower(d.Transport)) {
		return ""
	}
	if sharedSerial.MatchString(fold(d.Serial)) {
		return ""
	}
	return serialNumber(d.Serial)
}

// ownMAC reports whether an address is one that an interface was made with. One
// that somebody made up (bit 1 of the first byte, IEEE 802 section 8.2.2) counts
// when the machine says that its interface keeps it, as those of a hypervisor do.
func ownMAC(mac string, permanent []string) bool {
	if mac == "" || sharedMAC(mac) {
		return false
	}
	second := strings.IndexByte("0123456789abcdef", mac[1])
	group, local := second&1 != 0, second&2 != 0
	return !group && (!local || slices.Contains(permanent, mac))
}

// sharedMAC knows addresses that chips have whose memory was never written.
func sharedMAC(mac string) bool {
	digits := strings.ReplaceAll(mac, ":", "")
	if strings.Count(digits, digits[:1]) == len(digits) || strings.HasPrefix(digits, "0000000000") {
		return true
	}
	switch mac {
	case "00:11:22:33:44:55", "00:12:34:56:78:9a", "00:12:34:56:78:90", "12:34:56:78:9a:bc", "01:23:45:67:89:ab", "00:01:02:03:04:05",
		"00:e0:4c:00:00:00", "00:e0:4c:00:00:01", "00:e0:4c:68:00:01", "00:e0:4c:36:00:00", // Realtek
		"88:88:88:88:87:88", "00:de:ad:be:ef:00", "de:ad:be:ef:00:00", "00:aa:bb:cc:dd:ee", "aa:bb:cc:dd:ee:ff",
		"02:00:00:00:00:00":
		return true
	}
	return false
}

// fold is a value as it is compared: people and firmware write capitals and blanks
// as they like.
func fold(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(s), ""))
}

func (id Identity) sorted() Identity {
	id.Disks, id.MACs = slices.Clone(id.Disks), slices.Clone(id.MACs)
	slices.Sort(id.Disks)
	slices.Sort(id.MACs)
	id.Disks, id.MACs = slices.Compact(id.Disks), slices.Compact(id.MACs)
	return id
}

// Empty reports whether nothing tells the machine from others.
func (id Identity) Empty() bool { return len(id.Keys()) == 0 }

// With is the identity of a machine that told id before and tells later now. What
// it does not tell now it keeps: disks that the firmware hides, a radio that is off.
// Disks and interfaces that it tells replace those it had, so that what moved to
// another machine is not claimed for ever.
func (id Identity) With(later Identity) Identity {
	id.UUID = cmp.Or(later.UUID, id.UUID)
	id.Serial, id.Board = cmp.Or(later.Serial, id.Serial), cmp.Or(later.Board, id.Board)
	id.Asset = cmp.Or(later.Asset, id.Asset)
	if len(later.Disks) > 0 {
		id.Disks = later.Disks
	}
	if len(later.MACs) > 0 {
		id.MACs = later.MACs
	}
	return id.sorted()
}

// Keys are words that two identities share when they agree in anything, so that
// only machines with a common key have to be given to Match. They are sorted, and
// each begins with its kind: "mac:52:54:00:12:34:56".
func (id Identity) Keys() []string {
	var keys []string
	add := func(kind, value string) {
		if value != "" {
			keys = append(keys, kind+":"+value)
		}
	}
	add("uuid", id.UUID)
	_, serial, _ := strings.Cut(id.Serial, "/")
	add("serial", fold(serial))
	_, board, _ := strings.Cut(id.Board, "/")
	add("board", fold(board))
	add("asset", fold(id.Asset))
	for _, d := range id.Disks {
		add("disk", fold(d))
	}
	for _, m := range id.MACs {
		add("mac", m)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
