// Package web is what people see of a server: its pages.
//
// It owns routes, view models, templates, style, and what keeps a browser safe:
// headers, cookies, tokens of forms. It decides nothing: who may do what and what
// happens is control's. Every page works without a script; with one, rows of
// running work are replaced as they change (live.go).
//
// A page is a file: its handlers, the plain structs that its template shows, and
// how they are made of fleet's values. Start at New, then routes.go.
package web

import (
	"log/slog"
	"net/http"
	"time"
)

// Config is what the pages need.
type Config struct {
	Control Control
	Title   string // of this server, shown on every page; "" is "ingot"
	Version string // of the program
	Clock   func() time.Time
	Log     *slog.Logger
	// Facts are what the process says about itself on the page about it: where its
	// data are, its fingerprint, what listens. nil: nothing.
	Facts func() []Fact
	// Beat is how often a page that changes by itself tells its browser that the server
	// is there, and looks whether the session still is; 0: 15 s.
	Beat time.Duration
}

// Fact is one line of the page about the server.
type Fact struct {
	Name, Value string
	Bad         bool // somebody should look at it
}

// New returns the pages, to be mounted at "/" below HTTPS: cookies are Secure.
func New(cfg Config) http.Handler {
	s := &site{cfg: cfg, ctl: cfg.Control, log: cfg.Log, now: cfg.Clock, views: loadViews(), assets: loadAssets()}
	if s.cfg.Title == "" {
		s.cfg.Title = "ingot"
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.cfg.Beat <= 0 {
		s.cfg.Beat = 15 * time.Second
	}
	s.feeds = &feeds{site: s, all: map[string]*feed{}}
	mux := http.NewServeMux()
	mux.Handle("GET /static/{name}", s.assets)
	for _, r := range routes() {
		mux.Handle(r.method+" "+r.path, s.serve(r))
	}
	mux.Handle("/", s.serve(route{handle: notFound, need: anyone}))
	return headers(http.NewCrossOriginProtection().Handler(mux))
}

// site is the pages and what they share.
type site struct {
	cfg    Config
	ctl    Control
	log    *slog.Logger
	now    func() time.Time
	views  views
	assets assets
	feeds  *feeds
}
