package netboot

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/loader"
	"github.com/ingot-imaging/ingot/internal/netboot/tftp"
)

// HTTPStats counts requests since the start.
type HTTPStats struct {
	Requests uint64
	NotFound uint64
	Refused  uint64 // other methods than GET and HEAD, path tricks
	Bytes    uint64 // of contents
}

type webStats struct{ requests, notFound, refused, bytes atomic.Uint64 }

func (w *webStats) read() HTTPStats {
	return HTTPStats{Requests: w.requests.Load(), NotFound: w.notFound.Load(), Refused: w.refused.Load(), Bytes: w.bytes.Load()}
}

// Handler serves boot files by HTTP, to loaders and to firmware (UEFI 2.5 HTTP boot,
// which wants the length before the content, and HEAD).
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serveFile) }

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	s.web.requests.Add(1)
	peer := peerOf(r)
	name, err := tftp.CleanName(r.URL.Path)
	if err != nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.web.refused.Add(1)
		s.log.Warn("netboot: HTTP request refused", "peer", peer, "method", r.Method, "path", r.URL.Path)
		s.record(peer, "http", "a name that no boot file has", "nothing", "The request was refused.")
		http.Error(w, "there is no such boot file", http.StatusBadRequest)
		return
	}
	start := time.Now()
	f, err := s.files.Open(r.Context(), name, peer)
	if err != nil {
		s.failedHTTP(w, peer, name, err)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Cache-Control", "no-store")
	counted := &counter{ResponseWriter: w}
	http.ServeContent(counted, r, "", time.Time{}, io.NewSectionReader(f, 0, f.Size()))
	s.web.bytes.Add(uint64(counted.n))
	if r.Method == http.MethodGet {
		s.sawFile("http", peer, name, counted.n, f.Size(), time.Since(start))
	}
}

func (s *Server) failedHTTP(w http.ResponseWriter, peer netip.Addr, name string, err error) {
	if notFound(err) {
		s.web.notFound.Add(1)
		s.sawMissing("http", peer, name, err)
		http.Error(w, "there is no such boot file", http.StatusNotFound)
		return
	}
	s.log.Error("netboot: boot file not served", "peer", peer, "name", name, "error", err)
	http.Error(w, "the server cannot read this file; its log has the reason", http.StatusInternalServerError)
}

func peerOf(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	return peer.Addr().Unmap()
}

// contentType is what UEFI firmware goes by, or else by the name's ending.
func contentType(name string) string {
	if name == loader.HTTPImage {
		return "application/vnd.efi-img" // a disk to start from memory: UEFI 2.5 section 23.7
	}
	switch path.Ext(name) {
	case ".efi":
		return "application/efi"
	case ".cfg", ".ipxe":
		return "text/plain; charset=us-ascii"
	}
	return "application/octet-stream"
}

// counter counts the content's bytes.
type counter struct {
	http.ResponseWriter
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.n += int64(n)
	return n, err
}

// ReadFrom lets the kernel copy a file to the wire.
func (c *counter) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(c.ResponseWriter, r)
	c.n += n
	return n, err
}

// maxConnections is above what a room of PCs opens at the same time.
const maxConnections = 1024

// limited is a listener that has at most a number of connections open.
type limited struct {
	net.Listener
	slots chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slot{Conn: c, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

type slot struct {
	net.Conn
	free func()
}

func (s *slot) Close() error {
	defer s.free()
	return s.Conn.Close()
}
