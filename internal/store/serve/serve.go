// Package serve gives the objects of a store.Backend to others by HTTP.
//
// It owns the server's side of the data plane, for which doc/protocol.md is the
// normative text: which requests there are, what each may cost in memory and time,
// and that nothing lands in the store whose bytes are not what its name says. Who
// may do what is decided by whoever gives it an Authorize; it knows neither users
// nor jobs nor what an object holds. Start at New.
package serve

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Config is what a Server needs.
type Config struct {
	Backend store.Backend
	// Hash is that of the store's IDs. Objects that are put are checked by it before
	// they are stored; 0, for tests, checks nothing.
	Hash chunk.Hash
	// Authorize says what a request may do. A *Refusal is told to the client, with its
	// status; store.ErrNotFound is 403; any other error is 503 and only logged.
	Authorize func(*http.Request) (Grant, error)
	Limits    Limits       // zero fields get defaults
	Log       *slog.Logger // nil: nothing is logged
}

// Limits bound what clients can cost.
type Limits struct {
	Object    int64         // bytes of an object that is put; default 64 MiB
	Memory    int64         // bytes of all objects that are being put at a time; default 128 MiB
	Stall     time.Duration // how long a client may neither take nor send a byte; default 60 s
	QueueWait time.Duration // how long a put waits for memory before it is told to come again; default 10 s
}

func (l Limits) withDefaults() Limits {
	if l.Object == 0 {
		l.Object = 64 << 20
	}
	if l.Memory == 0 {
		l.Memory = 128 << 20
	}
	if l.Stall == 0 {
		l.Stall = time.Minute
	}
	if l.QueueWait == 0 {
		l.QueueWait = 10 * time.Second
	}
	l.Memory = max(l.Memory, l.Object)
	return l
}

// Server is an http.Handler for wire.StorePath and everything below it.
type Server struct {
	// Stats counts since New.
	Stats Stats

	backend   store.Backend
	hash      chunk.Hash
	authorize func(*http.Request) (Grant, error)
	limits    Limits
	memory    *semaphore.Weighted
	buffers   sync.Pool
	log       quietLog
}

// New returns a Server.
func New(c Config) *Server {
	s := &Server{backend: c.Backend, hash: c.Hash, authorize: c.Authorize, limits: c.Limits.withDefaults()}
	s.memory = semaphore.NewWeighted(s.limits.Memory)
	s.buffers.New = func() any { return new([sendStep]byte) }
	s.log.to = c.Log
	if c.Log == nil {
		s.log.to = slog.New(slog.DiscardHandler)
	}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Stats.Requests.Add(1)
	s.Stats.Running.Add(1)
	defer s.Stats.Running.Add(-1)
	if err := s.serve(w, r); err != nil {
		s.fail(w, r, err)
	}
}

// serve does what the request says; an error is answered by fail.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) error {
	grant, err := s.authorize(r)
	if err != nil {
		return unauthorized(err)
	}
	key, ok := strings.CutPrefix(r.URL.Path, wire.StorePath)
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	listing := key == "" && reads
	if !ok || r.URL.RawPath != "" || !listing && (r.URL.RawQuery != "" || !store.ValidKey(key)) {
		return refuse(http.StatusBadRequest, "bad-key", "this is no key of an object")
	}
	switch {
	case listing:
		return s.list(w, r, grant)
	case reads:
		return s.get(w, r, grant, key)
	case r.Method == http.MethodPut:
		return s.put(w, r, grant, key)
	case r.Method == http.MethodDelete:
		return s.delete(w, r, grant, key)
	}
	w.Header().Set("Allow", "GET, HEAD, PUT, DELETE")
	return refuse(http.StatusMethodNotAllowed, "bad-method", "the data plane knows GET, HEAD, PUT and DELETE")
}

// unauthorized makes a Refusal of what Authorize returned.
func unauthorized(err error) error {
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.Is(err, store.ErrNotFound):
		return refuse(http.StatusForbidden, "not-granted", "what this job is about is not in the store any more")
	}
	return &Refusal{http.StatusServiceUnavailable, "unavailable", "whether this is allowed cannot be found out now: try again", err}
}

// delete answers DELETE: 204, also when there was no such object.
func (s *Server) delete(w http.ResponseWriter, r *http.Request, grant Grant, key string) error {
	if !grant.Delete.has(key) {
		return notGranted(key)
	}
	if err := s.backend.Delete(r.Context(), key); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
