package apiclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/api/apitest"
	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/trust"
)

func TestParseURL(t *testing.T) {
	for typed, want := range map[string]string{
		"images.example":               "https://images.example:8443",
		"images.example:443":           "https://images.example:443",
		"10.0.0.5":                     "https://10.0.0.5:8443",
		"::1":                          "https://[::1]:8443",
		"[::1]:9":                      "https://[::1]:9",
		"https://Images.Example/":      "https://images.example",
		"https://images.example:8443":  "https://images.example:8443",
		"http://images.example":        "",
		"https://anna@images.example":  "",
		"https://images.example/api":   "",
		"https://images.example/?a=b":  "",
		"https://":                     "",
		"ftp://images.example":         "",
		"https://images.example:8443#": "https://images.example:8443",
		"":                             "",
		"a b":                          "",
	} {
		got, err := apiclient.ParseURL(typed)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v; want %q", typed, got, err, want)
		}
	}
}

func TestServers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "servers.yaml")
	none, err := apiclient.ReadServers(file)
	if err != nil || len(none.Servers) > 0 {
		t.Fatal(none, err)
	}
	a, b := apiclient.Server{URL: "https://a:1", Token: "x"}, apiclient.Server{URL: "https://b:1", Fingerprint: "f", Token: "y"}
	if err := none.With(a).With(b).With(apiclient.Server{URL: "https://a:1", Token: "z"}).Write(file); err != nil {
		t.Fatal(err)
	}
	known, err := apiclient.ReadServers(file)
	if err != nil || len(known.Servers) != 2 || known.Default != "https://a:1" {
		t.Fatal(known, err)
	}
	if s, ok := known.Find("https://a:1"); !ok || s.Token != "z" {
		t.Error(s, ok)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := apiclient.ReadServers(file); err == nil {
		t.Error("a file with tokens that others may read is taken")
	}
}

// serve is a foreign server, and a client that trusts it.
func serve(t *testing.T, h http.HandlerFunc) *apiclient.Client {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	f, err := apiclient.Fingerprint(t.Context(), s.URL)
	if err != nil || f == "" {
		t.Fatal(f, err)
	}
	c, err := apiclient.New(apiclient.Server{URL: s.URL, Fingerprint: f, Token: "ingot_a_secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestForeignServers talks to what is no ingot server.
func TestForeignServers(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a page":        func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"an error page": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"nothing":       func(w http.ResponseWriter, _ *http.Request) {},
		"another's problem": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", message.ProblemContent)
			w.WriteHeader(404)
			io.WriteString(w, `{"status": 200}`)
		},
	} {
		_, err := serve(t, answer).Self(t.Context())
		if !errors.As(err, new(*apiclient.UnreachableError)) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRedirect checks that a token does not go where a server sends its client.
func TestRedirect(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	_, err := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}).Self(t.Context())
	if err == nil || elsewhere.Load() > 0 {
		t.Errorf("%v, asked elsewhere %d times", err, elsewhere.Load())
	}
}

func start(t *testing.T) (*apitest.Server, apiclient.Server) {
	t.Helper()
	s, err := apitest.Start(t.TempDir(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	secret, err := s.Token(fleet.Operator)
	if err != nil {
		t.Fatal(err)
	}
	return s, apiclient.Server{URL: s.URL, Fingerprint: s.Fingerprint, Token: secret}
}

func TestWrongFingerprint(t *testing.T) {
	s, server := start(t)
	if f, err := apiclient.Fingerprint(t.Context(), s.URL); err != nil || f != s.Fingerprint {
		t.Errorf("%s, %v; want %s", f, err, s.Fingerprint)
	}
	server.Fingerprint = trust.Fingerprint{2}.String()
	c, err := apiclient.New(server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Self(t.Context()); !errors.As(err, new(*trust.MismatchError)) {
		t.Error(err)
	}
	server.Fingerprint = ""
	if c, err = apiclient.New(server); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Self(t.Context()); !errors.As(err, new(*apiclient.UnreachableError)) {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
}

// TestPages checks that long lists are whole, and that problems arrive as they were
// sent.
func TestPages(t *testing.T) {
	_, server := start(t)
	c, err := apiclient.New(server)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("serial,name\n")
	for n := range 1203 {
		table.WriteString("5XK2R" + strings.Repeat("x", n%7) + string(rune('A'+n%26)) + time.Duration(n).String() + ",\n")
	}
	report, err := c.ImportMachines(t.Context(), strings.NewReader(table.String()))
	if err != nil || report.Added != 1203 {
		t.Fatal(report, err)
	}
	all, err := c.Machines(t.Context(), control.MachineFilter{Sort: "serial"})
	if err != nil || len(all) != 1203 {
		t.Fatal(len(all), err)
	}
	var p *message.Problem
	if _, err := c.Users(t.Context()); !errors.As(err, &p) || p.Type != message.TypeForbidden {
		t.Error(err)
	}
	if _, err := c.Machine(t.Context(), "a/../b c"); !errors.As(err, &p) || p.Type != message.TypeNotFound || !strings.Contains(p.Detail, "a/../b c") {
		t.Error(err)
	}
}

func TestWatch(t *testing.T) {
	s, server := start(t)
	c, err := apiclient.New(server)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	heard, enough := make(chan message.Event, 100), errors.New("enough")
	result := make(chan error, 1)
	go func() {
		result <- c.Watch(ctx, []control.Topic{control.TopicImage}, func(e message.Event) error {
			heard <- e
			if e.Topic == control.TopicImage {
				return enough
			}
			return nil
		})
	}()
	if e := <-heard; e.Topic != control.TopicAll {
		t.Errorf("first %v", e)
	}
	if err := s.SetImageNotes(ctx, apitest.Admin(), "lab-pc", "x"); err != nil {
		t.Fatal(err)
	}
	if e := <-heard; e.Topic != control.TopicImage || e.ID == "" {
		t.Errorf("then %v", e)
	}
	if err := <-result; err != enough {
		t.Error(err)
	}
	server.Token = "ingot_no_token"
	if c, err = apiclient.New(server); err != nil {
		t.Fatal(err)
	}
	var p *message.Problem
	if err := c.Watch(ctx, nil, func(message.Event) error { return nil }); !errors.As(err, &p) || p.Status != http.StatusUnauthorized {
		t.Errorf("who may not listen tries again for ever: %v", err)
	}
}

// TestWatchAgain checks that a stream that breaks is opened again.
func TestWatchAgain(t *testing.T) {
	var opened atomic.Int32
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		opened.Add(1)
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, ": hello\n\ndata: {\"topic\":\"job\",\"id\":\"j-1\"}\n\n")
	})
	var topics []string
	enough := errors.New("enough")
	err := c.Watch(t.Context(), nil, func(e message.Event) error {
		if topics = append(topics, string(e.Topic)); len(topics) == 4 {
			return enough
		}
		return nil
	})
	if err != enough || strings.Join(topics, " ") != "all job all job" || opened.Load() != 2 {
		t.Errorf("%v after %v, opened %d times", err, topics, opened.Load())
	}
}
