package dhcp

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Config is a server.
type Config struct {
	Interface string      // the wire; no other is listened to
	Site      Site        // what it offers
	Range     *Range      // addresses to give; nil: none, beside another DHCP server (ProxyDHCP)
	Leases    LeaseStore  // nil: leases are forgotten when Run ends
	Saw       func(Event) // told of every packet that says something about booting; must be quick; nil: nobody
	Log       *slog.Logger
}

// Stats counts packets since the start.
type Stats struct {
	Packets   uint64 // from clients, readable
	Answered  uint64
	Malformed uint64 // not readable as DHCP
	Dropped   uint64 // came while too many others were in work
}

// Server answers DHCP on one interface.
type Server struct {
	config  Config
	respond *responder
	iface   *net.Interface
	main    *net.UDPConn // port 67
	proxy   *net.UDPConn // port 4011
	wire    *tap

	packets, answered, malformed, dropped atomic.Uint64

	mu      sync.Mutex
	foreign map[netip.Addr]time.Time // other servers that offer boot files, and when that was said last
}

// Listen opens the sockets, so that what is wrong with them is known at once.
// Run then answers, and closes them.
func Listen(ctx context.Context, c Config) (_ *Server, err error) {
	if c.Saw == nil {
		c.Saw = func(Event) {}
	}
	if !c.Site.Addr.Is4() {
		return nil, fmt.Errorf("DHCP on %s: this server's address %s is not an IPv4 address", c.Interface, c.Site.Addr)
	}
	s := &Server{config: c, respond: &responder{site: c.Site}, foreign: map[netip.Addr]time.Time{}}
	if s.iface, err = net.InterfaceByName(c.Interface); err != nil {
		return nil, fmt.Errorf("DHCP on %s: %w", c.Interface, err)
	}
	if len(s.iface.HardwareAddr) != 6 {
		return nil, fmt.Errorf("DHCP on %s: it is not an Ethernet interface", c.Interface)
	}
	if c.Range != nil {
		if s.respond.pool, err = newPool(ctx, *c.Range, c.Site.Addr, c.Leases); err != nil {
			return nil, err
		}
		s.respond.inUse = s.inUse
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.main, err = listen(ctx, c.Interface, serverPort); err != nil {
		return nil, err
	}
	if s.proxy, err = listen(ctx, c.Interface, proxyPort); err != nil {
		return nil, err
	}
	s.wire, err = openTap(s.iface, etherIPv4)
	return s, err
}

// Close closes the sockets of a server that is not to run.
func (s *Server) Close() {
	for _, c := range []*net.UDPConn{s.main, s.proxy} {
		if c != nil {
			c.Close()
		}
	}
	if s.wire != nil {
		s.wire.Close()
	}
}

// Stats is what was counted since the start.
func (s *Server) Stats() Stats {
	return Stats{Packets: s.packets.Load(), Answered: s.answered.Load(), Malformed: s.malformed.Load(), Dropped: s.dropped.Load()}
}

// Run answers until ctx ends, which is no error.
func (s *Server) Run(ctx context.Context) error {
	g, inner := errgroup.WithContext(ctx)
	stop := context.AfterFunc(inner, s.Close)
	defer stop()
	g.Go(func() error { return s.serve(inner, s.main, serverPort) })
	g.Go(func() error { return s.serve(inner, s.proxy, proxyPort) })
	g.Go(func() error { return s.watch(inner) })
	g.Go(func() error { return s.mind(inner) })
	err := g.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// inWork bounds packets that are answered at the same time: each may wait for a
// probe of the wire.
const inWork = 64

func (s *Server) serve(ctx context.Context, c *net.UDPConn, port int) error {
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, inWork)
	buf := make([]byte, maxPacket)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return fmt.Errorf("receive DHCP on port %d of %s: %w", port, s.config.Interface, err)
		}
		m, err := Parse(buf[:n:n])
		if err != nil {
			s.malformed.Add(1)
			s.config.Log.Debug("DHCP packet refused", "from", from, "error", err)
			continue
		}
		s.packets.Add(1)
		select {
		case slots <- struct{}{}:
		default:
			s.dropped.Add(1)
			continue
		}
		running.Go(func() {
			defer func() { <-slots }()
			s.answer(ctx, m, c, port, from)
		})
	}
}

func (s *Server) answer(ctx context.Context, m Message, c *net.UDPConn, port int, from netip.AddrPort) {
	r, e := s.respond.respond(ctx, m, port, time.Now())
	if r != nil {
		if err := s.transmit(*r, c, port, from); err != nil {
			s.config.Log.Error("DHCP reply not sent", "to", m.Client.MAC, "error", err)
			return
		}
		s.answered.Add(1)
	}
	if e != nil {
		s.config.Saw(*e)
	}
	if m.Type != Discover {
		return
	}
	if offer, ok := s.respond.loans.before(m, time.Now()); ok {
		if err := s.borrow(offer); err != nil {
			s.config.Log.Error("DHCP packet not sent", "about", m.Client.MAC, "error", err)
		}
	}
}

// transmit sends a reply the way the client can receive it (RFC 2131 section 4.1).
func (s *Server) transmit(r reply, c *net.UDPConn, port int, from netip.AddrPort) error {
	packet, us, m := r.encode(), s.config.Site.Addr, r.to
	switch {
	case m.Relay.IsValid():
		return send(c, us, netip.AddrPortFrom(m.Relay, serverPort), packet)
	case port == proxyPort:
		return send(c, us, from, packet)
	case r.kind != Nak && m.Addr.IsValid():
		return send(c, us, netip.AddrPortFrom(m.Addr, clientPort), packet)
	case r.kind == Nak || m.Broadcast || !r.addr.IsValid():
		_, err := s.wire.Write(udpFrame(s.iface.HardwareAddr, broadcastMAC, netip.AddrPortFrom(us, serverPort), everybody(clientPort), packet))
		return err
	}
	to := netip.AddrPortFrom(r.addr, clientPort)
	_, err := s.wire.Write(udpFrame(s.iface.HardwareAddr, m.Client.MAC, netip.AddrPortFrom(us, serverPort), to, packet))
	return err
}
