package agent

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/trust"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// TestDeadConnection: a connection that died without a word, as when a switch forgot it,
// costs one request. The next one takes another connection, whatever the server offers.
func TestDeadConnection(t *testing.T) {
	authority, err := trust.OpenAuthority(filepath.Join(t.TempDir(), "tls"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ // it offers HTTP/2, for browsers
		TLSConfig: authority.NewServer(nil, time.Now).Config(),
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"state":"approved"}`)) }),
	}
	network := &dyingListener{Listener: l}
	go s.ServeTLS(network, "", "") // it ends with Close
	t.Cleanup(func() { s.Close() })
	c, err := newClient("https://"+l.Addr().String(), authority.Fingerprint().String())
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		return c.do(ctx, request{verb: report, session: "s", job: "j-1"}, wire.Hello{}).err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	network.dead.Store(network.made.Load())
	if err := ask(); err == nil {
		t.Fatal("a dead connection carried a request")
	}
	if err := ask(); err != nil {
		t.Errorf("after a request that got no answer: %v", err)
	}
}

// dyingListener makes connections of which the first dead never carry a byte again.
type dyingListener struct {
	net.Listener
	made, dead atomic.Int64
}

func (l *dyingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &dyingConn{conn, l, l.made.Add(1)}, nil
}

type dyingConn struct {
	net.Conn
	of     *dyingListener
	number int64
}

// Read drops what comes on a dead connection.
func (c *dyingConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || c.number > c.of.dead.Load() {
			return n, err
		}
	}
}
