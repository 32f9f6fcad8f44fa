// Package remote is a store backend behind a server, by HTTPS: the client's side of
// the data plane, for which doc/protocol.md is the normative text.
//
// It owns when a request is repeated and when it is given up: a server that
// restarts, a cable that is pulled out and a connection that stalls cost time and
// nothing else. It believes nothing that it is told about bytes; whoever reads a
// store checks them. Start at Open.
package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Config says where a server is and how it is talked to.
type Config struct {
	URL string // "https://server:8443"
	// TLS says which server is the right one: trust.Config for one whose fingerprint is
	// known. nil: one that the system's authorities vouch for.
	TLS *tls.Config
	// Token returns what the server knows this job by; it is asked before each request.
	Token func() string
	// Plain allows http://, which hides neither the token nor the bytes: for tests.
	Plain bool

	GiveUp  time.Duration     // how long nothing may arrive before a call fails; default 10 minutes
	Stall   time.Duration     // how long a connection may be silent before another is tried; default 20 s
	Traffic *progress.Traffic // counts bytes and waiting; may be nil
	Log     *slog.Logger      // is told of requests that are repeated; may be nil
}

// Backend is a store behind a server.
type Backend struct {
	base    string
	client  *http.Client
	token   func() string
	giveUp  time.Duration
	stall   time.Duration
	traffic *progress.Traffic
	log     *slog.Logger
}

var (
	_ store.Backend     = (*Backend)(nil)
	_ store.IndexMerger = (*Backend)(nil)
	_ store.Distant     = (*Backend)(nil)
	_ store.WriterNamer = (*Backend)(nil)
)

// Open returns the backend behind a server. It does not ask the server anything yet.
func Open(c Config) (*Backend, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("address of the server: %w", err)
	}
	if u.Scheme != "https" && !(c.Plain && u.Scheme == "http") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("address of the server: %q is not like https://server:8443", u.Redacted())
	}
	b := &Backend{
		base: u.Scheme + "://" + u.Host + wire.StorePath, token: c.Token, giveUp: c.GiveUp, stall: c.Stall, traffic: c.Traffic, log: c.Log,
		client: &http.Client{
			Transport: newTransport(c.TLS),
			// A token goes to the server that it is for, and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if b.token == nil {
		b.token = func() string { return "" }
	}
	if b.giveUp == 0 {
		b.giveUp = 10 * time.Minute
	}
	if b.stall == 0 {
		b.stall = 20 * time.Second
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	return b, nil
}

// Close closes connections that nobody uses.
func (b *Backend) Close() { b.client.CloseIdleConnections() }

// MergesIndexes implements store.IndexMerger: the server does.
func (b *Backend) MergesIndexes() bool { return true }

// WriterName implements store.WriterNamer.
func (b *Backend) WriterName() string { return store.WriterName(b.token()) }

// Distant implements store.Distant.
func (b *Backend) Distant() bool { return true }

// Stat implements store.Backend.
func (b *Backend) Stat(ctx context.Context, key string) (o store.Object, err error) {
	if !store.ValidKey(key) {
		return o, fmt.Errorf("stat %s: %w", key, errors.Join(store.ErrNotFound, ctx.Err()))
	}
	err = b.repeat(ctx, "stat "+key, func(ctx context.Context, w *watch) error {
		resp, err := b.do(ctx, http.MethodHead, key, nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		w.alive()
		if resp.StatusCode != http.StatusOK || resp.ContentLength < 0 {
			return statusError(resp)
		}
		o = store.Object{Key: key, Size: resp.ContentLength, ModTime: putTime(resp.Header)}
		return nil
	})
	return o, err
}

// putTime is when an object was put; what is not ingot says it to the second.
func putTime(h http.Header) time.Time {
	if at, err := time.Parse(time.RFC3339Nano, h.Get("Ingot-Put")); err == nil {
		return at
	}
	at, _ := http.ParseTime(h.Get("Last-Modified"))
	return at
}

// Delete implements store.Backend.
func (b *Backend) Delete(ctx context.Context, key string) error {
	if !store.ValidKey(key) {
		return ctx.Err()
	}
	return b.repeat(ctx, "delete "+key, func(ctx context.Context, w *watch) error {
		resp, err := b.do(ctx, http.MethodDelete, key, nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		w.alive()
		if resp.StatusCode != http.StatusNoContent {
			return statusError(resp)
		}
		return nil
	})
}

// do sends one request. An error is one of the connection.
func (b *Backend) do(ctx context.Context, method, path string, change func(*http.Request)) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, b.base+path, nil)
	if err != nil {
		return nil, err
	}
	if token := b.token(); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if change != nil {
		change(r)
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return nil, connectionError(err)
	}
	return resp, nil
}
