package dhcp

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// proxyPort is where a ProxyDHCP server answers by unicast (PXE 2.1 section 2.2.3).
const (
	serverPort = 67
	clientPort = 68
	proxyPort  = 4011
)

// Event is what happened with one packet, for those who watch.
type Event struct {
	Client   Client
	Addr     netip.Addr // the client's, if it is known: what it has, asks for or was given
	Proxy    bool       // as a ProxyDHCP server
	Asked    string     // "discover"
	Decision Decision   // what it boots
	Given    netip.Addr // address that it was given or offered
	Note     string     // a sentence about anything else: another server seen, the range full
}

// responder decides on packets; it has no sockets.
type responder struct {
	site  Site
	pool  *pool                                        // nil: ProxyDHCP
	inUse func(ctx context.Context, a netip.Addr) bool // does somebody on the wire use a? nil: not looked at

	loans borrower
}

// respond returns what a packet that came to port is answered, or nothing, and
// what is to be said about it, or nothing.
func (r *responder) respond(ctx context.Context, m Message, port int, now time.Time) (*reply, *Event) {
	if m.FromBoot || m.Type == 0 {
		return nil, nil
	}
	if r.pool == nil || port == proxyPort {
		return r.proxy(m, port, now)
	}
	return r.full(ctx, m, now)
}

// proxy answers PCs that boot, and gives no address.
func (r *responder) proxy(m Message, port int, now time.Time) (*reply, *Event) {
	if !m.Client.Boots() {
		return nil, nil
	}
	e := r.event(m)
	e.Proxy = true
	answer := Offer
	switch {
	case m.Type == Discover && port == serverPort:
		if !e.Decision.Answer || !r.loans.needed(m.Client) {
			break
		}
		if r.loans.possible(m) {
			r.loans.discovered(m, now)
			return nil, nil // until the other server's offer is seen
		}
		e.Decision.Why += " GRUB finds its text only if the other DHCP server, whose replies to this PC cannot be seen here, names " + r.site.Addr.String() + " as next server."
	case m.Type == Inform, m.Type == Request && port == proxyPort:
		answer = Ack
	case m.Type == Request && m.Server == r.site.Addr:
		l := r.loans.requested(m, r.site.Addr, now)
		if l == nil {
			return nil, nil
		}
		ack := l.reply(Ack, m, r.site)
		e.Given, e.Addr = ack.addr, ack.addr
		e.Note = "It takes the address that " + address(l.ack.Options[54]).String() + " leased to it, from ingot, so that GRUB finds its server."
		return &ack, e
	case m.Type == Request && m.Requested.IsValid():
		// It takes the address that the other server offers, which tells us its address.
		e.Addr, e.Decision = m.Requested, Decision{}
		e.Note = "It takes the address that another DHCP server gives."
		if r.loans.needed(m.Client) {
			e.Note += " GRUB finds its text only if that server names " + r.site.Addr.String() + " as next server."
		}
		return nil, e
	default:
		return nil, nil
	}
	if !e.Decision.Answer {
		return nil, e
	}
	return &reply{kind: answer, to: m, server: r.site.Addr, boot: e.Decision}, e
}

// lent is the offer that a loan ends with, and what is to be said about it.
func (r *responder) lent(l *loan) (reply, *Event) {
	offer := l.reply(Offer, l.discover, r.site)
	e := r.event(l.discover)
	e.Proxy, e.Given, e.Addr = true, offer.addr, offer.addr
	return offer, e
}

// failed says which PCs were offered nothing, since no address could be borrowed.
func (r *responder) failed(now time.Time) []*Event {
	var all []*Event
	for _, l := range r.loans.failed(now) {
		e := r.event(l.discover)
		e.Proxy, e.Decision = true, Decision{Why: l.why(r.site.Addr)}
		all = append(all, e)
	}
	return all
}

