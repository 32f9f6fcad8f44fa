package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// anyone is what a route needs that has no login.
const anyone fleet.Role = ""

// Bounds of requests, bytes.
const (
	maxForm   = 1 << 20
	maxUpload = 64 << 20
	// maxInMemory is how much of an upload is kept in memory; the rest is a file until
	// the request ends.
	maxInMemory = 4 << 20
)

// visit is one request by somebody.
type visit struct {
	*site
	w       http.ResponseWriter
	r       *http.Request
	actor   fleet.Actor
	session fleet.Session
	csrf    string
	now     time.Time
}

// serve is the way of every request: who is it, may they, is the form theirs.
func (s *site) serve(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{site: s, w: w, r: r, now: s.now()}
		v.csrf = formToken(visitSecret(w, r))
		if err := v.admit(route); err != nil {
			v.fail(err)
			return
		}
		if err := route.handle(v); err != nil {
			v.fail(err)
		}
		if r.MultipartForm != nil {
			r.MultipartForm.RemoveAll()
		}
	})
}

// admit returns why a request goes no further.
func (v *visit) admit(route route) error {
	actor, session, err := v.ctl.Authenticate(v.r.Context(), cookie(v.r, SessionCookie))
	switch {
	case err == nil:
		actor.Addr = host(v.r.RemoteAddr)
		v.actor, v.session = actor, session
	case !errors.Is(err, control.ErrUnauthenticated):
		return err
	case route.need != anyone:
		return err
	}
	if v.r.Method == http.MethodPost {
		if err := v.readForm(route); err != nil {
			return err
		}
	}
	if route.need != anyone && !v.actor.Role.May(route.need) {
		return &control.ForbiddenError{Need: route.need}
	}
	return nil
}

// Errors of forms that are no form of ours.
var (
	errForeignForm = errors.New("this form was not made by this server for this browser, or its session has ended")
	errTooLarge    = errors.New("what was sent is too large")
)

func (v *visit) readForm(route route) error {
	limit := int64(maxForm)
	if route.upload {
		limit = maxUpload
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, limit)
	var err error
	if strings.HasPrefix(v.r.Header.Get("Content-Type"), "multipart/form-data") {
		err = v.r.ParseMultipartForm(maxInMemory)
	} else {
		err = v.r.ParseForm()
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return errTooLarge
	}
	if err != nil {
		return &control.InvalidError{Message: "the form cannot be read"}
	}
	if !validToken(visitSecret(v.w, v.r), v.r.PostFormValue("csrf")) {
		return errForeignForm
	}
	return nil
}

// reader reads for the visitor.
func (v *visit) reader() reader { return reader{v.ctl, v.r.Context(), v.actor, v.now} }

// parent is the path above a path.
func parent(p string) string { return path.Dir(p) }

// may reports whether the visitor has at least a role.
func (v *visit) may(need fleet.Role) bool { return v.actor.Role.May(need) }

// client is where a login comes from.
func (v *visit) client() control.Client {
	return control.Client{Addr: host(v.r.RemoteAddr), Agent: v.r.UserAgent()}
}

// field returns a field of the query or the form, without white space around it.
func (v *visit) field(name string) string { return strings.TrimSpace(v.r.FormValue(name)) }

// fields returns all values of a field, without empty ones.
func (v *visit) fields(name string) []string {
	v.r.FormValue(name) // parses
	var values []string
	for _, value := range v.r.Form[name] {
		if value != "" {
			values = append(values, value)
		}
	}
	return values
}

// redirect answers a form: the browser goes on to a page, which says notice once.
func (v *visit) redirect(path, notice string, args ...any) error {
	if notice != "" {
		text := fmt.Sprintf(notice, args...)
		if len(text) > 1000 {
			text = strings.ToValidUTF8(text[:1000], "") + "..."
		}
		setCookie(v.w, noticeCookie, base64.RawURLEncoding.EncodeToString([]byte(text)), 60)
	}
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// notice returns what the page before left to be said, once.
func (v *visit) notice() string {
	value := cookie(v.r, noticeCookie)
	if value == "" {
		return ""
	}
	dropCookie(v.w, noticeCookie)
	text, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// back returns the page of this server that a form names to go on to, or else.
func (v *visit) back(otherwise string) string {
	u, err := url.Parse(v.field("back"))
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return otherwise
	}
	return u.String()
}

// host is an address without its port.
func host(addr string) string {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		return h
	}
	return addr
}
