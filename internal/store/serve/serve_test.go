package serve

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func all(string) bool { return true }

func grantAll(*http.Request) (Grant, error) { return Grant{Read: all, Put: all, Delete: all}, nil }

func ask(s *Server, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://server"+target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

var packKey = "packs/" + strings.Repeat("3f", 32)

// TestPathTricks asks for what lies beside the store; all of it is refused and counted.
func TestPathTricks(t *testing.T) {
	b, err := local.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{Backend: b, Authorize: grantAll})
	for i, path := range []string{
		"../config", "packs/../config", "packs/%2e%2e/config", "%63onfig", "config/", "config?x=1", "//config", "names/../../etc/passwd", "names/a/..", "names/.a/b",
		"packs/" + strings.Repeat("3F", 32), "packs/" + strings.Repeat("3f", 31), packKey + "/", packKey + "%00", "tmp/put-1", "sessions/" + strings.Repeat("a", 32) + ".01",
		"sessions/" + strings.Repeat("a", 32) + ".-1", "condemned/x", "names/a", "?prefix=/etc/", "?prefix=..%2f", "?prefix=packs", "?prefix=packs/&prefix=maps/", "?prefix=names/a/b/", "?other=1", "config\x7f",
		"?prefix=" + packKey,
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			r := httptest.NewRequest(method, "http://server"+wire.StorePath, nil)
			u, err := r.URL.Parse(wire.StorePath + path)
			if err == nil && !strings.Contains(path, "..") {
				r.URL = u
			} else {
				r.URL.Path, r.URL.RawQuery = wire.StorePath+path, ""
			}
			if strings.Contains(path, "%2e") {
				r.URL.Path, r.URL.RawPath = wire.StorePath+"packs/../config", wire.StorePath+path
			}
			w := httptest.NewRecorder()
			before := s.Stats.BadKeys.Load()
			s.ServeHTTP(w, r)
			if w.Code != http.StatusBadRequest || s.Stats.BadKeys.Load() != before+1 {
				t.Errorf("%d: %s %q: %d", i, method, path, w.Code)
			}
			if w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), `"type":"ingot:store/bad-key"`) {
				t.Errorf("%q is answered with %s", path, w.Body)
			}
		}
	}
}

func TestRanges(t *testing.T) {
	b := &mem.Backend{}
	if err := b.Put(t.Context(), packKey, []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	s := New(Config{Backend: b, Authorize: grantAll})
	for header, want := range map[string]string{
		"": "200 0123456789 ", "bytes=0-9": "206 0123456789 bytes 0-9/10", "bytes=2-4": "206 234 bytes 2-4/10", "bytes=9-9": "206 9 bytes 9-9/10",
		"bytes=5-": "206 56789 bytes 5-9/10", "bytes=5-100": "206 56789 bytes 5-9/10", "bytes=5-9223372036854775807": "206 56789 bytes 5-9/10",
		"bytes=10-": "416", "bytes=10-20": "416", "bytes=-3": "400", "bytes=4-2": "400", "bytes=1-2,4-5": "400", "bytes=+1-2": "400", "bytes=1-2 ": "400",
		"octets=1-2": "400", "bytes=99999999999999999999-": "400", "bytes=1": "400", "bytes=": "400", "bytes=0x1-2": "400",
	} {
		var args []string
		if header != "" {
			args = []string{"Range", header}
		}
		w := ask(s, http.MethodGet, wire.StorePath+packKey, args...)
		got := fmt.Sprint(w.Code)
		if w.Code < 300 {
			got += " " + w.Body.String() + " " + w.Header().Get("Content-Range")
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-9", "bytes=5-", "bytes=-3", "bytes=1-2,4-5", "bytes=18446744073709551615-", ""} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		r, err := parseRange([]string{header}, size)
		if err == nil && (r.start < 0 || r.length <= 0 || r.start > size-r.length || !r.partial) {
			t.Errorf("%q of %d bytes: %+v", header, size, r)
		}
	})
}

// TestPuts refuses what is not sent as an object is.
func TestPuts(t *testing.T) {
	hash := chunk.DefaultHash
	s := New(Config{Backend: &mem.Backend{}, Hash: hash, Authorize: grantAll, Limits: Limits{Object: 1000}})
	key := wire.StorePath + "packs/" + hash.Sum([]byte("x")).String()
	put := func(length int64, condition, body string) int {
		r := httptest.NewRequest(http.MethodPut, "http://server"+key, strings.NewReader(body))
		r.ContentLength = length
		r.Header.Set("If-None-Match", condition)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code
	}
	for name, c := range map[string]struct{ got, want int }{
		"no condition": {put(1, "", "x"), 428}, "no length": {put(-1, "*", "x"), 411}, "too large": {put(1001, "*", "x"), 413},
		"cut off": {put(2, "*", "x"), 400}, "other bytes": {put(1, "*", "y"), 422},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, not %d", name, c.got, c.want)
		}
	}
	if a, b := put(1, "*", "x"), put(1, "*", "x"); a != 201 || b != 204 {
		t.Errorf("put: %d, again: %d", a, b)
	}
	if n := s.Stats.BadBytes.Load(); n != 1 {
		t.Errorf("%d lies", n)
	}
}