func (r *responder) event(m Message) *Event {
	e := &Event{Client: m.Client, Addr: m.Addr, Asked: m.Type.String()}
	if m.Client.Boots() {
		e.Decision = Decide(m.Client, r.site)
	}
	return e
}

// full answers everybody, with an address of the range (RFC 2131 section 4.3).
func (r *responder) full(ctx context.Context, m Message, now time.Time) (*reply, *Event) {
	switch m.Type {
	case Discover:
		return r.discover(ctx, m, now)
	case Request:
		return r.request(ctx, m, now)
	case Inform:
		e := r.event(m)
		return &reply{kind: Ack, to: m, server: r.site.Addr, boot: e.Decision, options: r.network()}, e
	case Decline:
		if m.Server == r.site.Addr {
			r.pool.decline(m.Requested, now)
			e := r.event(m)
			e.Note = "It found that " + m.Requested.String() + " is in use by somebody else. Nobody is given that address for ten minutes."
			return nil, e
		}
	case Release:
		if err := r.pool.release(ctx, m, m.Addr, now); err != nil {
			e := r.event(m)
			e.Note = err.Error()
			return nil, e
		}
	}
	return nil, nil
}

// maxProbes bounds how many addresses are looked for on the wire for one client.
const maxProbes = 3

func (r *responder) discover(ctx context.Context, m Message, now time.Time) (*reply, *Event) {
	e := r.event(m)
	for range maxProbes {
		a, fresh, err := r.pool.offer(m, now)
		if err != nil {
			e.Decision, e.Note = Decision{}, "It gets no address: "+err.Error()+"."
			return nil, e
		}
		if fresh && r.inUse != nil && r.inUse(ctx, a) {
			r.pool.decline(a, now)
			continue
		}
		e.Given, e.Addr = a, a
		return r.give(Offer, m, e), e
	}
	e.Decision, e.Note = Decision{}, "It gets no address: the ones tried are in use by PCs that did not get them from here."
	return nil, e
}

func (r *responder) request(ctx context.Context, m Message, now time.Time) (*reply, *Event) {
	e := r.event(m)
	if m.Server.IsValid() && m.Server != r.site.Addr {
		e.Decision, e.Note = Decision{}, "It takes an address of another DHCP server, "+m.Server.String()+", though this one is to give them."
		return nil, e
	}
	wanted := m.Requested
	if !wanted.IsValid() {
		wanted = m.Addr
	}
	if !wanted.IsValid() {
		return nil, nil
	}
	ok, err := r.pool.take(ctx, m, wanted, now)
	switch {
	case err != nil:
		e.Decision, e.Note = Decision{}, err.Error()
		return nil, e
	case !ok:
		e.Decision, e.Note = Decision{}, "It asked for "+wanted.String()+", which is not its own, and was told to ask for another."
		return &reply{kind: Nak, to: m, server: r.site.Addr}, e
	}
	e.Given, e.Addr = wanted, wanted
	return r.give(Ack, m, e), e
}

// give makes the reply that carries an address.
func (r *responder) give(kind Type, m Message, e *Event) *reply {
	options := append(r.network(), dhcpv4.OptIPAddressLeaseTime(r.pool.Lease))
	return &reply{kind: kind, to: m, server: r.site.Addr, addr: e.Given, boot: e.Decision, options: options}
}

// network is what a client is told of the network.
func (r *responder) network() []dhcpv4.Option {
	options := []dhcpv4.Option{dhcpv4.OptSubnetMask(net.CIDRMask(r.pool.Bits, 32))}
	if r.pool.Router.IsValid() {
		options = append(options, dhcpv4.OptRouter(r.pool.Router.AsSlice()))
	}
	if len(r.pool.DNS) > 0 {
		var servers []net.IP
		for _, a := range r.pool.DNS {
			servers = append(servers, a.AsSlice())
		}
		options = append(options, dhcpv4.OptDNS(servers...))
	}
	return options
}
