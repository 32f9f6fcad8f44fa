package room

import (
	"net"
	"sync"
)

// Cable is the network between PCs and their server, which can be pulled out: what
// is under way then stalls, as on a dead wire, and comes when it is plugged in again.
type Cable struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	plug  chan struct{} // closed while data flows
	conns map[net.Conn]bool
}

// NewCable leads to the server at an address, "127.0.0.1:8443".
func NewCable(to string) (*Cable, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &Cable{listener: l, to: to, plug: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(c.plug)
	go c.accept()
	return c, nil
}

// URL is where the server is at this end.
func (c *Cable) URL() string { return "https://" + c.listener.Addr().String() }

// Pull pulls the cable out.
func (c *Cable) Pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plug = make(chan struct{})
}

// Plug puts it in again.
func (c *Cable) Plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.plug)
}

// Close ends everything that goes through the cable.
func (c *Cable) Close() error {
	err := c.listener.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		conn.Close()
	}
	return err
}

func (c *Cable) accept() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		go c.connect(near)
	}
}

// connect leads one connection through, as soon as the cable is in.
func (c *Cable) connect(near net.Conn) {
	<-c.flows()
	far, err := net.Dial("tcp", c.to)
	if err != nil {
		near.Close()
		return
	}
	c.mu.Lock()
	c.conns[near], c.conns[far] = true, true
	c.mu.Unlock()
	go c.pump(near, far)
	c.pump(far, near)
}

func (c *Cable) flows() chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plug
}

func (c *Cable) pump(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		<-c.flows()
		if _, werr := to.Write(buffer[:n]); err == nil {
			err = werr
		}
		if err != nil {
			break
		}
	}
	to.Close()
	from.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, to)
	delete(c.conns, from)
}
