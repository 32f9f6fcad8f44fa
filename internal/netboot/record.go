package netboot

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/dhcp"
	"github.com/ingot-imaging/ingot/internal/netboot/loader"
	"github.com/ingot-imaging/ingot/internal/netboot/tftp"
)

// said keeps a PC that asks the same thing every second from filling the page.
type said struct {
	mu   sync.Mutex
	last map[Record]time.Time // without time
}

const (
	sayAgain = 10 * time.Second
	maxSaid  = 4096
)

func (s *said) already(r Record, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || len(s.last) >= maxSaid {
		s.last = map[Record]time.Time{}
	}
	last, ok := s.last[r]
	s.last[r] = now
	return ok && now.Sub(last) < sayAgain
}

// tell keeps a record and logs it, unless that was just done.
func (s *Server) tell(r Record) {
	now := time.Now()
	if s.said.already(r, now) {
		return
	}
	r.At = now
	s.recorder.Saw(r)
	s.log.Info("netboot", "mac", r.MAC, "addr", r.Addr, "arch", r.Arch, "protocol", r.Protocol, "asked", r.Asked, "offered", r.Offered, "why", r.Why)
}

// record is about a PC that asked from addr.
func (s *Server) record(addr netip.Addr, protocol, asked, offered, why string) {
	m := s.known.from(addr)
	r := Record{UUID: m.UUID, Arch: archName(m.Arch), Addr: addr.String(), Protocol: protocol, Asked: asked, Offered: offered, Why: why}
	if m.MAC != nil {
		r.MAC = m.MAC.String()
	}
	s.tell(r)
}

func archName(a dhcp.Arch) string {
	if a == dhcp.NoArch {
		return ""
	}
	return a.String()
}

func (s *Server) sawDHCP(e dhcp.Event) {
	s.known.learn(e.Client, e.Addr, time.Now())
	if !e.Client.Boots() && e.Note == "" {
		return // a running system that renews its address
	}
	r := Record{
		MAC: e.Client.MAC.String(), UUID: e.Client.ID(), Arch: archName(e.Client.Arch), Protocol: "dhcp",
		Asked: e.Asked, Offered: "nothing", Why: e.Decision.Why,
	}
	if e.Proxy {
		r.Protocol = "proxydhcp"
	}
	if e.Addr.IsValid() {
		r.Addr = e.Addr.String()
	}
	if e.Client.Class != "" {
		r.Asked += " of " + e.Client.Class
	}
	if e.Client.UserClass != "" {
		r.Asked += " with user class " + loader.Plain(e.Client.UserClass)
	}
	switch {
	case e.Decision.Answer && e.Given.IsValid():
		r.Offered = e.Given.String() + " and " + e.Decision.File
	case e.Decision.Answer:
		r.Offered = e.Decision.File
	case e.Given.IsValid():
		r.Offered = e.Given.String()
	}
	if e.Note != "" {
		r.Why = e.Note
	}
	s.tell(r)
}

func (s *Server) sawTFTP(t tftp.Transfer) {
	switch {
	case t.Name == "":
		s.record(t.Peer, "tftp", "a name or a way that is not served", "nothing", "The request was refused: "+t.Err.Error()+".")
	case t.Err == nil:
		s.sawFile("tftp", t.Peer, t.Name, t.Bytes, t.Size, t.Took)
	case notFound(t.Err):
		s.sawMissing("tftp", t.Peer, t.Name, t.Err)
	case errors.Is(t.Err, tftp.ErrAborted) && t.Bytes == 0:
		// It wanted to know the size.
	default:
		s.record(t.Peer, "tftp", t.Name, "part of it", fmt.Sprintf("It has %d of %d bytes: %v.", t.Bytes, t.Size, t.Err))
	}
}

// sawFile says that a PC was given a file, or a part of it.
func (s *Server) sawFile(protocol string, peer netip.Addr, name string, n, size int64, took time.Duration) {
	offered, why := "all of it", fmt.Sprintf("It has it, %d bytes after %.1f s.", n, took.Seconds())
	if n < size {
		offered, why = "part of it", fmt.Sprintf("It has %d of %d bytes.", n, size)
	}
	if _, _, ok := loader.ParseSecond(name); ok {
		if c, ok := s.boots.choice(peer); ok {
			offered, why = "own disk", c.Why
			if c.Agent {
				offered = "agent"
			}
		}
	}
	s.record(peer, protocol, name, offered, why)
}

func (s *Server) sawMissing(protocol string, peer netip.Addr, name string, err error) {
	if isQuiet(name) {
		return
	}
	why := "There is no such file in the boot environment."
	if name == loader.Enrol {
		why = "Nobody at this address was told to start the agent a short while ago, or it was fetched too often."
	}
	s.log.Debug("netboot: not found", "peer", peer, "name", name, "error", err)
	s.record(peer, protocol, name, "nothing", why)
}
