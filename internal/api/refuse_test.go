package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/api"
	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
)

func controlClient() control.Client { return control.Client{Addr: "192.0.2.9", Agent: "test"} }

// failing is a control in which everything fails with one error.
type failing struct {
	api.Control
	err error
}

func (f failing) AuthenticateToken(context.Context, string, string) (fleet.Actor, error) {
	return fleet.Actor{Role: fleet.Admin}, nil
}

func (f failing) Groups(context.Context, fleet.Actor) ([]fleet.Group, error) { return nil, f.err }

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		kind   string
		text   string // in the answer
	}{
		{&control.NotFoundError{What: "machine", ID: "x"}, 404, message.TypeNotFound, `there is no machine`},
		{fmt.Errorf("outer: %w", &control.ForbiddenError{Need: fleet.Admin}), 403, message.TypeForbidden, "role admin"},
		{control.ErrUnauthenticated, 401, message.TypeUnauthenticated, "log in"},
		{&control.InvalidError{Field: "name", Message: "too long"}, 422, message.TypeInvalid, `"errors":[{"field":"name","message":"too long"}]`},
		{control.InvalidErrors{{Field: "a", Message: "x"}, {Field: "b", Message: "y"}}, 422, message.TypeInvalid, `{"field":"b","message":"y"}`},
		{&control.ConflictError{Message: "it runs"}, 409, message.TypeConflict, "it runs"},
		{&control.RateLimitedError{After: 1500 * time.Millisecond}, 429, message.TypeRateLimited, "too many"},
		{&control.ProfileError{Name: "lab", Problems: []profile.Problem{{File: "profile.yaml", Line: 3, Column: 7, Path: "users[0].name", Message: "no such key"}}}, 422, message.TypeProfile, `"file":"profile.yaml","line":3,"column":7`},
		{&http.MaxBytesError{Limit: 7}, 413, message.TypeTooLarge, "7 bytes"},
		{errors.New("password of the database is hunter2"), 500, message.TypeInternal, "its log says why"},
	} {
		var log bytes.Buffer
		a, err := api.New(api.Config{Control: failing{err: c.err}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", message.Base+"/groups", nil)
		r.Header.Set("Authorization", "Bearer x")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		var p message.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != c.status || p.Status != c.status || p.Type != c.kind || p.Title != http.StatusText(c.status) ||
			!strings.Contains(w.Body.String(), c.text) || w.Header().Get("Content-Type") != message.ProblemContent {
			t.Errorf("%v: %d %v %s", c.err, w.Code, w.Header(), w.Body)
		}
		if told := strings.Contains(w.Body.String(), "hunter2"); told || (c.status == 500) != strings.Contains(log.String(), "hunter2") {
			t.Errorf("%v: told %v, log %q", c.err, told, log.String())
		}
		if c.status == 429 && w.Header().Get("Retry-After") != "2" {
			t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
		}
	}
}

// TestBadRequests asks for what the document does not allow.
func TestBadRequests(t *testing.T) {
	s := newServer(t)
	const json = "application/json"
	for _, c := range []struct {
		request, kind, body string
		status              int
		text                string
	}{
		{"GET /nothing", "", "", 404, "no such path"},
		{"GET /machines/", "", "", 404, "no such path"},
		{"PATCH /machines", "", "", 405, "only GET"},
		{"DELETE /machines/approve", "", "", 405, "GET, POST"},
		{"GET /machines?stat=pending", "", "", 422, `"field":"stat"`},
		{"GET /machines?state=lost", "", "", 422, `"field":"state"`},
		{"GET /machines?limit=100000", "", "", 422, `"field":"limit"`},
		{"GET /machines?offset=-1", "", "", 422, `"field":"offset"`},
		{"GET /jobs?state=done,odd", "", "", 422, `"field":"state`},
		{"GET /machines/lab-99", "", "", 404, "lab-99"},
		{"GET /machines/..%2f..%2fetc", "", "", 404, "there is no machine"},
		{"PUT /groups/x", json, `{"notes": "x", "name": "y"}`, 422, `"field":"name"`},
		{"PUT /groups/x", json, `{"notes": 3}`, 422, `"field":"notes"`},
		{"PUT /groups/x", json, `{"notes": "x"`, 400, message.TypeRequest},
		{"PUT /groups/x", json, `{"notes": "x"} {}`, 400, message.TypeRequest},
		{"PUT /groups/x", json, ``, 400, message.TypeRequest},
		{"PUT /groups/x", "text/html", `{"notes": "x"}`, 415, message.TypeRequest},
		{"PUT /groups/x", json, `{"notes": "` + strings.Repeat("x", 2<<20) + `"}`, 413, message.TypeTooLarge},
		{"POST /users", json, `{"name": "x", "role": "root", "password": "s3cret-in-a-body"}`, 422, `"field":"role"`},
		{"POST /batches", json, `{"kind": "format", "machines": ["lab-01"]}`, 422, `"field":"kind"`},
		{"POST /batches", json, `{"kind": "deploy", "machines": ["lab-01"]}`, 422, `"field":"image"`},
		{"POST /batches", json, `{"kind": "deploy", "image": "lab-pc", "machines": ["nobody"]}`, 404, "nobody"},
		{"POST /batches", json, `{"kind": "deploy", "image": "nothing", "machines": ["lab-01"]}`, 422, `nothing`},
		{"PUT /profiles/lab", "application/yaml", "name: x\nusrs: []\n", 422, `"line":2`},
		{"PUT /profiles/lab/folder", "application/x-tar", "no tar", 422, message.TypeInvalid},
		{"POST /machines/import", "text/csv", "serial,name\n" + strings.Repeat("5XK,lab\n", 2<<20), 413, message.TypeTooLarge},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		r := s.ask(fleet.Admin, method, path, c.kind, c.body)
		text, err := io.ReadAll(r.Body)
		s.must(err)
		if r.StatusCode != c.status || !strings.Contains(string(text), c.text) || r.Header.Get("Content-Type") != message.ProblemContent {
			t.Errorf("%s %.60s: %s %.300s", c.request, c.body, r.Status, text)
		}
		if strings.Contains(string(text), "s3cret") {
			t.Errorf("%s repeats a secret: %s", c.request, text)
		}
	}
}

// TestCookie checks that what browsers send along by themselves changes nothing.
func TestCookie(t *testing.T) {
	s := newServer(t)
	secret, err := func() (string, error) {
		_, err := s.AddUser(t.Context(), fleet.Actor{Role: fleet.Admin}, "otto", fleet.Admin, "correct horse battery")
		s.must(err)
		return s.login("otto", "correct horse battery")
	}()
	s.must(err)
	for _, c := range []struct {
		request, site string
		status        int
	}{
		{"GET /machines", "same-origin", 200},
		{"GET /machines", "", 200},
		{"GET /machines", "cross-site", 401},
		{"GET /machines", "same-site", 401},
		{"PUT /groups/x", "same-origin", 401},
		{"DELETE /groups/x", "same-origin", 401},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		r := httptest.NewRequest(method, message.Base+path, strings.NewReader(`{"notes": ""}`))
		r.AddCookie(&http.Cookie{Name: "ingot-test-session", Value: secret})
		r.Header.Set("Content-Type", "application/json")
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		w := httptest.NewRecorder()
		s.API.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s from %q: %d %s", c.request, c.site, w.Code, w.Body)
		}
	}
}
