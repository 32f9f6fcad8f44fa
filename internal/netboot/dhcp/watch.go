package dhcp

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// sayAgain is how long nothing more is said about another server.
const sayAgain = 10 * time.Minute

// watch looks at what other servers send to clients. One that offers boot files
// too is no harm, since a client takes one of them, but whoever wonders why
// a PC starts something else should be told.
func (s *Server) watch(ctx context.Context) error {
	buf := make([]byte, maxPacket)
	for {
		n, err := s.wire.Read(buf)
		if err != nil {
			return fmt.Errorf("watch DHCP on %s: %w", s.config.Interface, err)
		}
		src, payload, ok := readUDP(buf[:n], clientPort)
		if !ok || src == s.config.Site.Addr {
			continue
		}
		m, err := Parse(payload)
		if err != nil {
			s.malformed.Add(1)
			continue
		}
		if e := s.rival(m, src, time.Now()); e != nil {
			s.config.Saw(*e)
		}
		if err := s.borrow(m); err != nil {
			s.config.Log.Error("DHCP packet not sent", "about", m.Client.MAC, "error", err)
		}
	}
}

// rival is what to say about a packet of another server, or nothing.
func (s *Server) rival(m Message, src netip.Addr, now time.Time) *Event {
	note := rivalry(m, src)
	if note == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.foreign[src]; ok && now.Sub(last) < sayAgain || len(s.foreign) > 256 {
		return nil
	}
	s.foreign[src] = now
	return &Event{Client: Client{MAC: m.Client.MAC, Arch: NoArch}, Asked: m.Type.String(), Proxy: s.respond.pool == nil, Note: note}
}

// rivalry is the sentence about a server that offers something to boot, or nothing.
func rivalry(m Message, src netip.Addr) string {
	if !m.FromBoot || m.Type != Offer && m.Type != Ack {
		return ""
	}
	_, control := sub(m.raw.Options[43], 6)
	_, servers := sub(m.raw.Options[43], 8)
	switch {
	case m.File != "":
		return fmt.Sprintf("Another server on this wire, %s, offers %s to PCs that boot. A PC may take that instead of ingot's offer.", src, printable([]byte(m.File)))
	case control || servers || m.Client.Boots():
		return fmt.Sprintf("Another server on this wire, %s, offers a PXE menu or a boot server. A PC may take that instead of ingot's offer.", src)
	}
	return ""
}

// probeTime is how long an owner of an address has to answer (RFC 5227 takes
// longer; a switch port that is up answers within milliseconds).
const probeTime = 300 * time.Millisecond

// inUse asks the wire whether somebody has an address.
func (s *Server) inUse(ctx context.Context, a netip.Addr) bool {
	t, err := openTap(s.iface, etherARP)
	if err != nil {
		s.config.Log.Error("cannot look for an address on the wire", "address", a, "error", err)
		return false
	}
	defer t.Close()
	defer context.AfterFunc(ctx, func() { t.Close() })()
	if _, err := t.Write(arpProbe(t.mac, a)); err != nil {
		return false
	}
	_ = t.SetReadDeadline(time.Now().Add(probeTime))
	buf := make([]byte, maxPacket)
	for {
		n, err := t.Read(buf)
		if err != nil {
			return false
		}
		if arpOwner(buf[:n]) == a {
			return true
		}
	}
}

// borrow goes on with the loan that a packet of another server belongs to.
func (s *Server) borrow(m Message) error {
	us := s.config.Site.Addr
	request, l := s.respond.loans.seen(m, us, time.Now())
	if request != nil {
		frame := udpFrame(s.iface.HardwareAddr, broadcastMAC, netip.AddrPortFrom(netip.IPv4Unspecified(), clientPort), everybody(serverPort), request)
		_, err := s.wire.Write(frame)
		return err
	}
	if l == nil {
		return nil
	}
	offer, e := s.respond.lent(l)
	if _, err := s.wire.Write(udpFrame(s.iface.HardwareAddr, broadcastMAC, netip.AddrPortFrom(us, serverPort), everybody(clientPort), offer.encode())); err != nil {
		return err
	}
	s.answered.Add(1)
	s.config.Saw(*e)
	return nil
}

// mind says which PCs were offered nothing, until ctx ends.
func (s *Server) mind(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			for _, e := range s.respond.failed(now) {
				s.config.Saw(*e)
			}
		}
	}
}

// everybody is the broadcast address.
func everybody(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), port)
}
