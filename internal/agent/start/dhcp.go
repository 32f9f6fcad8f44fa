package start

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Lease is what a DHCP server granted.
type Lease struct {
	Address netip.Prefix
	Gateway netip.Addr // invalid: none
	DNS     []netip.Addr
	Domain  string
	Server  netip.Addr
	Length  time.Duration
	Renew   time.Duration // after which it is asked for again
}

// Times of RFC 2131, section 4.1: the first repeat after four seconds, then twice
// as long each time, to a minute.
const (
	firstWait = 3 * time.Second
	mostWait  = 30 * time.Second
)

// acquire asks for an address until it has one. What fails on the way is told to
// log. want is the address it had before, or invalid.
func acquire(ctx context.Context, nic net.Interface, want netip.Addr, log func(string)) (Lease, error) {
	wait := firstWait
	for {
		lease, err := ask(ctx, nic, want, wait)
		if err == nil || ctx.Err() != nil {
			return lease, errors.Join(ctx.Err(), err)
		}
		log(fmt.Sprintf("%s: %v", nic.Name, err))
		wait = min(2*wait, mostWait)
		want = netip.Addr{}
	}
}

// errNoServer says that nobody answered.
var errNoServer = errors.New("no DHCP server answers; is the cable in the right network?")

// ask is one round: discover, offer, request, acknowledgement.
func ask(ctx context.Context, nic net.Interface, want netip.Addr, wait time.Duration) (Lease, error) {
	conn, err := openRaw(nic.Index)
	if err != nil {
		return Lease{}, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	options := []dhcpv4.Modifier{
		dhcpv4.WithBroadcast(true),
		dhcpv4.WithOption(dhcpv4.OptMaxMessageSize(1500)),
		dhcpv4.WithOption(dhcpv4.OptClassIdentifier("ingot-agent")),
		dhcpv4.WithOption(dhcpv4.OptClientIdentifier(append([]byte{1}, nic.HardwareAddr...))),
		dhcpv4.WithRequestedOptions(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer, dhcpv4.OptionDomainName),
	}
	offerOptions := options
	if want.Is4() {
		offerOptions = append(options[:len(options):len(options)], dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(want.AsSlice())))
	}
	discover, err := dhcpv4.NewDiscovery(nic.HardwareAddr, offerOptions...)
	if err != nil {
		return Lease{}, err
	}
	offer, err := exchange(conn, nic, discover, wait, dhcpv4.MessageTypeOffer)
	if err != nil {
		return Lease{}, err
	}
	request, err := dhcpv4.NewRequestFromOffer(offer, options...)
	if err != nil {
		return Lease{}, err
	}
	ack, err := exchange(conn, nic, request, wait, dhcpv4.MessageTypeAck, dhcpv4.MessageTypeNak)
	if err != nil {
		return Lease{}, err
	}
	if ack.MessageType() == dhcpv4.MessageTypeNak {
		return Lease{}, fmt.Errorf("the DHCP server %v took its offer back: %s", ack.ServerIPAddr, ack.Message())
	}
	return leaseOf(ack)
}

// exchange sends a message, twice when nothing comes, and returns the first answer
// of one of the types.
func exchange(conn *rawUDP, nic net.Interface, m *dhcpv4.DHCPv4, wait time.Duration, types ...dhcpv4.MessageType) (*dhcpv4.DHCPv4, error) {
	for range 2 {
		if err := conn.send(m.ToBytes()); err != nil {
			return nil, fmt.Errorf("send: %w", err)
		}
		deadline := time.Now().Add(wait/2 + rand.N(wait/2)) // machines that were switched on together must not ask together
		for {
			b, err := conn.receive(deadline)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("receive: %w", err)
			}
			if answer := answerTo(m, nic, b, types); answer != nil {
				return answer, nil
			}
		}
	}
	return nil, errNoServer
}

// answerTo decodes b when it answers m.
func answerTo(m *dhcpv4.DHCPv4, nic net.Interface, b []byte, types []dhcpv4.MessageType) *dhcpv4.DHCPv4 {
	a, err := dhcpv4.FromBytes(b)
	if err != nil || a.OpCode != dhcpv4.OpcodeBootReply || a.TransactionID != m.TransactionID || a.ClientHWAddr.String() != nic.HardwareAddr.String() {
		return nil
	}
	for _, t := range types {
		// A ProxyDHCP server offers no address; it is not for us.
		if a.MessageType() == t && (t == dhcpv4.MessageTypeNak || a.YourIPAddr.To4() != nil && !a.YourIPAddr.IsUnspecified()) {
			return a
		}
	}
	return nil
}

// leaseOf checks an acknowledgement.
func leaseOf(ack *dhcpv4.DHCPv4) (Lease, error) {
	address, ok := netip.AddrFromSlice(ack.YourIPAddr.To4())
	if !ok || !address.IsGlobalUnicast() && !address.IsPrivate() {
		return Lease{}, fmt.Errorf("the DHCP server gave %v, which is no address for a machine", ack.YourIPAddr)
	}
	mask, _ := ack.SubnetMask().Size()
	if mask == 0 {
		return Lease{}, fmt.Errorf("the DHCP server gave %v without a netmask", address)
	}
	l := Lease{Address: netip.PrefixFrom(address, mask), Length: ack.IPAddressLeaseTime(time.Hour), Domain: ack.DomainName()}
	l.Length = max(l.Length, time.Minute) // not a request a second to a server that errs
	l.Renew = min(max(ack.IPAddressRenewalTime(l.Length/2), 30*time.Second), l.Length)
	for _, r := range ack.Router() {
		if g, ok := netip.AddrFromSlice(r.To4()); ok && !l.Gateway.IsValid() {
			l.Gateway = g
		}
	}
	for _, d := range ack.DNS() {
		if a, ok := netip.AddrFromSlice(d.To4()); ok && len(l.DNS) < 3 {
			l.DNS = append(l.DNS, a)
		}
	}
	if s, ok := netip.AddrFromSlice(ack.ServerIdentifier().To4()); ok {
		l.Server = s
	}
	return l, nil
}
