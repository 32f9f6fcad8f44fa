package trust

import (
	"crypto/tls"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server answers the TLS handshakes of a server that is its own authority. Its
// certificate names this machine and every address of it, also those that come
// later.
type Server struct {
	authority *Authority
	names     []string
	now       func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
}

// NewServer makes a Server; names are those that the machine has beside its own.
func (a *Authority) NewServer(names []string, now func() time.Time) *Server {
	names = append(slices.Clone(names), "localhost")
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	slices.Sort(names)
	return &Server{authority: a, names: slices.Compact(names), now: now}
}

// Config is the configuration of a listener.
func (s *Server) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.certificate}
}

// certificate returns the current certificate, or a new one when the connection
// came in at an address that it does not name.
func (s *Server) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	at := addressOf(hello.Conn.LocalAddr())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.covers(at) {
		return s.current, nil
	}
	addresses, err := ownAddresses()
	if err != nil {
		return nil, err
	}
	if at != nil && !slices.ContainsFunc(addresses, at.Equal) {
		addresses = append(addresses, at)
	}
	c, err := s.authority.Issue(s.names, addresses, s.now())
	if err != nil {
		return nil, err
	}
	s.current = c
	return c, nil
}

func (s *Server) covers(at net.IP) bool {
	leaf := s.current.Leaf
	return s.now().Add(renewDays*day).Before(leaf.NotAfter) && (at == nil || slices.ContainsFunc(leaf.IPAddresses, at.Equal))
}

func addressOf(a net.Addr) net.IP {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.IP
	}
	return nil
}

func ownAddresses() ([]net.IP, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var ips []net.IP
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !strings.HasPrefix(n.IP.String(), "fe80:") {
			ips = append(ips, n.IP)
		}
	}
	return ips, nil
}

// Load reads a certificate that somebody else made, with the chain above it, and the
// fingerprint that clients know it by: that of the chain's last certificate.
func Load(certificate, key string) (*tls.Config, Fingerprint, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, Fingerprint{}, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, sum(pair.Certificate[len(pair.Certificate)-1]), nil
}
