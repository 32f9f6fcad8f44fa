package start

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// Network brings the machine's interfaces up and keeps their addresses. It is safe
// for concurrent use.
type Network struct {
	static  *Static
	log     func(string)
	changed func()

	mu      sync.Mutex
	running map[string]bool // by the name of the interface
	leases  map[string]Lease
}

// NewNetwork returns a network that uses static, when it is not nil, instead of
// DHCP. log is told what happens, changed is called when an address came or went.
func NewNetwork(static *Static, log func(string), changed func()) *Network {
	return &Network{static: static, log: log, changed: changed, running: map[string]bool{}, leases: map[string]Lease{}}
}

// look is how often interfaces are looked for that came later, as a dongle.
const look = 2 * time.Second

// Run works until ctx is done.
func (n *Network) Run(ctx context.Context) {
	if lo, err := netlink.LinkByName("lo"); err == nil {
		_ = netlink.LinkSetUp(lo)
	}
	for {
		n.scan(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(look):
		}
	}
}

// scan takes care of each interface that nobody takes care of yet.
func (n *Network) scan(ctx context.Context) {
	nics, err := net.Interfaces()
	if err != nil {
		n.log("list the network interfaces: " + err.Error())
		return
	}
	for _, nic := range nics {
		if nic.Flags&net.FlagLoopback != 0 || len(nic.HardwareAddr) != 6 || !isHardware(nic.Name) || n.static != nil && n.static.Device != "" && n.static.Device != nic.Name {
			continue
		}
		n.mu.Lock()
		busy := n.running[nic.Name]
		n.running[nic.Name] = true
		n.mu.Unlock()
		if busy {
			continue
		}
		go func() {
			if err := n.keep(ctx, nic); err != nil && ctx.Err() == nil {
				n.log(fmt.Sprintf("%s: %v", nic.Name, err))
			}
			n.mu.Lock()
			delete(n.running, nic.Name)
			n.mu.Unlock()
		}()
	}
}

// isHardware keeps away from bridges, tunnels and what else has no device. Wireless
// interfaces are for those who have keys for them.
func isHardware(name string) bool {
	dir := filepath.Join("/sys/class/net", name)
	_, device := os.Stat(filepath.Join(dir, "device"))
	_, wireless := os.Stat(filepath.Join(dir, "phy80211"))
	return device == nil && wireless != nil
}

// keep brings an interface up, waits for a cable, and keeps an address as long as
// there is one.
func (n *Network) keep(ctx context.Context, nic net.Interface) error {
	link, err := netlink.LinkByName(nic.Name)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring it up: %w", err)
	}
	if err := awaitCarrier(ctx, nic.Name, true); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_ = awaitCarrier(ctx, nic.Name, false)
		cancel()
	}()
	if s := n.static; s != nil {
		if len(n.Addresses()) > 0 {
			return nil // another interface has it
		}
		n.apply(link, Lease{Address: s.Address, Gateway: s.Gateway, DNS: s.DNS})
		<-ctx.Done()
		n.drop(link)
		return nil
	}
	return n.lease(ctx, link, nic)
}

// lease keeps an address by DHCP. It is asked for again as at first, naming the
// address that is there, so that servers without memory give the same; one that
// could not be renewed in time is given up.
func (n *Network) lease(ctx context.Context, link netlink.Link, nic net.Interface) error {
	defer n.drop(link)
	have, err := acquire(ctx, nic, netip.Addr{}, n.log)
	for err == nil {
		n.apply(link, have)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(have.Renew):
		}
		var next Lease
		next, err = within(ctx, have.Length-have.Renew, func(ctx context.Context) (Lease, error) {
			return acquire(ctx, nic, have.Address.Addr(), n.log)
		})
		if err != nil {
			n.log(fmt.Sprintf("%s: the lease of %v ended", nic.Name, have.Address.Addr()))
			n.drop(link)
			next, err = acquire(ctx, nic, netip.Addr{}, n.log)
		}
		if next.Address != have.Address {
			n.drop(link)
		}
		have = next
	}
	return err
}

