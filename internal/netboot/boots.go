package netboot

import (
	"net/netip"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/loader"
)

// boots are the boots that go on: the text that each PC was given and the secret
// that belongs to it. A secret is given to the address that was given the text,
// and to no other; it is forgotten soon after.
type boots struct {
	mu sync.Mutex
	of map[netip.Addr]*boot
}

type boot struct {
	mac     string
	program loader.Program
	text    []byte
	choice  Choice
	cpio    []byte
	build   *build // whose kernel and initrd it gets
	made    time.Time
	given   int
}

const (
	// sameBoot is how long a text that is asked for again is the same one: GRUB
	// opens a file more than once, and packets get lost.
	sameBoot = 5 * time.Second
	// bootTime is how long a PC may take from its text to its last file.
	bootTime = 10 * time.Minute
	// maxGiven is how often the secret may be fetched in one boot: GRUB opens a file
	// twice to read it once, and tries three times by two protocols.
	maxGiven = 12
	maxBoots = 4096
)

func (b *boots) recent(m Machine, p loader.Program, now time.Time) ([]byte, Choice, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.of[m.Addr]
	if x == nil || x.mac != m.MAC.String() || x.program != p || now.Sub(x.made) > sameBoot {
		return nil, Choice{}, false
	}
	return x.text, x.choice, true
}

func (b *boots) put(m Machine, p loader.Program, text []byte, c Choice, cpio []byte, of *build, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = map[netip.Addr]*boot{}
	}
	for addr, x := range b.of {
		if now.Sub(x.made) > bootTime || len(b.of) >= maxBoots {
			delete(b.of, addr)
		}
	}
	b.of[m.Addr] = &boot{mac: m.MAC.String(), program: p, text: text, choice: c, cpio: cpio, build: of, made: now}
}

// secret is the second initrd for the PC at addr.
func (b *boots) secret(addr netip.Addr, now time.Time) ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.of[addr]
	if x == nil || x.cpio == nil || now.Sub(x.made) > bootTime || x.given >= maxGiven {
		return nil, false
	}
	x.given++
	return x.cpio, true
}

// build is whose kernel the PC at addr was told to start; nil when it was not told to
// lately.
func (b *boots) build(addr netip.Addr, now time.Time) *build {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.of[addr]
	if x == nil || now.Sub(x.made) > bootTime {
		return nil
	}
	return x.build
}

// choice is what the PC at addr was told to start.
func (b *boots) choice(addr netip.Addr) (Choice, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.of[addr]; x != nil {
		return x.choice, true
	}
	return Choice{}, false
}
