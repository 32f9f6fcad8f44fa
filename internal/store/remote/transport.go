package remote

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	dialWait = 10 * time.Second
	// idleWait is shorter than a server's, so that a request rarely meets a connection
	// that is being closed.
	idleWait = 50 * time.Second
	// idleConns is how many connections are kept: more than there are readers.
	idleConns = 16
	// readAhead is what is read from the network at once: a TLS record has 16 KiB, and
	// a system call for each would cost more than to decrypt it.
	readAhead = 128 << 10
)

// newTransport speaks HTTP/1.1: with one connection for each reader no range waits for
// another one's, and a fast stream costs less (doc/performance.md, "A room of PCs").
// Proxies of the environment are not used: a server of a room is near.
func newTransport(config *tls.Config) *http.Transport {
	config = config.Clone()
	if config != nil {
		config.NextProtos = []string{"http/1.1"}
	}
	dialer := &net.Dialer{Timeout: dialWait, KeepAlive: 15 * time.Second}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &bufferedConn{conn, bufio.NewReaderSize(conn, readAhead)}, nil
		},
		TLSClientConfig:        config,
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{}, // no HTTP/2
		TLSHandshakeTimeout:    dialWait,
		ExpectContinueTimeout:  5 * time.Second,
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        idleWait,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 32 << 10,
	}
}

// bufferedConn reads more at once than it is asked for.
type bufferedConn struct {
	net.Conn
	buffer *bufio.Reader
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.buffer.Read(p) }
