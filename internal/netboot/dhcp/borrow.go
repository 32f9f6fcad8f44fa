package dhcp

import (
	"net/netip"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// GRUB 2.06, which Debian signs, knows nothing of ProxyDHCP: it looks for its
// configuration on the server that the DHCP ACK of the firmware names (siaddr), and
// stops at a prompt if that is somebody else. Routers name themselves, or nobody. So
// UEFI firmware that comes by PXE must have its ACK from ingot, with an address that
// is right for this network:
//
//	PC     DISCOVER ──► both servers
//	other  OFFER of an address ──► PC, and seen by ingot
//	ingot  REQUEST for the PC ──► other     so that the address is leased to the PC, there
//	other  ACK ──► seen by ingot
//	ingot  OFFER of that address, and of a boot file ──► PC, which prefers one with both
//	PC     REQUEST ──► ingot, which sends the ACK
//
// It works where the other server's replies can be seen, that is, where the PC asks
// for broadcasts, as EDK II does. Elsewhere, and where the other server names ingot as
// next server, nothing is borrowed.

// borrower keeps what is on its way from another server to a PC.
type borrower struct {
	mu    sync.Mutex
	of    map[[6]byte]*loan
	early map[[6]byte]early
}

// early is an offer that was seen before the DISCOVER that it answers: the two come
// through different sockets, and a server that knows a PC answers at once.
type early struct {
	offer Message
	at    time.Time
}

// A loan is the address of one PC.
type loan struct {
	discover Message // the PC's
	since    time.Time
	xid      dhcpv4.TransactionID // of the request made for the PC
	ack      *dhcpv4.DHCPv4       // of the other server
}

const (
	loanTime  = 5 * time.Minute
	earlyTime = 5 * time.Second
	maxLoans  = 1024
)

// needed reports whether a PC's firmware is followed by GRUB.
func (b *borrower) needed(c Client) bool {
	switch c.Arch {
	case UEFIx64, UEFIebc, UEFIarm64:
		return c.Class == classPXE && c.UserClass != "iPXE"
	}
	return false
}

// discovered remembers that a PC looks for servers.
func (b *borrower) discovered(m Message, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil || len(b.of) >= maxLoans {
		b.of = map[[6]byte]*loan{}
	}
	old := b.of[[6]byte(m.Client.MAC)]
	if old != nil && old.discover.raw.TransactionID == m.raw.TransactionID && now.Sub(old.since) < loanTime {
		return // it repeats itself
	}
	b.of[[6]byte(m.Client.MAC)] = &loan{discover: m, since: now}
}

// seen looks at the packet of another server. request is what to ask that server for
// the PC, offer is what to offer to the PC; both are nil for a packet that
// changes nothing.
func (b *borrower) seen(m Message, us netip.Addr, now time.Time) (request []byte, offer *loan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !m.FromBoot || !m.Server.IsValid() || m.Server == us {
		return nil, nil
	}
	mac := [6]byte(m.Client.MAC)
	l := b.of[mac]
	if l == nil || now.Sub(l.since) > loanTime || m.Type == Offer && m.raw.TransactionID != l.discover.raw.TransactionID {
		b.keep(mac, m, now)
		return nil, nil
	}
	switch {
	case m.Type == Offer && l.ack == nil && m.raw.TransactionID == l.discover.raw.TransactionID && b.plain(m, us):
		l.xid = m.raw.TransactionID
		l.xid[0] ^= 0xff // so that the PC does not take the ACK for its own
		return l.request(m), nil
	case m.Type == Ack && l.ack == nil && m.raw.TransactionID == l.xid && l.xid != l.discover.raw.TransactionID:
		l.ack = m.raw
		return nil, l
	case m.Type == Offer && l.ack != nil && m.raw.TransactionID == l.discover.raw.TransactionID && b.plain(m, us):
		return nil, l // the PC repeated itself, and so does ingot
	}
	return nil, nil
}

// keep remembers an offer that answers no DISCOVER that was heard.
func (b *borrower) keep(mac [6]byte, m Message, now time.Time) {
	if m.Type != Offer {
		return
	}
	if b.early == nil || len(b.early) >= maxLoans {
		b.early = map[[6]byte]early{}
	}
	b.early[mac] = early{m, now}
}

// before returns the offer that was seen before the DISCOVER m, once.
func (b *borrower) before(m Message, now time.Time) (offer Message, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mac := [6]byte(m.Client.MAC)
	e, ok := b.early[mac]
	if !ok || now.Sub(e.at) > earlyTime || e.offer.raw.TransactionID != m.raw.TransactionID {
		return Message{}, false
	}
	delete(b.early, mac)
	return e.offer, true
}

// plain reports whether an offer holds an address and nothing to boot, and does not
// name us as the server to boot from.
func (b *borrower) plain(m Message, us netip.Addr) bool {
	return address(m.raw.YourIPAddr).IsValid() && address(m.raw.ServerIPAddr) != us && rivalry(m, us) == ""
}

// request asks another server for the address that it offers to a PC, as the PC would.
func (l *loan) request(offer Message) []byte {
	q := *l.discover.raw
	q.TransactionID = l.xid
	q.SetBroadcast()
	q.Options = dhcpv4.Options{}
	for code, value := range l.discover.raw.Options {
		q.Options[code] = value
	}
	q.UpdateOption(dhcpv4.OptMessageType(dhcpv4.MessageTypeRequest))
	q.UpdateOption(dhcpv4.OptRequestedIPAddress(offer.raw.YourIPAddr))
	q.UpdateOption(dhcpv4.OptServerIdentifier(offer.Server.AsSlice()))
	return q.ToBytes()
}

// reply is ingot's own offer, or ACK, of a borrowed address.
func (l *loan) reply(kind Type, to Message, site Site) reply {
	r := reply{kind: kind, to: to, server: site.Addr, addr: address(l.ack.YourIPAddr), boot: Decide(to.Client, site)}
	for code, value := range l.ack.Options {
		switch code {
		case 53, 54, 43, 60, 66, 67, 82, 97:
		default:
			r.options = append(r.options, dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(code), value))
		}
	}
	return r
}

// requested finds the loan that a PC takes with a REQUEST to us.
func (b *borrower) requested(m Message, us netip.Addr, now time.Time) *loan {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.of[[6]byte(m.Client.MAC)]
	if l == nil || l.ack == nil || now.Sub(l.since) > loanTime || m.Server != us || m.Requested != address(l.ack.YourIPAddr) {
		return nil
	}
	return l
}
