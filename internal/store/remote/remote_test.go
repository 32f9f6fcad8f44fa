package remote_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/store/remote"
	"github.com/ingot-imaging/ingot/internal/store/serve"
	"github.com/ingot-imaging/ingot/internal/store/storetest"
	"github.com/ingot-imaging/ingot/internal/trust"
)

const token = "of-this-job"

// everything is what a server of a test grants to whoever has the token.
func everything(r *http.Request) (serve.Grant, error) {
	if r.Header.Get("Authorization") != "Bearer "+token {
		return serve.Grant{}, &serve.Refusal{Status: http.StatusUnauthorized, Kind: "no-token", Detail: "no such token"}
	}
	all := func(string) bool { return true }
	return serve.Grant{Who: "test", Read: all, List: all, Put: all, Delete: all}, nil
}

// place is a server of a test.
type place struct {
	*httptest.Server
	data        *serve.Server
	fingerprint trust.Fingerprint
}

// start serves by TLS with a certificate of its own authority. change, which may be
// nil, is given the handler and returns what answers in its stead.
func start(t testing.TB, c serve.Config, change func(http.Handler) http.Handler) place {
	t.Helper()
	authority, err := trust.OpenAuthority(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := authority.Issue([]string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if c.Authorize == nil {
		c.Authorize = everything
	}
	data := serve.New(c)
	handler := http.Handler(data)
	if change != nil {
		handler = change(handler)
	}
	srv := httptest.NewUnstartedServer(handler)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return place{srv, data, authority.Fingerprint()}
}

// client is a client of the server; change, which may be nil, changes how it works.
func (p place) client(t testing.TB, change func(*remote.Config)) *remote.Backend {
	t.Helper()
	pinned, err := trust.Config(p.fingerprint, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := remote.Config{URL: p.URL, TLS: pinned, Token: func() string { return token }}
	if change != nil {
		change(&c)
	}
	b, err := remote.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestConformance(t *testing.T) {
	for name, backend := range map[string]func(*testing.T) store.Backend{
		"memory": func(*testing.T) store.Backend { return &mem.Backend{} },
		"folder": func(t *testing.T) store.Backend {
			b, err := local.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.Backend {
				return start(t, serve.Config{Backend: backend(t)}, nil).client(t, nil)
			})
		})
	}
}
