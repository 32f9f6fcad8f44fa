package agent

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/trust"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// fakeServer speaks the protocol over TLS and loses its mind in many ways.
type fakeServer struct {
	*httptest.Server
	fingerprint string

	mu       sync.Mutex
	faults   int // a request in so many goes wrong; 0: none
	away     bool
	approved bool
	sessions int
	jobs     []wire.Job
	finished map[string]wire.Result
	tries    int // of Finish
	reports  []wire.Report
	hellos   []wire.Hello
	stop     bool
	seen     string // Authorization of the profile's request
}

func newFakeServer(t *testing.T) *fakeServer {
	t.Helper()
	a, err := trust.OpenAuthority(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := a.Issue(nil, []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := &fakeServer{fingerprint: a.Fingerprint().String(), finished: map[string]wire.Result{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+wire.HelloPath, s.hello)
	mux.HandleFunc("POST "+wire.NextPath, s.next)
	mux.HandleFunc("POST "+wire.ReportPath, s.report)
	mux.HandleFunc("POST "+wire.FinishPath, s.finish)
	mux.HandleFunc("GET "+wire.ProfilePath, s.profile)
	s.Server = httptest.NewUnstartedServer(mux)
	s.TLS, err = trustServer(certificate)
	if err != nil {
		t.Fatal(err)
	}
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// begin takes the lock and says whether the request goes on; it is answered if not.
func (s *fakeServer) begin(w http.ResponseWriter, r *http.Request, body any) bool {
	s.mu.Lock()
	if s.away {
		panic(http.ErrAbortHandler)
	}
	if body != nil && json.NewDecoder(r.Body).Decode(body) != nil {
		http.Error(w, "", http.StatusBadRequest)
		return false
	}
	if r.URL.Path != wire.HelloPath && r.Header.Get("Authorization") != fmt.Sprintf("Bearer s%d", s.sessions) {
		http.Error(w, "", http.StatusUnauthorized)
		return false
	}
	if s.faults > 0 && rand.IntN(s.faults) == 0 {
		switch rand.IntN(4) {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			s.sessions++
			http.Error(w, "", http.StatusUnauthorized)
		case 2:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"title": "not now", "detail": "the server is being started"}`)
		case 3:
			fmt.Fprint(w, "<html>a proxy's page</html>")
		}
		return false
	}
	return true
}

// done answers, or loses the answer.
func (s *fakeServer) done(w http.ResponseWriter, v any) {
	if s.faults > 0 && rand.IntN(s.faults) == 0 {
		panic(http.ErrAbortHandler)
	}
	_ = json.NewEncoder(w).Encode(v)
}

func (s *fakeServer) hello(w http.ResponseWriter, r *http.Request) {
	var h wire.Hello
	defer s.mu.Unlock()
	if !s.begin(w, r, &h) {
		return
	}
	s.hellos = append(s.hellos, h)
	s.sessions++
	s.done(w, wire.Welcome{Machine: "m", Name: "lab-1", State: wire.Pending, Session: fmt.Sprintf("s%d", s.sessions), Now: time.Now()})
}

func (s *fakeServer) next(w http.ResponseWriter, r *http.Request) {
	defer s.mu.Unlock()
	if !s.begin(w, r, nil) {
		return
	}
	o := wire.Order{State: wire.Pending, Name: "lab-1"}
	if s.approved {
		o.State = wire.Approved
		if len(s.jobs) > 0 {
			o.Job = &s.jobs[0]
		}
	}
	s.done(w, o)
}

func (s *fakeServer) report(w http.ResponseWriter, r *http.Request) {
	var p wire.Report
	defer s.mu.Unlock()
	if s.begin(w, r, &p) {
		s.reports = append(s.reports, p)
		s.done(w, wire.Reply{Stop: s.stop})
	}
}

func (s *fakeServer) finish(w http.ResponseWriter, r *http.Request) {
	var p wire.Result
	defer s.mu.Unlock()
	s.tries++
	if !s.begin(w, r, &p) {
		return
	}
	s.finished[r.PathValue("job")] = p
	if len(s.jobs) > 0 && s.jobs[0].ID == r.PathValue("job") {
		s.jobs = s.jobs[1:]
	}
	s.done(w, wire.Reply{})
}

func (s *fakeServer) profile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.seen = r.Header.Get("Authorization")
	s.mu.Unlock()
	a := tar.NewWriter(w)
	_ = a.WriteHeader(&tar.Header{Name: "profile.yaml", Typeflag: tar.TypeReg, Size: 2, Mode: 0o644})
	_, _ = a.Write([]byte("{}"))
	a.Close()
}
