package serve

import (
	"net"
	"net/netip"
	"sync"
)

// Bounded returns a listener that holds at most total connections, and perAddress from
// one address, so that a few clients that only keep connections open cannot shut all
// others out. What is beyond is closed at once.
func Bounded(l net.Listener, total, perAddress int) net.Listener {
	return &bounded{Listener: l, total: total, perAddress: perAddress, open: map[netip.Addr]int{}}
}

type bounded struct {
	net.Listener
	total, perAddress int

	mu   sync.Mutex
	all  int
	open map[netip.Addr]int
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressOf(conn)
		if b.take(from) {
			return &boundedConn{Conn: conn, leave: sync.OnceFunc(func() { b.leave(from) })}, nil
		}
		conn.Close()
	}
}

// addressOf is where a connection comes from; a network of IPv6 counts as one, since
// whoever has one address of it has all.
func addressOf(conn net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	addr := at.Addr().Unmap().WithZone("")
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}

func (b *bounded) take(from netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all >= b.total || b.open[from] >= b.perAddress {
		return false
	}
	b.all++
	b.open[from]++
	return true
}

func (b *bounded) leave(from netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.open[from]--; b.open[from] == 0 {
		delete(b.open, from)
	}
}

type boundedConn struct {
	net.Conn
	leave func()
}

func (c *boundedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
