package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

// Refusal is an error that is told to the client.
type Refusal struct {
	Status int
	Kind   string // one word for programs: doc/protocol.md lists them
	Detail string // a sentence for people
	Err    error  // the reason, for the log alone; may be nil
}

func (e *Refusal) Error() string { return e.Detail }
func (e *Refusal) Unwrap() error { return e.Err }

func refuse(status int, kind, detail string) error {
	return &Refusal{Status: status, Kind: kind, Detail: detail}
}

func notGranted(key string) error {
	return refuse(http.StatusForbidden, "not-granted", fmt.Sprintf("%q is no part of what this job may do", key))
}

// Problem is the body of every answer that is an error, as RFC 9457 has it.
type Problem struct {
	Type   string `json:"type"` // "ingot:store/" and a Refusal's Kind
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// fail answers with err. When the answer has begun already, the connection is cut:
// what the client has is then visibly not all of it.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var begun *begunError
	if errors.As(err, &begun) {
		if r.Context().Err() == nil && !begun.client {
			s.Stats.Failed.Add(1)
			s.log.warn("data plane: answer cut off", "path", r.URL.Path, "error", begun.err)
		}
		panic(http.ErrAbortHandler)
	}
	refusal := s.classify(r.Context(), err)
	s.count(refusal)
	if refusal.Status >= 500 || refusal.Status < 404 {
		s.log.warn("data plane: refused", "status", refusal.Status, "from", r.RemoteAddr, "method", r.Method, "path", r.URL.Path,
			"why", refusal.Detail, "error", refusal.Err)
	}
	if refusal.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	w.Header().Del("Content-Length")
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(refusal.Status)
	if r.Method == http.MethodHead {
		return
	}
	// A client that does not take its answer is its own concern.
	_ = json.NewEncoder(w).Encode(Problem{"ingot:store/" + refusal.Kind, http.StatusText(refusal.Status), refusal.Status, refusal.Detail})
}

// classify makes an answer of any error.
func (s *Server) classify(ctx context.Context, err error) *Refusal {
	var refusal *Refusal
	var damage *store.IntegrityError
	var full *store.FullError
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.Is(err, store.ErrNotFound):
		return &Refusal{http.StatusNotFound, "not-found", "there is no such object", nil}
	case errors.Is(err, store.ErrExists):
		return &Refusal{http.StatusPreconditionFailed, "exists", "there is an object of that name already", nil}
	case errors.As(err, &damage):
		return &Refusal{http.StatusUnprocessableEntity, "bad-bytes", damage.Error(), nil}
	case errors.As(err, &full):
		detail := fmt.Sprintf("the server's store is full: %s free of %s, and %s were to be added", mib(full.Free), mib(full.Size), mib(full.Need))
		return &Refusal{http.StatusInsufficientStorage, "full", detail, err}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &Refusal{http.StatusInsufficientStorage, "full", "the server's store is full", err}
	case ctx.Err() != nil:
		return &Refusal{499, "gone", "the client has gone", nil}
	}
	return &Refusal{http.StatusInternalServerError, "failed", "the server could not do that; its log says why", err}
}

func mib(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

func (s *Server) count(refusal *Refusal) {
	switch {
	case refusal.Status == http.StatusUnauthorized || refusal.Status == http.StatusForbidden:
		s.Stats.Refused.Add(1)
	case refusal.Kind == "bad-key":
		s.Stats.BadKeys.Add(1)
	case refusal.Kind == "bad-bytes":
		s.Stats.BadBytes.Add(1)
	case refusal.Status >= 500 && refusal.Kind != "busy":
		s.Stats.Failed.Add(1)
	}
}

// begunError is what went wrong after the first bytes of an answer were sent.
type begunError struct {
	err    error
	client bool // it did not take more
}

func (e *begunError) Error() string { return e.err.Error() }

// quietLog is a log that nobody outside can fill: ten lines a second, and how many
// were left out.
type quietLog struct {
	to *slog.Logger

	mu      sync.Mutex
	second  int64
	lines   int
	skipped int
}

const linesPerSecond = 10

func (l *quietLog) warn(text string, args ...any) {
	l.mu.Lock()
	if now := time.Now().Unix(); now != l.second {
		l.second, l.lines = now, 0
	}
	l.lines++
	if l.lines > linesPerSecond {
		l.skipped++
		l.mu.Unlock()
		return
	}
	if l.skipped > 0 {
		args = append(args, "leftOut", l.skipped)
		l.skipped = 0
	}
	l.mu.Unlock()
	l.to.Warn(text, args...)
}