func within(ctx context.Context, d time.Duration, f func(context.Context) (Lease, error)) (Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, max(d, 10*time.Second))
	defer cancel()
	return f(ctx)
}

// apply sets address, routes and names.
func (n *Network) apply(link netlink.Link, l Lease) {
	name := link.Attrs().Name
	tell := func(what string, err error) {
		if err != nil {
			n.log(fmt.Sprintf("%s: %s: %v", name, what, err))
		}
	}
	ip := &net.IPNet{IP: l.Address.Addr().AsSlice(), Mask: net.CIDRMask(l.Address.Bits(), 32)}
	tell("set the address", netlink.AddrReplace(link, &netlink.Addr{IPNet: ip}))
	if l.Gateway.IsValid() {
		// The first interface is preferred, so that two of them do not fight.
		tell("set the default route", netlink.RouteReplace(&netlink.Route{
			LinkIndex: link.Attrs().Index, Gw: l.Gateway.AsSlice(), Priority: 100 + link.Attrs().Index, Flags: int(netlink.FLAG_ONLINK),
		}))
	}
	n.mu.Lock()
	old, known := n.leases[name]
	n.leases[name] = l
	n.mu.Unlock()
	n.writeResolv()
	if !known || old.Address != l.Address {
		n.log(fmt.Sprintf("%s: %v, gateway %v", name, l.Address, shown(l.Gateway)))
	}
	n.changed()
}

func shown(a netip.Addr) string {
	if !a.IsValid() {
		return "none"
	}
	return a.String()
}

// drop takes the address of an interface away.
func (n *Network) drop(link netlink.Link) {
	name := link.Attrs().Name
	n.mu.Lock()
	l, ok := n.leases[name]
	delete(n.leases, name)
	n.mu.Unlock()
	if !ok {
		return
	}
	ip := &net.IPNet{IP: l.Address.Addr().AsSlice(), Mask: net.CIDRMask(l.Address.Bits(), 32)}
	_ = netlink.AddrDel(link, &netlink.Addr{IPNet: ip}) // takes the routes with it
	n.writeResolv()
	n.changed()
}

// Addresses are those that the machine has now, by interface.
func (n *Network) Addresses() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := map[string]string{}
	for name, l := range n.leases {
		all[name] = l.Address.String()
	}
	return all
}

// writeResolv writes the name servers of all leases.
func (n *Network) writeResolv() {
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []string
	for name := range n.leases {
		names = append(names, name)
	}
	slices.Sort(names)
	if err := os.WriteFile("/etc/resolv.conf", resolv(names, n.leases), 0o644); err != nil {
		n.log(err.Error())
	}
}

// resolv is the text of resolv.conf(5), which knows three servers.
func resolv(names []string, leases map[string]Lease) []byte {
	var text strings.Builder
	var servers []netip.Addr
	for _, name := range names {
		l := leases[name]
		if l.Domain != "" && !strings.ContainsAny(l.Domain, "\n\r\x00") && text.Len() == 0 {
			fmt.Fprintf(&text, "search %s\n", l.Domain)
		}
		for _, d := range l.DNS {
			if !slices.Contains(servers, d) && len(servers) < 3 {
				servers = append(servers, d)
			}
		}
	}
	for _, s := range servers {
		fmt.Fprintf(&text, "nameserver %v\n", s)
	}
	return []byte(text.String())
}

// awaitCarrier waits until an interface has a cable, or has none for three looks
// on end: a switch that starts anew is not worth a new address.
func awaitCarrier(ctx context.Context, name string, want bool) error {
	for missed := 0; ; {
		b, err := os.ReadFile(filepath.Join("/sys/class/net", name, "carrier"))
		if os.IsNotExist(err) {
			return err
		}
		up := err == nil && strings.TrimSpace(string(b)) == "1"
		if up && want {
			return nil
		}
		if missed++; up || want {
			missed = 0
		}
		if missed >= 3 {
			return nil
		}
		wait := 300 * time.Millisecond
		if !want {
			wait = look
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
