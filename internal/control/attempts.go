package control

import (
	"net/netip"
	"sync"
	"time"
)

// How logins are slowed down: the first failures are free, then each doubles the
// wait. A name's wait stays short, since whoever knows a name could otherwise keep
// its owner out.
const (
	freeFailures = 5
	firstWait    = time.Second
	maxAddrWait  = 15 * time.Minute
	maxNameWait  = time.Minute
	forgetAfter  = time.Hour
	maxAttempts  = 10_000 // keys that are remembered
)

// attempts counts failed logins, by address and by name.
type attempts struct {
	mu     sync.Mutex
	failed map[string]*failures
}

type failures struct {
	count int
	last  time.Time
	until time.Time
}

func newAttempts() *attempts { return &attempts{failed: map[string]*failures{}} }

// begin counts an attempt as failed, so that many at once are many. It returns how
// long to wait before the next one when this one comes too early; it is then not
// looked at, and not counted.
func (a *attempts) begin(now time.Time, addr, name string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	byAddr, byName := a.of(now, "addr "+network(addr)), a.of(now, "name "+name)
	if wait := max(byAddr.until.Sub(now), byName.until.Sub(now)); wait > 0 {
		return wait
	}
	byAddr.add(now, maxAddrWait)
	byName.add(now, maxNameWait)
	return 0
}

// succeed takes back what begin counted. The address keeps its other failures: who
// has one account could otherwise try those of others for ever.
func (a *attempts) succeed(now time.Time, addr, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.failed, "name "+name)
	byAddr := a.of(now, "addr "+network(addr))
	byAddr.count, byAddr.until = max(byAddr.count-1, 0), time.Time{}
}

func (f *failures) add(now time.Time, limit time.Duration) {
	f.count, f.last = f.count+1, now
	if over := f.count - freeFailures; over >= 0 {
		f.until = now.Add(min(firstWait<<min(over, 20), limit))
	}
}

func (a *attempts) of(now time.Time, key string) *failures {
	f := a.failed[key]
	if f != nil && now.Sub(f.last) < forgetAfter {
		return f
	}
	if f == nil && len(a.failed) >= maxAttempts {
		a.makeRoom(now)
	}
	f = &failures{last: now}
	a.failed[key] = f
	return f
}

// makeRoom forgets what is old, and if that is nothing, any that does not wait.
func (a *attempts) makeRoom(now time.Time) {
	for key, f := range a.failed {
		if now.Sub(f.last) >= forgetAfter {
			delete(a.failed, key)
		}
	}
	for key := range a.failed {
		if len(a.failed) < maxAttempts*9/10 {
			return
		}
		delete(a.failed, key)
	}
}

// network is an address, and for IPv6 the network that one host has: it may use any
// address in it.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return clean(addr, maxName)
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	p, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ip.String()
	}
	return p.String()
}
