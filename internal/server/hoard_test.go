package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/store/serve"
	"github.com/ingot-imaging/ingot/internal/trust"
)

// TestHoard: who keeps connections open and says nothing is refused more of them, and
// keeps nobody else out. The bounds are small ones, so that there are files enough.
func TestHoard(t *testing.T) {
	authority, err := trust.OpenAuthority(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	secure := authority.NewServer(nil, time.Now).Config()
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	go func() {
		ended <- serveHTTP(ctx, serve.Bounded(l, 300, 200), secure, hello, slog.New(slog.DiscardHandler))
	}()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for range 250 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	config, err := trust.Config(authority.Fingerprint(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(from string) (string, error) {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}
		transport := &http.Transport{TLSClientConfig: config, DialContext: dialer.DialContext, DisableKeepAlives: true}
		resp, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Get("https://" + l.Addr().String())
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return string(b), err
	}
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got, err := ask("127.0.0.2"); err != nil || got != "hello" {
			t.Fatalf("another address: %q, %v", got, err)
		}
	}
	if got, err := ask("127.0.0.1"); err == nil {
		t.Errorf("the hoarder gets %q", got)
	}
	if maxConnections < 4*maxPerAddress {
		t.Errorf("%d connections of an address are too large a part of %d", maxPerAddress, maxConnections)
	}
}
