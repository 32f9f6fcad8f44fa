package remote_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between a client and a server, as a network does.
type proxy struct {
	listener net.Listener
	to       string
	delay    time.Duration // of each byte, in each direction

	mu    sync.Mutex
	conns map[net.Conn]bool
	made  int
	// fault is given the number of a connection, from 0, and returns after how many
	// bytes to the client what happens to it; nil: nothing does.
	fault func(conn int) (after int64, what fault)
}

type fault int

const (
	none    fault = iota
	cut           // the connection is closed
	stall         // nothing comes any more
	garbage       // one byte is another one
)

func newProxy(t testing.TB, to string, delay time.Duration) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to, delay: delay, conns: map[net.Conn]bool{}}
	go p.accept()
	t.Cleanup(func() {
		l.Close()
		p.cutAll()
	})
	return p
}

func (p *proxy) url() string { return "https://" + p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		to := p.to
		p.mu.Unlock()
		server, err := net.Dial("tcp", to)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		after, what := int64(0), none
		if p.fault != nil {
			after, what = p.fault(p.made)
		}
		p.made++
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		go p.pump(server, client, 0, none)
		go p.pump(client, server, after, what)
	}
}

// breaks says what happens to connections that are made from now on.
func (p *proxy) breaks(how func(conn int) (after int64, what fault)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = how
}

// leadsTo sends connections that are made from now on elsewhere.
func (p *proxy) leadsTo(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = address
}

// cutAll closes every connection.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

type delayed struct {
	at   time.Time
	data []byte
}

// pump copies bytes as they come, each a little later.
func (p *proxy) pump(to, from net.Conn, after int64, what fault) {
	queue := make(chan delayed, 4096)
	go func() {
		defer close(queue)
		for {
			data := make([]byte, 64<<10)
			n, err := from.Read(data)
			if n > 0 {
				queue <- delayed{time.Now().Add(p.delay), data[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	sent := int64(0)
	for d := range queue {
		time.Sleep(time.Until(d.at))
		if what != none && sent+int64(len(d.data)) > after {
			keep := after - sent
			switch what {
			case cut:
				to.Write(d.data[:keep])
				to.Close()
				from.Close()
			case stall:
				to.Write(d.data[:keep])
				io.Copy(io.Discard, from)
			case garbage:
				d.data[keep] ^= 0x20
			}
			what = none
		}
		if _, err := to.Write(d.data); err != nil {
			break
		}
		sent += int64(len(d.data))
	}
	to.Close()
	from.Close()
	for range queue {
	}
}
