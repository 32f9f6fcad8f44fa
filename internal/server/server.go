// Package server is the process behind 'ingot serve': it listens, and puts the
// parts of a server together.
//
// It owns the data folder, certificates, the order of start and end, the agents'
// protocol over HTTPS, and what of the store a job's token opens. What happens on a
// request is decided by package control; how pages and the API look is theirs. Start
// at Run.
package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/api"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/serve"
	"github.com/ingot-imaging/ingot/internal/trust"
	"github.com/ingot-imaging/ingot/internal/web"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Config is what a server is started with.
type Config struct {
	Folder   Folder
	Store    *store.Store
	Database string   // "" for SQLite in the folder, or postgres://...
	Listen   string   // for HTTPS: "", ":8443", "127.0.0.1:0"
	Names    []string // host names for the certificate, besides this machine's own
	// Certificate and Key are files of a certificate that somebody else made; "" for
	// one by the server's own authority.
	Certificate, Key string
	// Lint looks an image over.
	Lint    func(ctx context.Context, id string) (json.RawMessage, error)
	Netboot *Netboot // nil: machines do not start from this server
	Version string
	Log     *slog.Logger
	// Ready is called once, when the server answers.
	Ready func(Ready)
}

// Ready is what people need to know of a server that has started.
type Ready struct {
	URL         string // "https://10.0.0.1:8443"
	Fingerprint trust.Fingerprint
	Setup       string `json:"-"`          // the link that makes the first administrator; "" when there is one
	SetupFile   string `json:",omitempty"` // has Setup, for its owner alone
}

// Run serves until ctx ends, and returns when everything was put away.
func Run(ctx context.Context, c Config) (err error) {
	unlock, err := c.Folder.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	records, err := db.Open(ctx, c.database(), c.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, records.Close()) }()
	ctl, err := control.New(control.Config{
		Records: records, Images: &images{store: c.Store, lint: c.Lint}, Profiles: c.Folder.Profiles(),
		Version: c.Version, Log: c.Log, Wake: wake,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ctl.Close()) }()
	secure, fingerprint, err := c.certificates()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.listen())
	if err != nil {
		return fmt.Errorf("%w (--listen names another address)", err)
	}
	fronts, err := c.handler(ctl, fingerprint)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	group, ctx := errgroup.WithContext(ctx)
	bounded := serve.Bounded(listener, maxConnections, maxPerAddress)
	group.Go(func() error { return serveHTTP(ctx, bounded, secure, fronts, c.Log) })
	group.Go(func() error { return tick(ctx, ctl, c.Log) })
	group.Go(func() error { return merge(ctx, ctl.Subscribe(ctx), c.Store, c.Log) })
	ready, err := c.ready(ctx, ctl, listener, fingerprint)
	if err == nil && c.Netboot != nil {
		err = c.startNetboot(ctx, group, ctl, listener, fingerprint.String())
	}
	if err == nil && c.Ready != nil {
		c.Ready(ready)
	}
	if err != nil {
		group.Go(func() error { return err })
	}
	return group.Wait()
}

func (c *Config) database() string {
	if c.Database == "" {
		return c.Folder.Database()
	}
	return c.Database
}

// DefaultPort is that of pages, API, agents and objects.
const DefaultPort = "8443"

func (c *Config) listen() string {
	if c.Listen == "" {
		return ":" + DefaultPort
	}
	return c.Listen
}

// certificates are how the server proves who it is.
func (c *Config) certificates() (*tls.Config, trust.Fingerprint, error) {
	if c.Certificate != "" {
		config, f, err := trust.Load(c.Certificate, c.Key)
		if err != nil {
			err = fmt.Errorf("read the server's certificate: %w", err)
		}
		return config, f, err
	}
	authority, err := trust.OpenAuthority(c.Folder.Certificates(), time.Now())
	if err != nil {
		return nil, trust.Fingerprint{}, err
	}
	return authority.NewServer(c.Names, time.Now).Config(), authority.Fingerprint(), nil
}

