package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/ingot-imaging/ingot/internal/control"
)

// problem is an error as agents get it (RFC 9457).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// problemOf sorts an error of control. What it does not know is the server's own
// trouble, which is logged and not told.
func problemOf(err error) problem {
	var limited *control.RateLimitedError
	var tooLarge *http.MaxBytesError
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, control.ErrUnauthenticated):
		status = http.StatusUnauthorized
	case errors.As(err, new(*control.ForbiddenError)):
		status = http.StatusForbidden
	case errors.As(err, new(*control.NotFoundError)):
		status = http.StatusNotFound
	case errors.As(err, new(*control.ConflictError)):
		status = http.StatusConflict
	case errors.As(err, new(*control.InvalidError)):
		status = http.StatusUnprocessableEntity
	case errors.As(err, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.As(err, new(*badRequestError)):
		status = http.StatusBadRequest
	case errors.As(err, &limited):
		status = http.StatusTooManyRequests
	}
	p := problem{Title: http.StatusText(status), Status: status}
	if status != http.StatusInternalServerError {
		p.Detail = err.Error()
	}
	return p
}

// badRequestError says that a request could not be read.
type badRequestError struct{ err error }

func (e *badRequestError) Error() string {
	return "this is no request that the server understands: " + e.err.Error()
}
func (e *badRequestError) Unwrap() error { return e.err }

// refuse answers with an error.
func (a *agents) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status == http.StatusInternalServerError && r.Context().Err() == nil {
		a.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	a.refused.count(r, p.Status, err)
	var limited *control.RateLimitedError
	if errors.As(err, &limited) {
		w.Header().Set("Retry-After", fmt.Sprint(int(math.Ceil(limited.After.Seconds()))))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}
