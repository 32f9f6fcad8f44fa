package machine

import (
	"cmp"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An adapter is a network interface that hardware stands behind.
type adapter struct {
	name string
	mac  string
	rank int // wired first, what is plugged in last
}

// Values of sysfs-class-net.
const (
	ethernet  = "1" // type: ARPHRD_ETHER of include/uapi/linux/if_arp.h
	permanent = "0" // addr_assign_type: NET_ADDR_PERM of include/uapi/linux/netdevice.h
)

// readMACs returns the addresses that the machine was built with: interfaces on
// the board before those on USB, wired before wireless.
func readMACs(fsys fs.FS) ([]string, error) {
	names, err := list(fsys, "sys/class/net")
	if err != nil {
		return nil, err
	}
	var adapters []adapter
	for _, name := range names {
		if a, ok := readAdapter(fsys, name); ok {
			adapters = append(adapters, a)
		}
	}
	slices.SortStableFunc(adapters, func(a, b adapter) int { return cmp.Compare(a.rank, b.rank) })
	var macs []string
	for _, a := range adapters {
		if !slices.Contains(macs, a.mac) { // a dock may repeat the address of its PC
			macs = append(macs, a.mac)
		}
	}
	return macs, nil
}

var macAddress = regexp.MustCompile(`^[0-9a-f]{2}(:[0-9a-f]{2}){5}$`)

// readAdapter is false for what is no hardware (bridges, bonds, lo: they have no
// device) and for addresses that are not the hardware's own.
func readAdapter(fsys fs.FS, name string) (adapter, bool) {
	dir := "sys/class/net/" + name
	if attribute(fsys, dir, "type") != ethernet {
		return adapter{}, false
	}
	bus := link(fsys, dir, "device/subsystem")
	if bus == "" {
		return adapter{}, false
	}
	a := adapter{name: name}
	address, assigned := attribute(fsys, dir, "address"), attribute(fsys, dir, "addr_assign_type")
	if phy := link(fsys, dir, "phy80211"); phy != "" {
		a.rank, assigned = 1, permanent
		address = cmp.Or(attribute(fsys, dir, "phy80211/macaddress"), address)
	}
	if own := attribute(fsys, dir, "bonding_slave/perm_hwaddr"); own != "" {
		address, assigned = own, permanent
	}
	if bus == "usb" {
		a.rank += 2
	}
	a.mac = strings.ToLower(address)
	if !macAddress.MatchString(a.mac) || strings.Trim(a.mac, "0:") == "" {
		return adapter{}, false
	}
	first, _ := strconv.ParseUint(a.mac[:2], 16, 8) // two digits: the expression says so
	// Bit 1 marks an address that somebody made up: a phone that is plugged in, a
	// randomised one. A virtual machine's are such too, and are its identity.
	if first&2 != 0 && (bus == "usb" || assigned != permanent) {
		return adapter{}, false
	}
	return a, first&1 == 0 // bit 0 marks groups
}
