package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/web"
	"github.com/ingot-imaging/ingot/internal/web/webtest"
)

// TestRoles tries every route as everybody: who may not is told so, with a page, and
// nothing is changed for them.
func TestRoles(t *testing.T) {
	room := webtest.New(t)
	admin, secret := room.Admin(t)
	f := room.Fill(t, admin)
	room.Profile(t, admin)
	clients := []struct {
		role   fleet.Role
		client *webtest.Client
	}{
		{"", room.Client("")},
		{fleet.Viewer, room.Client(room.User(t, admin, "vera", fleet.Viewer))},
		{fleet.Operator, room.Client(room.User(t, admin, "olga", fleet.Operator))},
		{fleet.Admin, room.Client(secret)},
	}
	names := strings.NewReplacer("{$}", "", "{ref}", f.Image, "{kind}", "capture")
	for _, route := range web.Routes() {
		if strings.HasPrefix(route.Path, "/events/") || route.Need == "" || route.Path == "/logout" {
			continue // streams do not end; see TestStream and TestLogin
		}
		path := names.Replace(route.Path)
		switch {
		case strings.HasPrefix(path, "/machines/"):
			path = strings.ReplaceAll(path, "{id}", f.Machine)
		case strings.HasPrefix(path, "/batches/"):
			path = strings.ReplaceAll(path, "{id}", f.Batch)
		case strings.HasPrefix(path, "/jobs/"):
			path = strings.ReplaceAll(path, "{id}", f.Done)
		case strings.HasPrefix(path, "/users/"):
			path = strings.ReplaceAll(path, "{name}", "operator")
		default:
			path = strings.NewReplacer("{name}", "lab", "{id}", "s-none").Replace(path)
		}
		for _, c := range clients {
			var got webtest.Answer
			if route.Changes {
				if c.role.May(fleet.Role(route.Need)) {
					continue // what they do is tried one by one
				}
				got = c.client.Post(t, path, url.Values{"m": {f.Machine}})
			} else {
				got = c.client.Get(t, path+"?m="+f.Machine)
			}
			switch {
			case c.role == "":
				if got.Status != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/login") {
					t.Errorf("%s %s without a login: %d %s", route.Method, path, got.Status, got.Header.Get("Location"))
				}
			case !c.role.May(fleet.Role(route.Need)):
				if got.Status != http.StatusForbidden || !strings.Contains(got.Body, "This needs the role "+route.Need) {
					t.Errorf("%s %s as %s: %d", route.Method, path, c.role, got.Status)
				}
			case got.Status >= 400 && got.Status != http.StatusNotFound && got.Status != http.StatusUnprocessableEntity:
				t.Errorf("%s %s as %s: %d\n%.2000s", route.Method, path, c.role, got.Status, got.Body)
			case got.Status == http.StatusNotFound && !strings.HasSuffix(path, "/remove"):
				t.Errorf("%s %s as %s: not found", route.Method, path, c.role)
			}
		}
	}
}

// TestForms sends forms that are not ours: with another browser's token, with none,
// from another site.
func TestForms(t *testing.T) {
	room := webtest.New(t)
	admin, secret := room.Admin(t)
	other := room.Client(room.User(t, admin, "olga", fleet.Admin))
	client := room.Client(secret)
	own := url.Values{"csrf": {client.Token(t)}, "name": {"lab"}}
	for name, try := range map[string]struct {
		form   url.Values
		header http.Header
		want   int
	}{
		"our own":             {own, nil, http.StatusSeeOther},
		"our own, same site":  {own, http.Header{"Sec-Fetch-Site": {"same-origin"}}, http.StatusSeeOther},
		"without a token":     {url.Values{"name": {"lab"}}, nil, http.StatusForbidden},
		"another's token":     {url.Values{"name": {"lab"}, "csrf": {other.Token(t)}}, nil, http.StatusForbidden},
		"from another site":   {own, http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		"from another origin": {own, http.Header{"Origin": {"https://evil.example.org"}}, http.StatusForbidden},
		"too large":           {url.Values{"csrf": own["csrf"], "name": {strings.Repeat("x", 2<<20)}}, nil, http.StatusRequestEntityTooLarge},
	} {
		if got := client.PostRaw(t, "/groups", try.form, try.header); got.Status != try.want {
			t.Errorf("a form %s: %d, want %d", name, got.Status, try.want)
		}
	}
	for _, route := range web.Routes() {
		if !route.Changes {
			continue
		}
		path := strings.NewReplacer("{id}", "x", "{name}", "x", "{ref}", "x", "{kind}", "wipe").Replace(route.Path)
		if got := client.PostRaw(t, path, url.Values{}, nil); got.Status != http.StatusForbidden {
			t.Errorf("POST %s without a token: %d", path, got.Status)
		}
	}
}

func TestHeaders(t *testing.T) {
	room := webtest.New(t)
	_, secret := room.Admin(t)
	for path, cached := range map[string]string{"/": "no-store", "/login": "no-store", "/nowhere": "no-store", "/static/ingot.css": "no-cache"} {
		h := room.Client(secret).Get(t, path).Header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Strict-Transport-Security": "max-age=31536000", "Cache-Control": cached,
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s", path, csp)
		}
	}
}

// TestLogin logs in and out, wrongly and rightly.
func TestLogin(t *testing.T) {
	room := webtest.New(t)
	browser := room.Client("")
	if got := browser.Get(t, "/"); got.Header.Get("Location") != "/setup" {
		t.Errorf("a new server sends to %q", got.Header.Get("Location"))
	}
	room.Admin(t)
	if got := browser.Get(t, "/machines?q=a"); got.Header.Get("Location") != "/login?back=%2Fmachines%3Fq%3Da" {
		t.Errorf("a page sends to %q", got.Header.Get("Location"))
	}
	if got := browser.Post(t, "/login", url.Values{"name": {"anna"}, "password": {"wrong password"}}); got.Status != http.StatusUnprocessableEntity || !strings.Contains(got.Body, "or the password is wrong") {
		t.Errorf("a wrong password: %d", got.Status)
	}
	for back, want := range map[string]string{"/machines?q=a": "/machines?q=a", "//evil.example.org": "/", "https://evil.example.org/": "/", `/\evil.example.org`: "/", "javascript:alert(1)": "/"} {
		one := room.Client("")
		got := one.Post(t, "/login", url.Values{"name": {"anna"}, "password": {webtest.Password}, "back": {back}})
		if got.Status != http.StatusSeeOther || got.Header.Get("Location") != want {
			t.Errorf("back to %q goes to %d %q", back, got.Status, got.Header.Get("Location"))
		}
		cookie := got.Header.Get("Set-Cookie")
		for _, part := range []string{web.SessionCookie + "=", "Path=/", "HttpOnly", "Secure", "SameSite=Strict"} {
			if !strings.Contains(cookie, part) {
				t.Errorf("the cookie %q has no %s", cookie, part)
			}
		}
		if one.Get(t, "/").Status != http.StatusOK {
			t.Error("a login does not last")
		}
		one.Post(t, "/logout", nil)
		if one.Get(t, "/").Status != http.StatusSeeOther {
			t.Error("a logout does not end the session")
		}
	}
}
