// Package tftp serves files over TFTP, to read: RFC 1350 with the options blksize
// (2348), tsize and timeout (2349) and windowsize (7440).
//
// Every transfer has a goroutine and a socket of its own, and both are bounded, in
// all and for one client. What a name stands for is asked of Files, so that a
// content may be made for the one who asks. It never writes, knows no folder,
// and refuses every name that could mean another place (CleanName).
package tftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Files is where contents come from.
type Files interface {
	// Open returns the file of that name, as CleanName made it, for a client. The
	// error is fs.ErrNotExist for one that is not there.
	Open(ctx context.Context, name string, peer netip.Addr) (File, error)
}

// File is one content, which does not change while it is read.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Transfer is what came of one request.
type Transfer struct {
	Peer  netip.Addr
	Name  string // as asked for, cleaned; "" if the name itself was refused
	Bytes int64  // acknowledged by the client
	Size  int64
	Took  time.Duration
	Err   error // nil: the client has all of it
}

// ErrAborted is a transfer that the client ended. Firmware does it to learn the
// size of a file.
var ErrAborted = errors.New("the client ended the transfer")

// Config is a server.
type Config struct {
	Addr         netip.AddrPort // to listen at; the transfers are sent from its address
	Interface    string         // no other is listened to; "": any
	Files        Files
	Transfers    int            // at the same time; 0: 256
	PerClient    int            // of one address; 0: 8
	Done         func(Transfer) // told of every request; must be quick; nil: nobody
	Log          *slog.Logger
	firstTimeout time.Duration // of a window that is not acknowledged; 0: half a second
}

// Stats counts requests since the start.
type Stats struct {
	Requests  uint64 // readable ones
	Completed uint64
	Failed    uint64 // begun, not completed; not counting those that the client ended
	NotFound  uint64
	Refused   uint64 // writes, netascii, path tricks
	Malformed uint64
	Busy      uint64 // left unanswered, since too many transfers were going on
	Bytes     uint64 // acknowledged
}

// Server answers TFTP.
type Server struct {
	config Config
	conn   *net.UDPConn

	mu      sync.Mutex
	going   map[netip.AddrPort]bool
	clients map[netip.Addr]int

	requests, completed, failed, notFound, refused, malformed, busy, bytes atomic.Uint64
}

// Listen opens the port, so that what is wrong with it is known at once. Run then
// answers, and closes it.
func Listen(ctx context.Context, c Config) (*Server, error) {
	if c.Transfers == 0 {
		c.Transfers = 256
	}
	if c.PerClient == 0 {
		c.PerClient = 8
	}
	if c.firstTimeout == 0 {
		c.firstTimeout = 500 * time.Millisecond
	}
	if c.Done == nil {
		c.Done = func(Transfer) {}
	}
	s := &Server{config: c, going: map[netip.AddrPort]bool{}, clients: map[netip.Addr]int{}}
	config := net.ListenConfig{Control: s.bind}
	conn, err := config.ListenPacket(ctx, "udp4", c.Addr.String())
	if errors.Is(err, unix.EADDRINUSE) {
		err = errors.New("another program has this port: a TFTP server (tftpd-hpa, atftpd, dnsmasq) runs on this machine; stop it or keep it off this interface")
	}
	if err != nil {
		return nil, fmt.Errorf("listen for TFTP at %s: %w", c.Addr, err)
	}
	s.conn = conn.(*net.UDPConn)
	return s, nil
}

func (s *Server) bind(_, _ string, c syscall.RawConn) error {
	if s.config.Interface == "" {
		return nil
	}
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, s.config.Interface)
	})
	return errors.Join(err, failed)
}

// Addr is where the server listens.
func (s *Server) Addr() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Stats is what was counted since the start.
func (s *Server) Stats() Stats {
	return Stats{
		Requests: s.requests.Load(), Completed: s.completed.Load(), Failed: s.failed.Load(), NotFound: s.notFound.Load(),
		Refused: s.refused.Load(), Malformed: s.malformed.Load(), Busy: s.busy.Load(), Bytes: s.bytes.Load(),
	}
}

// Run answers until ctx ends, which is no error. It returns when the last transfer
// has ended.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.conn.Close() })
	defer stop()
	inner, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	buf := make([]byte, maxRequest+1)
	for {
		n, peer, err := s.conn.ReadFromUDPAddrPort(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive TFTP at %s: %w", s.config.Addr, err)
		}
		r, err := parseRequest(buf[:n])
		if err != nil {
			s.refuse(peer, err)
			continue
		}
		s.requests.Add(1)
		if !s.begin(peer) {
			continue
		}
		running.Go(func() {
			defer s.end(peer)
			s.transfer(inner, r, peer)
		})
	}
}

// refuse answers what cannot be a transfer. A packet that is no request is not
// answered, so that nobody is sent what they did not ask for.
func (s *Server) refuse(peer netip.AddrPort, why error) {
	code := byte(codeAccess)
	switch {
	case errors.Is(why, errWrite), errors.Is(why, errName):
	case errors.Is(why, errMode):
		code = codeIllegal
	default:
		s.malformed.Add(1)
		s.config.Log.Debug("TFTP packet refused", "peer", peer, "error", why)
		return
	}
	s.refused.Add(1)
	s.config.Log.Warn("TFTP request refused", "peer", peer, "error", why)
	_, _ = s.conn.WriteToUDPAddrPort(errorPacket(code, why.Error()), peer)
	s.config.Done(Transfer{Peer: peer.Addr(), Err: why})
}

// begin reports whether a transfer for peer may begin. A client that asks again
// from the same port has not seen the answer yet, which is repeated anyway. One
// beyond the limits is left without an answer, so that it asks again.
func (s *Server) begin(peer netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.going[peer] {
		return false
	}
	if len(s.going) >= s.config.Transfers || s.clients[peer.Addr()] >= s.config.PerClient {
		s.busy.Add(1)
		return false
	}
	s.going[peer] = true
	s.clients[peer.Addr()]++
	return true
}

func (s *Server) end(peer netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.going, peer)
	if s.clients[peer.Addr()]--; s.clients[peer.Addr()] == 0 {
		delete(s.clients, peer.Addr())
	}
}

// transfer opens the file and sends it.
func (s *Server) transfer(ctx context.Context, r request, peer netip.AddrPort) {
	start := time.Now()
	t := Transfer{Peer: peer.Addr(), Name: r.name}
	t.Bytes, t.Size, t.Err = s.send(ctx, r, peer)
	t.Took = time.Since(start)
	s.bytes.Add(uint64(t.Bytes))
	switch {
	case t.Err == nil:
		s.completed.Add(1)
	case errors.Is(t.Err, fs.ErrNotExist):
		s.notFound.Add(1)
	case !errors.Is(t.Err, ErrAborted):
		s.failed.Add(1)
	}
	s.config.Done(t)
}
