package room_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// TestRequestsThatAreNone: what cannot be read is refused with its status, counted and
// logged, and costs nothing.
func TestRequestsThatAreNone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	x := s.stranger()
	deep := strings.Repeat(`{"inventory":`, 20_000)
	for _, body := range []string{"", "x", `{"protocol":"one"}`, `{"inventory":[]}`, `[`, deep, "\xff\xfe", `{"protocol":1e999}`} {
		if got := x.say(http.MethodPost, wire.HelloPath, "", body); got != http.StatusBadRequest {
			t.Errorf("hello %.30q: %d", body, got)
		}
	}
	x.expect("hello of no version", http.StatusUnprocessableEntity, http.MethodPost, wire.HelloPath, "", "{}")
	x.expect("a hello of 5 MiB", http.StatusRequestEntityTooLarge, http.MethodPost, wire.HelloPath, "", `{"agent":"`+strings.Repeat("x", 5<<20)+`"}`)
	x.expect("GET of hello", http.StatusMethodNotAllowed, http.MethodGet, wire.HelloPath, "", nil)
	x.expect("an unknown path", http.StatusNotFound, http.MethodPost, "/agent/v1/other", "", "{}")
	for status, want := range map[string]float64{"400": 8, "413": 1, "422": 1} {
		if got := s.metric(fmt.Sprintf("ingot_agent_requests_refused_total{status=%q}", status)); got != want {
			t.Errorf("%v requests with status %s are counted, not %v", got, status, want)
		}
	}
	if n := strings.Count(s.Log(), "request of an agent refused"); n == 0 || n > 6 {
		t.Errorf("%d lines of log about it", n)
	}
	now, _, err := s.Memory()
	s.must(err)
	if now > 300<<20 {
		t.Errorf("the server has %d MiB", now>>20)
	}
}

// TestPathTricks: paths below /store/v1 that are no key are refused as such, as they
// came, and counted. Nothing is mended, nothing is redirected.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.image("lab:v1", 1)
	pc := s.pc(1)
	ids := s.approved(pc)
	reached, release := pc.Disk.Hold(0)
	batch := s.deploy("lab:v1", ids...)
	s.reached(reached)
	token := pc.Doing().Job.Token
	tricks := []string{
		"../ingot.db", "../../etc/passwd", "packs/../../ingot.db", "packs/%2e%2e/%2e%2e/ingot.db", "%2e%2e/ingot.db", "..%2fingot.db", "./config", "packs//x", "/etc/passwd",
		"config%00", "config/", "tmp/put-1", "packs/..", "names/..%5c..%5cx", "config?x=1", "packs/%E2%80%A6",
	}
	for _, trick := range tricks {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			if got := s.raw(method + " " + wire.StorePath + trick + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); got != http.StatusBadRequest {
				t.Errorf("%s %s: %d", method, trick, got)
			}
		}
	}
	if n := s.metric(`ingot_objects_refused_total{reason="bad-key"}`); n < float64(3*len(tricks)-3) {
		t.Errorf("%v of %d tricks are counted", n, 3*len(tricks))
	}
	if !strings.Contains(s.Log(), "data plane: refused") {
		t.Error("tricks are not in the log")
	}
	release()
	s.state(batch.ID, fleet.Done)
}

// raw sends bytes and returns the status of the answer, 0 when there is none.
func (s *site) raw(request string) int {
	s.t.Helper()
	conn, err := s.Raw(s.t.Context())
	s.must(err)
	defer conn.Close()
	s.must(conn.SetDeadline(time.Now().Add(soon)))
	_, err = io.WriteString(conn, request)
	if err != nil {
		return 0
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestHeaderBombs: headers beyond all measure are refused, and do not stay in memory.
func TestHeaderBombs(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for what, request := range map[string]string{
		"one large header": "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 200<<10) + "\r\n\r\n",
		"many headers":     "GET /healthz HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 50_000) + "\r\n",
		"a long path":      "GET /" + strings.Repeat("x", 200<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		// The server may close before all is sent, so that its answer is lost.
		if got := s.raw(request); got != http.StatusRequestHeaderFieldsTooLarge && got != 0 {
			t.Errorf("%s: %d", what, got)
		}
	}
	for what, request := range map[string]string{
		"two lengths":         "POST /agent/v1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"length and chunks":   "POST /agent/v1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"no HTTP":             "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
		"a space in a header": "GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
	} {
		if got := s.raw(request); got != http.StatusBadRequest && got != http.StatusUnprocessableEntity && got != 0 {
			t.Errorf("%s: %d", what, got)
		}
	}
	if got := s.raw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); got != http.StatusOK {
		t.Errorf("afterwards the server says %d", got)
	}
}

// TestSlowClients: those who send a byte now and then are cut off, and meanwhile others
// are served. How long a body may be silent is a test of package server.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	s := serve(t)
	const slow = 300
	ended := make(chan time.Duration, slow)
	for range slow {
		conn, err := s.Raw(t.Context())
		s.must(err)
		t.Cleanup(func() { conn.Close() })
		go func() {
			began := time.Now()
			_, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n")
			for err == nil && time.Since(began) < soon {
				time.Sleep(time.Second)
				_, err = io.WriteString(conn, "X: y\r\n")
			}
			ended <- time.Since(began)
		}()
	}
	began := time.Now()
	if _, err := s.Page.Get(t.Context(), "/machines"); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("beside %d slow clients a page took %v: %v", slow, time.Since(began), err)
	}
	for range slow {
		if took := <-ended; took > 30*time.Second {
			t.Fatalf("a header was waited for for %v", took)
		}
	}
}
