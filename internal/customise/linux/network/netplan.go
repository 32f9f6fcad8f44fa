package network

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// The parts of netplan's YAML, version 2, that are written.
type (
	netplanFile struct {
		Network netplanNetwork `yaml:"network"`
	}
	netplanNetwork struct {
		Version   int                        `yaml:"version"`
		Ethernets map[string]netplanEthernet `yaml:"ethernets"`
	}
	netplanEthernet struct {
		Match       map[string]string `yaml:"match,omitempty"`
		DHCP4       bool              `yaml:"dhcp4"`
		DHCP6       bool              `yaml:"dhcp6"`
		Addresses   []string          `yaml:"addresses,omitempty"`
		Routes      []netplanRoute    `yaml:"routes,omitempty"`
		Nameservers *netplanDNS       `yaml:"nameservers,omitempty"`
	}
	netplanRoute struct {
		To  string `yaml:"to"`
		Via string `yaml:"via"`
	}
	netplanDNS struct {
		Addresses []string `yaml:"addresses,omitempty,flow"`
		Search    []string `yaml:"search,omitempty,flow"`
	}
)

// Netplan is a file for /etc/netplan; its mode should be 0600. Names with a
// pattern, and interfaces known by their MAC, get IDs that are not names.
func Netplan(list []Interface) ([]byte, error) {
	f := netplanFile{netplanNetwork{2, map[string]netplanEthernet{}}}
	for n, i := range list {
		e := netplanEthernet{DHCP4: i.DHCP, DHCP6: i.DHCP}
		id := fmt.Sprintf("ingot%d", n)
		switch {
		case i.MAC != "":
			e.Match = map[string]string{"macaddress": i.MAC}
		case i.glob():
			e.Match = map[string]string{"name": i.Name}
		default:
			id = i.Name
		}
		for _, a := range i.Addresses {
			e.Addresses = append(e.Addresses, a.String())
		}
		for _, g := range i.Gateways {
			to := "0.0.0.0/0" // "default" is younger than Ubuntu 20.04
			if g.Is6() {
				to = "::/0"
			}
			e.Routes = append(e.Routes, netplanRoute{to, g.String()})
		}
		if len(i.DNS)+len(i.Search) > 0 {
			e.Nameservers = &netplanDNS{Search: i.Search}
			for _, d := range i.DNS {
				e.Nameservers.Addresses = append(e.Nameservers.Addresses, d.String())
			}
		}
		f.Network.Ethernets[id] = e
	}
	var out bytes.Buffer
	out.WriteString("# written by ingot\n")
	err := yaml.NewEncoder(&out).Encode(f)
	return out.Bytes(), err
}

// WithoutEthernets returns an existing netplan file without its wired interfaces,
// which would be merged with those that take their place. Nothing is left (nil) of
// a file that has nothing else. Interfaces that something else in the file may be
// built upon are left; shared says so.
func WithoutEthernets(text []byte) (rest []byte, shared bool, err error) {
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, false, err
	}
	network, _ := doc["network"].(map[string]any)
	if network["ethernets"] == nil {
		return text, false, nil
	}
	others := 0
	for key := range network {
		switch key {
		case "version", "ethernets", "renderer":
		default:
			others++
		}
	}
	if others > 0 {
		return text, true, nil
	}
	if network["renderer"] == nil {
		return nil, false, nil
	}
	delete(network, "ethernets")
	rest, err = yaml.Marshal(doc)
	return rest, false, err
}

// NamesMAC reports whether a netplan file knows an interface by its MAC.
func NamesMAC(text []byte) bool {
	var doc struct {
		Network struct {
			Ethernets map[string]struct {
				Match struct {
					MAC string `yaml:"macaddress"`
				} `yaml:"match"`
			} `yaml:"ethernets"`
		} `yaml:"network"`
	}
	if yaml.Unmarshal(text, &doc) != nil {
		return false
	}
	for _, e := range doc.Network.Ethernets {
		if e.Match.MAC != "" {
			return true
		}
	}
	return false
}
