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
//	ingot  OFFER of that address, and of a boot file ──► PC, which takes the one with both
//	PC     REQUEST ──► ingot, which sends the ACK
//
// Until then the PC is offered nothing. EDK II looks for something to boot four times,
// for 4, 8, 16 and 32 s, which gives a slow server time, and goes on to its disk:
// better that than a GRUB without a text on a machine where nobody sits. Where the
// other server names ingot as next server, nothing is borrowed and the PC is offered
// the boot file alone.
//
// The other server's replies are seen where the PC asks for broadcasts, as EDK II does,
// and comes through no relay. Elsewhere the PC is offered the boot file at once, and the
// other server must name ingot as next server.

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
	lender   netip.Addr           // who was asked
	refused  bool                 // by the lender
	ack      *dhcpv4.DHCPv4       // of the other server
	named    bool                 // the other server names us: there is nothing to borrow
	rival    netip.Addr           // who offers something to boot
	told     bool                 // it was said that it failed
}

const (
	loanTime  = 5 * time.Minute
	earlyTime = 5 * time.Second
	maxLoans  = 1024
	// firstWait is when EDK II repeats its first DISCOVER, and nothing is well any more.
	firstWait = 4 * time.Second
)

// needed reports whether a PC's firmware is followed by GRUB.
func (b *borrower) needed(c Client) bool {
	switch c.Arch {
	case UEFIx64, UEFIebc, UEFIarm64:
		return c.Class == classPXE && c.UserClass != "iPXE"
	}
	return false
}

// possible reports whether another server's replies to a PC can be seen.
func (b *borrower) possible(m Message) bool { return m.Broadcast && !m.Relay.IsValid() }

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
	ours := l.lender.IsValid() && m.raw.TransactionID == l.xid
	switch {
	case m.Type == Offer && address(m.raw.ServerIPAddr) == us:
		l.named = true
	case m.Type == Offer && !b.plain(m):
		l.rival = m.Server
		return nil, nil
	case m.Type == Offer && l.ack == nil:
		l.xid = m.raw.TransactionID
		l.xid[0] ^= 0xff // so that the PC does not take the ACK for its own
		l.lender = m.Server
		return l.request(m), nil
	case m.Type == Offer: // the PC repeated itself, and so does ingot
	case m.Type == Ack && ours && l.ack == nil && address(m.raw.YourIPAddr).IsValid():
		l.ack = m.raw
	case m.Type == Nak && ours:
		l.refused = true
		return nil, nil
	default:
		return nil, nil
	}
	made := *l
	return nil, &made
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

// plain reports whether an offer holds an address and nothing to boot.
func (b *borrower) plain(m Message) bool {
	return address(m.raw.YourIPAddr).IsValid() && rivalry(m, m.Server) == ""
}

// failed returns, once each, the PCs that were offered nothing since no address could
// be borrowed for them.
func (b *borrower) failed(now time.Time) []loan {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []loan
	for _, l := range b.of {
		if l.told || l.named || l.ack != nil || now.Sub(l.since) < firstWait {
			continue
		}
		l.told = true
		all = append(all, *l)
	}
	return all
}

// why says why a loan failed, and what to do. us is this server's address.
func (l loan) why(us netip.Addr) string {
	answer := "did not answer"
	switch {
	case l.refused:
		answer = "refused"
	case l.lender.IsValid():
	case l.rival.IsValid():
		return "Another server, " + l.rival.String() + ", offers it something to boot, and no server offered it an address alone. ingot offers nothing."
	default:
		return "No other DHCP server was seen to offer it an address within 4 s, so ingot offers nothing and it goes on to its own disk after a minute: GRUB would find no text. " +
			"If it does get an address, choose UEFI HTTP boot in its firmware, which does not need to see the other server."
	}
	return "ingot asked " + l.lender.String() + ", in this PC's name, for the address that it offers to it, and that server " + answer +
		". So ingot offers nothing and the PC goes on to its own disk after a minute: GRUB would find no text. Set " + us.String() +
		" as next server on that server, or choose UEFI HTTP boot in the PC's firmware."
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

// reply is ingot's own offer, or ACK, of a borrowed address; or of the boot file alone
// where none was borrowed.
func (l *loan) reply(kind Type, to Message, site Site) reply {
	r := reply{kind: kind, to: to, server: site.Addr, boot: Decide(to.Client, site)}
	if l.ack == nil {
		return r
	}
	r.addr = address(l.ack.YourIPAddr)
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