// ready finds out how the server is reached.
func (c *Config) ready(ctx context.Context, ctl *control.Control, l net.Listener, f trust.Fingerprint) (Ready, error) {
	r := Ready{URL: "https://" + reachable(l.Addr(), c.Names), Fingerprint: f}
	needed, err := ctl.SetupNeeded(ctx)
	if err != nil {
		return r, err
	}
	if !needed {
		return r, c.Folder.forgetSetup()
	}
	secret, err := ctl.SetupSecret(ctx)
	if err != nil {
		return r, err
	}
	r.Setup, r.SetupFile = r.URL+"/setup#code="+url.QueryEscape(secret), c.Folder.setup()
	return r, os.WriteFile(r.SetupFile, []byte(r.Setup+"\n"), 0o600)
}

// reachable is how others write the address of a listener: one that listens on all
// of them is named by the first that is not this machine's alone.
func reachable(a net.Addr, names []string) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return a.String()
	}
	port := fmt.Sprint(tcp.Port)
	if len(names) > 0 {
		return net.JoinHostPort(names[0], port)
	}
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return net.JoinHostPort(n.IP.String(), port)
		}
	}
	return net.JoinHostPort("localhost", port)
}

// tick has control do what is due, every second.
func tick(ctx context.Context, ctl *control.Control, log *slog.Logger) error {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		if err := ctl.Tick(ctx); err != nil && ctx.Err() == nil {
			log.Error("do what is due", "error", err)
		}
	}
}

// Connections at a time. A thousand agents behind one address, each with work, are
// served; a few machines that only keep connections open do not shut the others out.
const (
	maxConnections = 16_384
	maxPerAddress  = 4_096
)

// endWithin is how long requests may go on when the server ends. Agents come back.
const endWithin = 5 * time.Second

// serveHTTP serves until ctx ends. Browsers speak HTTP/2, so that a page that is live in
// many tabs takes one connection; agents fetch objects by HTTP/1.1, which is quicker.
func serveHTTP(ctx context.Context, l net.Listener, secure *tls.Config, h http.Handler, log *slog.Logger) error {
	s := &http.Server{
		Handler: h, TLSConfig: secure, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan error, 1)
	go func() { done <- s.ServeTLS(l, "", "") }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	if err := s.Shutdown(ending); err != nil {
		s.Close()
	}
	<-done
	return nil
}

// handler is everything that the server answers by HTTPS.
func (c *Config) handler(ctl *control.Control, f trust.Fingerprint) (http.Handler, error) {
	programs, err := api.New(api.Config{Control: ctl, Version: c.Version, Cookie: web.SessionCookie, Log: c.Log})
	if err != nil {
		return nil, err
	}
	pages := web.New(web.Config{Control: ctl, Version: c.Version, Log: c.Log, Facts: func() []web.Fact { return c.facts(f) }})
	g := &grants{control: ctl, store: c.Store}
	objects := serve.New(serve.Config{Backend: c.Store.Backend(), Hash: c.Store.Hash(), Authorize: g.authorize, Log: c.Log})
	g.objects = objects
	machines := &agents{ctl, c.Log, newRefused(c.Log)}
	mux := http.NewServeMux()
	mux.Handle("/agent/v1/", machines.handler())
	mux.Handle("GET /metrics", (&metrics{ctl, &objects.Stats, machines.refused, c.Log}).handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { health(w, r, ctl) })
	mux.Handle("/api/", programs)
	mux.Handle("/", pages)
	return split(objects, patient(mux)), nil
}

// split says who asks, and sends requests for objects to their handler as they came,
// which times bodies itself: a mux would mend paths that are no key, and answer with a
// redirection.
func split(objects, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(control.From(r.Context(), addrOf(r)))
		if strings.HasPrefix(r.URL.Path, wire.StorePath) {
			objects.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// facts are what the server says about itself.
func (c *Config) facts(f trust.Fingerprint) []web.Fact {
	facts := []web.Fact{{Name: "Data", Value: string(c.Folder)}, {Name: "Fingerprint", Value: f.String()}}
	if c.Netboot != nil {
		facts = append(facts, web.Fact{Name: "PCs start from", Value: c.Netboot.Interface})
	}
	return facts
}

// health says whether the server works: its database answers.
func health(w http.ResponseWriter, r *http.Request, ctl *control.Control) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if _, err := ctl.SetupNeeded(r.Context()); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "the database does not answer")
		return
	}
	fmt.Fprintln(w, "ok")
}
