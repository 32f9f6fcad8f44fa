package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/network"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

const (
	netplanDir     = "/etc/netplan"
	connectionsDir = "/etc/NetworkManager/system-connections"
	networkdDir    = "/etc/systemd/network"
	interfacesFile = "/etc/network/interfaces"
)

// setNetwork writes the interfaces for the program that the image configures its
// network with. Netplan comes first, since it writes for two of the others; then
// what systemd starts; then what is merely there.
func (m *machine) setNetwork() error {
	if len(m.job.Settings.Network) == 0 {
		return m.noteMACs()
	}
	list, err := network.Parse(m.job.Settings.Network)
	if err != nil {
		return err
	}
	interfaces, err := m.read(interfacesFile)
	if err != nil {
		return err
	}
	switch ifup := m.program("ifup") && interfaces != nil; {
	case len(m.glob(netplanDir+"/*.yaml")) > 0:
		return m.writeNetplan(list)
	case m.enabled("NetworkManager.service") && (!ifup || len(network.Others(interfaces)) == 0):
		return m.writeKeyfiles(list)
	case m.enabled("systemd-networkd.service"):
		return m.writeNetworkd(list)
	case ifup:
		return m.writeInterfaces(list, interfaces)
	case m.program("NetworkManager"):
		return m.writeKeyfiles(list)
	case m.program("netplan"):
		return m.writeNetplan(list)
	}
	return errors.New("the image configures its network with none of NetworkManager, netplan, systemd-networkd and ifupdown: leave network out of the profile, and configure it by files or scripts")
}

func (m *machine) writeNetplan(list []network.Interface) error {
	const own = netplanDir + "/90-ingot.yaml"
	for _, name := range m.glob(netplanDir + "/*.yaml") {
		if name == own {
			continue
		}
		text, err := m.read(name)
		if err != nil {
			return err
		}
		rest, shared, err := network.WithoutEthernets(text)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if shared {
			m.note("%s configures wired interfaces and others together; it stays, and is merged with what the profile says", name)
			continue
		}
		if rest == nil {
			err = m.remove(name)
		} else {
			err = m.write(name, rest)
		}
		if err != nil {
			return err
		}
	}
	text, err := network.Netplan(list)
	if err != nil {
		return err
	}
	return m.writeAs(own, text, rootfs.Attr{Mode: 0o600})
}

// writeKeyfiles replaces the wired connections of NetworkManager. Others, wireless
// ones and the ports of bridges, stay.
func (m *machine) writeKeyfiles(list []network.Interface) error {
	var own []string
	for n, i := range list {
		name := fmt.Sprintf("%s/ingot-%d.nmconnection", connectionsDir, n)
		own = append(own, name)
		if err := m.writeAs(name, network.Keyfile(i, n), rootfs.Attr{Mode: 0o600}); err != nil {
			return err
		}
	}
	for _, name := range m.glob(connectionsDir + "/*") {
		text, err := m.readConfig(name)
		if err != nil {
			return err
		}
		if p := network.ParseKeyfile(text); p.Ethernet && !p.Port && !slices.Contains(own, name) {
			if err := m.remove(name); err != nil {
				return err
			}
		}
	}
	for _, name := range m.glob("/etc/sysconfig/network-scripts/ifcfg-*") {
		if ifcfgEthernet(path.Base(name)) {
			if err := m.remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// ifcfgEthernet reports whether a file of the old network scripts, which
// NetworkManager reads too, is for a wired interface.
func ifcfgEthernet(base string) bool {
	name := strings.TrimPrefix(base, "ifcfg-")
	return strings.HasPrefix(name, "en") || strings.HasPrefix(name, "eth") || strings.HasPrefix(name, "System_")
}

// readConfig reads a file that may be something else: nil then.
func (m *machine) readConfig(name string) ([]byte, error) {
	if e, there := m.stat(name); !there || e.mode.Type() != 0 {
		return nil, nil
	}
	return m.read(name)
}

func (m *machine) writeNetworkd(list []network.Interface) error {
	for n, i := range list {
		// The first file that matches counts, by its name.
		if err := m.write(fmt.Sprintf("%s/00-ingot-%d.network", networkdDir, n), network.Networkd(i)); err != nil {
			return err
		}
	}
	if m.enabled("systemd-resolved.service") {
		return nil
	}
	return m.setResolver(list)
}

func (m *machine) writeInterfaces(list []network.Interface, interfaces []byte) error {
	if err := m.write("/etc/network/interfaces.d/ingot", network.Ifupdown(list)); err != nil {
		return err
	}
	if err := m.write(interfacesFile, network.EditInterfaces(interfaces, list)); err != nil {
		return err
	}
	if m.program("resolvconf") {
		return nil
	}
	return m.setResolver(list)
}

// setResolver writes fixed name servers where no program does so.
func (m *machine) setResolver(list []network.Interface) error {
	const file = "/etc/resolv.conf"
	text := network.Resolver(list)
	if text == nil {
		return nil
	}
	if e, there, err := m.lstat(file); err != nil || there && e.mode&fs.ModeSymlink != 0 {
		return err // a program's own
	}
	return m.write(file, text)
}

// noteMACs tells of network configuration that knows the reference PC's interfaces
// by their MAC, where the profile does not replace it.
func (m *machine) noteMACs() error {
	tell := func(name string) {
		m.note("%s is for an interface with the MAC of the reference PC: another machine has none such; a profile with network replaces it", name)
	}
	for _, name := range m.glob(connectionsDir + "/*") {
		text, err := m.readConfig(name)
		if err != nil {
			return err
		}
		if network.ParseKeyfile(text).MAC != "" {
			tell(name)
		}
	}
	for _, name := range m.glob(netplanDir + "/*.yaml") {
		text, err := m.readConfig(name)
		if err != nil {
			return err
		}
		if network.NamesMAC(text) {
			tell(name)
		}
	}
	for _, pattern := range []string{networkdDir + "/*.link", networkdDir + "/*.network"} {
		for _, name := range m.glob(pattern) {
			text, err := m.readConfig(name)
			if err != nil {
				return err
			}
			if strings.Contains(string(text), "\nMACAddress=") || strings.Contains(string(text), "\nPermanentMACAddress=") {
				tell(name)
			}
		}
	}
	return nil
}