// TestPutMemory sends more at a time than there is memory for: some wait, those that
// wait too long are told to come again, and memory comes back.
func TestPutMemory(t *testing.T) {
	s := New(Config{Backend: &mem.Backend{}, Authorize: grantAll, Limits: Limits{Object: 1000, Memory: 2000, QueueWait: 50 * time.Millisecond}})
	srv := httptest.NewServer(s)
	defer srv.Close()
	put := func(i int, body io.Reader) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, fmt.Sprintf("%s%snames/lab/v%d", srv.URL, wire.StorePath, i), body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 1000
		r.Header.Set("If-None-Match", "*")
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer resp.Body.Close()
		if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
			t.Error("when to come again is not said")
		}
		return resp.StatusCode
	}
	first, end1 := io.Pipe()
	second, end2 := io.Pipe()
	var slow sync.WaitGroup
	for i, body := range []io.Reader{first, second} {
		slow.Go(func() {
			if code := put(i, body); code != http.StatusCreated {
				t.Errorf("slow put: %d", code)
			}
		})
	}
	for s.Stats.Running.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	if code := put(2, strings.NewReader(strings.Repeat("x", 1000))); code != http.StatusServiceUnavailable {
		t.Errorf("the third at a time: %d", code)
	}
	for _, w := range []io.Writer{end1, end2} {
		io.WriteString(w, strings.Repeat("x", 1000))
	}
	slow.Wait()
	if code := put(2, strings.NewReader(strings.Repeat("x", 1000))); code != http.StatusCreated {
		t.Errorf("when the others are done: %d", code)
	}
}

// TestSlowClients neither send nor take: they are cut off, and nothing of them stays.
func TestSlowClients(t *testing.T) {
	b := &mem.Backend{}
	big := make([]byte, 64<<20)
	if err := b.Put(t.Context(), packKey, big); err != nil {
		t.Fatal(err)
	}
	s := New(Config{Backend: b, Authorize: grantAll, Limits: Limits{Stall: 200 * time.Millisecond}})
	srv := httptest.NewServer(s)
	defer srv.Close()
	for name, request := range map[string]string{
		"sends half": "PUT " + wire.StorePath + "names/lab/v1 HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\nContent-Length: 100\r\n\r\nhalf",
		"takes half": "GET " + wire.StorePath + packKey + " HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for s.Stats.Running.Load() == 0 && time.Since(begin) < time.Second {
			time.Sleep(time.Millisecond)
		}
		for s.Stats.Running.Load() > 0 && time.Since(begin) < 5*time.Second {
			time.Sleep(10 * time.Millisecond)
		}
		if s.Stats.Running.Load() > 0 {
			t.Errorf("%s: is still being served after %v", name, time.Since(begin))
		}
	}
	if _, err := b.Stat(t.Context(), "names/lab/v1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("half an object: %v", err)
	}
}

// TestIdleConnections opens a thousand: most are closed at once, and another client is
// still served.
func TestIdleConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{Backend: &mem.Backend{}, Authorize: grantAll})
	limited := Bounded(l, 2000, 100)
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go srv.Serve(limited)
	defer srv.Close()
	closed := 0
	for range 1000 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			closed++
			continue
		}
		defer conn.Close()
	}
	open := limited.(*bounded)
	time.Sleep(100 * time.Millisecond)
	open.mu.Lock()
	held := open.all
	open.mu.Unlock()
	if held != 100 {
		t.Errorf("%d connections are held, %d were refused", held, closed)
	}
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := from.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET "+wire.StorePath+"?prefix=packs/ HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("another client: %v, %v", resp, err)
	}
}

// TestAuthorize tells refusals, and hides everything else.
func TestAuthorize(t *testing.T) {
	var answer error
	s := New(Config{Backend: &mem.Backend{}, Authorize: func(*http.Request) (Grant, error) { return Grant{}, answer }})
	for _, c := range []struct {
		err  error
		code int
	}{
		{&Refusal{Status: 401, Kind: "no-token", Detail: "no"}, 401}, {errors.New("password of the database is hunter2"), 503},
		{fmt.Errorf("image: %w", store.ErrNotFound), 403}, {nil, 403},
	} {
		answer = c.err
		w := ask(s, http.MethodGet, wire.StorePath+packKey)
		if w.Code != c.code || strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("%v: %d %s", c.err, w.Code, w.Body)
		}
	}
	if n := s.Stats.Refused.Load(); n != 3 {
		t.Errorf("%d refusals", n)
	}
}

// TestFound looks again when it must, and not more often.
func TestFound(t *testing.T) {
	looks, there := 0, "packs/old"
	f := NewFound(func(context.Context) (Keys, error) {
		looks++
		now := there
		return func(key string) bool { return key == now }, nil
	})
	g, err := f.Grant(t.Context(), "job")
	if err != nil {
		t.Fatal(err)
	}
	there = "packs/new"
	if !g.Read("packs/old") || g.Read("packs/new") || looks != 1 {
		t.Errorf("looked %d times", looks)
	}
	g.Missing("packs/old")
	if !g.Read("packs/new") || g.Read("packs/other") || g.Read("packs/old") || looks != 2 {
		t.Errorf("after one was missing, looked %d times", looks)
	}
}
