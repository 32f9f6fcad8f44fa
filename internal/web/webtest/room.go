// Package webtest makes a server's pages with something on them, for tests: a
// control on SQLite, machines whose agents are simulated by the calls that real
// ones make, images that are only described.
package webtest

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/web"
)

// Room is a server with its pages.
type Room struct {
	Control *control.Control
	Records control.Records
	Images  *Images
	Server  *httptest.Server // speaks HTTPS
}

// Password is that of every user that tests make.
const Password = "correct horse battery"

// New makes a room without people, machines or images.
func New(t testing.TB) *Room {
	t.Helper()
	records, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "ingot.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	images := &Images{}
	ctl, err := control.New(control.Config{
		Records: records, Images: images, Profiles: filepath.Join(t.TempDir(), "profiles"), Version: "test",
		Cost: control.PasswordCost{Memory: 64, Time: 1, Threads: 1}, NextWait: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	pages := web.New(web.Config{Control: ctl, Version: "1.0-test", Facts: facts, Beat: 300 * time.Millisecond})
	room := &Room{Control: ctl, Records: records, Images: images, Server: httptest.NewTLSServer(pages)}
	t.Cleanup(func() {
		room.Server.CloseClientConnections()
		room.Server.Close()
		if err := ctl.Close(); err != nil {
			t.Error(err)
		}
		if err := records.Close(); err != nil {
			t.Error(err)
		}
	})
	return room
}

// facts are what a process would say of itself.
func facts() []web.Fact {
	return []web.Fact{
		{Name: "Address", Value: "https://ingot.example.org:8443"},
		{Name: "Fingerprint", Value: "SHA256:3f:9a:17:c2:5b:80:4e:d1:66:0a:97:f3:21:bc:58:e4"},
		{Name: "Data folder", Value: "/var/lib/ingot, 412 GiB free"},
		{Name: "Netboot", Value: "off: started without --netboot", Bad: true},
	}
}

// Admin makes the first administrator, who is called anna, and returns the secret
// of their session.
func (r *Room) Admin(t testing.TB) (actor fleet.Actor, session string) {
	t.Helper()
	secret, err := r.Control.SetupSecret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	login, err := r.Control.Setup(t.Context(), secret, "anna", Password, control.Client{Addr: "192.0.2.1", Agent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return fleet.Actor{Kind: "user", Name: "anna", Role: fleet.Admin, Addr: "192.0.2.1", Session: login.Session.ID}, login.Secret
}

// User makes a user, and returns the secret of a session.
func (r *Room) User(t testing.TB, by fleet.Actor, name string, role fleet.Role) (session string) {
	t.Helper()
	if _, err := r.Control.AddUser(t.Context(), by, name, role, Password); err != nil {
		t.Fatal(err)
	}
	login, err := r.Control.Login(t.Context(), name, Password, control.Client{Addr: "192.0.2.2", Agent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return login.Secret
}

// Client asks for pages as somebody with a session; "" is nobody. It follows no
// redirect.
func (r *Room) Client(session string) *Client {
	c := *r.Server.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: &c, base: r.Server.URL, cookies: map[string]string{"__Host-ingot-session": session}}
}
