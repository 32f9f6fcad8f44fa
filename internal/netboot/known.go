package netboot

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/dhcp"
)

// known remembers what PCs said of themselves in DHCP, for the steps after it, which
// say less.
type known struct {
	mu     sync.Mutex
	byMAC  map[string]*pc
	byAddr map[netip.Addr]string // MAC
}

type pc struct {
	Machine
	seen time.Time
}

// maxKnown bounds what somebody who sends packets of invented PCs can use up.
const maxKnown = 8192

// learn takes in what a DHCP packet says. Firmware tells more than iPXE after it,
// so that nothing known is replaced by nothing.
func (k *known) learn(c dhcp.Client, addr netip.Addr, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byMAC == nil || len(k.byMAC) >= maxKnown {
		k.forget(now)
	}
	mac := c.MAC.String()
	p := k.byMAC[mac]
	if p == nil {
		p = &pc{Machine: Machine{MAC: c.MAC, Arch: dhcp.NoArch}}
		k.byMAC[mac] = p
	}
	p.seen = now
	if id := c.ID(); id != "" {
		p.UUID = id
	}
	if c.Arch != dhcp.NoArch {
		p.Arch = c.Arch
	}
	if addr.IsValid() {
		p.Addr = addr
		k.byAddr[addr] = mac
	}
}

// forget makes room: PCs that were not seen for an hour, or all.
func (k *known) forget(now time.Time) {
	kept := map[string]*pc{}
	for mac, p := range k.byMAC {
		if now.Sub(p.seen) < time.Hour {
			kept[mac] = p
		}
	}
	if len(kept) > maxKnown/2 {
		clear(kept)
	}
	k.byMAC, k.byAddr = kept, map[netip.Addr]string{}
	for mac, p := range kept {
		if p.Addr.IsValid() {
			k.byAddr[p.Addr] = mac
		}
	}
}

// at is the machine with that MAC address, which asks from addr.
func (k *known) at(mac net.HardwareAddr, addr netip.Addr, now time.Time) Machine {
	k.learn(dhcp.Client{MAC: mac, Arch: dhcp.NoArch}, addr, now)
	return k.from(addr)
}

// from is the machine that has addr, with nothing but the address if it is not known.
func (k *known) from(addr netip.Addr) Machine {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.byMAC[k.byAddr[addr]]; p != nil {
		m := p.Machine
		m.Addr = addr
		return m
	}
	return Machine{Addr: addr, Arch: dhcp.NoArch}
}
