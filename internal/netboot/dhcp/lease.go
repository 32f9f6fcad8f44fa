package dhcp

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"sync"
	"time"
)

// Lease is an address that a client may use until a time.
type Lease struct {
	Addr     netip.Addr
	MAC      string // "52:54:00:12:34:56"
	ClientID string // option 61 in hex; "" if the client sent none
	Host     string // the name that the client says it has: never trust it
	Until    time.Time
}

// LeaseStore keeps leases over restarts. Calls come one at a time.
type LeaseStore interface {
	Leases(ctx context.Context) ([]Lease, error)
	SaveLease(ctx context.Context, l Lease) error // instead of any other of that address
}

// Range is what a full DHCP server gives to clients, for an isolated lab.
type Range struct {
	First, Last netip.Addr // both given as well; at most 65,536
	Bits        int        // of the network's prefix, 24 for 255.255.255.0
	Router      netip.Addr // unset: none
	DNS         []netip.Addr
	Lease       time.Duration // 0: one hour
}

// maxRange keeps a scan of the range short.
const maxRange = 1 << 16

func (r Range) check(server netip.Addr) error {
	switch {
	case !r.First.Is4() || !r.Last.Is4() || r.Last.Less(r.First):
		return fmt.Errorf("range %s-%s: want two IPv4 addresses, the lower one first", r.First, r.Last)
	case number(r.Last)-number(r.First) >= maxRange:
		return fmt.Errorf("range %s-%s: more than %d addresses", r.First, r.Last, maxRange)
	case r.Bits < 8 || r.Bits > 30:
		return fmt.Errorf("range %s-%s: prefix of %d bits: want 8 to 30", r.First, r.Last, r.Bits)
	}
	network := netip.PrefixFrom(server, r.Bits).Masked()
	if !network.Contains(r.First) || !network.Contains(r.Last) {
		return fmt.Errorf("range %s-%s is not in the network %s of this server's address %s", r.First, r.Last, network, server)
	}
	return nil
}

func number(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func ofNumber(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

var errFull = errors.New("every address of the range is in use")

const (
	offerTime   = 30 * time.Second // an offer nobody takes is free again
	declineTime = 10 * time.Minute // an address that somebody else uses is tried again
)

// pool knows who has which address of a range.
//
// A lease belongs to a client ID or a MAC address, whichever matches: firmware,
// iPXE and Linux of one PC send three different IDs, and shall not use up three
// addresses on their way to one agent.
type pool struct {
	Range
	server netip.Addr
	store  LeaseStore // nil: nothing is kept

	mu     sync.Mutex
	leases map[netip.Addr]Lease
}

func newPool(ctx context.Context, r Range, server netip.Addr, store LeaseStore) (*pool, error) {
	if err := r.check(server); err != nil {
		return nil, err
	}
	if r.Lease == 0 {
		r.Lease = time.Hour
	}
	p := &pool{Range: r, server: server, store: store, leases: map[netip.Addr]Lease{}}
	if store == nil {
		return p, nil
	}
	known, err := store.Leases(ctx)
	if err != nil {
		return nil, fmt.Errorf("read DHCP leases: %w", err)
	}
	for _, l := range known {
		if p.holds(l.Addr) {
			p.leases[l.Addr] = l
		}
	}
	return p, nil
}

// holds reports whether the range gives a to anybody.
func (p *pool) holds(a netip.Addr) bool {
	return a.Is4() && !a.Less(p.First) && !p.Last.Less(a) && a != p.server && a != p.Router
}

// offer reserves an address for a client: the one it has or had, the one it wants,
// or a free one. fresh is true if nobody is known to have used it just before,
// so that it should be looked for on the wire.
func (p *pool) offer(m Message, now time.Time) (a netip.Addr, fresh bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l, ok := p.of(m); ok {
		fresh = l.Until.Before(now)
		p.leases[l.Addr] = p.lease(m, l.Addr, later(l.Until, now.Add(offerTime)))
		return l.Addr, fresh, nil
	}
	a, err = p.free(m, now)
	if err == nil {
		p.leases[a] = p.lease(m, a, now.Add(offerTime))
	}
	return a, true, err
}

// of is the lease of a client, which may have ended.
func (p *pool) of(m Message) (Lease, bool) {
	id, mac := m.clientID(), m.Client.MAC.String()
	var found Lease
	for _, l := range p.leases {
		if l.MAC != "" && (l.MAC == mac || id != "" && l.ClientID == id) && (!found.Addr.IsValid() || found.Until.Before(l.Until)) {
			found = l
		}
	}
	return found, found.Addr.IsValid()
}

// free finds an address for a new client: what it asks for, else one that its MAC
// address leads to, so that it gets the same one though no lease was kept. Those
// that were never given come before those whose lease has ended.
func (p *pool) free(m Message, now time.Time) (netip.Addr, error) {
	if p.holds(m.Requested) && !p.taken(m.Requested, now) {
		return m.Requested, nil
	}
	first, n := number(p.First), number(p.Last)-number(p.First)+1
	h := fnv.New32a()
	h.Write(m.Client.MAC)
	var ended netip.Addr
	for i := range n {
		a := ofNumber(first + (h.Sum32()%n+i)%n)
		if !p.holds(a) || p.taken(a, now) {
			continue
		}
		old, was := p.leases[a]
		if !was {
			return a, nil
		}
		if !ended.IsValid() || old.Until.Before(p.leases[ended].Until) {
			ended = a
		}
	}
	if !ended.IsValid() {
		return ended, errFull
	}
	return ended, nil
}

func (p *pool) taken(a netip.Addr, now time.Time) bool { return now.Before(p.leases[a].Until) }

// take gives a client the address that it asks for, for the whole lease, if nobody
// else has it.
func (p *pool) take(ctx context.Context, m Message, a netip.Addr, now time.Time) (ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.holds(a) {
		return false, nil
	}
	old, had := p.leases[a]
	mine := had && old.MAC != "" && (old.MAC == m.Client.MAC.String() || m.clientID() != "" && old.ClientID == m.clientID())
	if p.taken(a, now) && !mine {
		return false, nil
	}
	l := p.lease(m, a, now.Add(p.Lease))
	if p.store != nil {
		if err := p.store.SaveLease(ctx, l); err != nil {
			return false, fmt.Errorf("keep the lease of %s: %w", a, err)
		}
	}
	p.leases[a] = l
	return true, nil
}

// decline keeps an address from everybody for a while: somebody uses it already.
func (p *pool) decline(a netip.Addr, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holds(a) {
		p.leases[a] = Lease{Addr: a, Until: now.Add(declineTime)}
	}
}

// release ends the lease of a client. Its address stays remembered as its own.
func (p *pool) release(ctx context.Context, m Message, a netip.Addr, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.leases[a]
	if !ok || l.MAC != m.Client.MAC.String() {
		return nil
	}
	l.Until = now
	p.leases[a] = l
	if p.store == nil {
		return nil
	}
	return p.store.SaveLease(ctx, l)
}

func (p *pool) lease(m Message, a netip.Addr, until time.Time) Lease {
	return Lease{Addr: a, MAC: m.Client.MAC.String(), ClientID: m.clientID(), Host: m.Client.Host, Until: until}
}

// clientID is option 61 in hex, "" if there is none.
func (m Message) clientID() string {
	const clientIdentifier = 61
	return hex.EncodeToString(m.raw.Options[clientIdentifier])
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
