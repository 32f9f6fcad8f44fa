package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// refuse is an error of control as an answer. What is not a refusal is the server's
// own trouble, which is logged and not told.
func (a *API) refuse(ctx context.Context, operation string, err error) error {
	p := problemOf(err)
	if p.Status == http.StatusInternalServerError && ctx.Err() == nil {
		a.Log.Error("request failed", "operation", operation, "error", err)
	}
	return huma.ErrorWithHeaders(p, headersOf(err))
}

// problemOf sorts an error of control.
func problemOf(err error) *message.Problem {
	var (
		notFound  *control.NotFoundError
		forbidden *control.ForbiddenError
		one       *control.InvalidError
		several   control.InvalidErrors
		conflict  *control.ConflictError
		limited   *control.RateLimitedError
		mistakes  *control.ProfileError
		tooLarge  *http.MaxBytesError
	)
	p := &message.Problem{Detail: err.Error()}
	set := func(kind string, status int) { p.Type, p.Status = kind, status }
	switch {
	case errors.Is(err, control.ErrUnauthenticated):
		set(message.TypeUnauthenticated, http.StatusUnauthorized)
	case errors.As(err, &forbidden):
		set(message.TypeForbidden, http.StatusForbidden)
	case errors.As(err, &notFound):
		set(message.TypeNotFound, http.StatusNotFound)
	case errors.As(err, &several):
		set(message.TypeInvalid, http.StatusUnprocessableEntity)
		for _, e := range several {
			p.Errors = append(p.Errors, message.Field{Field: e.Field, Message: e.Message})
		}
	case errors.As(err, &one):
		set(message.TypeInvalid, http.StatusUnprocessableEntity)
		p.Errors = []message.Field{{Field: one.Field, Message: one.Message}}
	case errors.As(err, &mistakes):
		set(message.TypeProfile, http.StatusUnprocessableEntity)
		p.Errors = mistakesOf(mistakes.Problems)
	case errors.As(err, &conflict):
		set(message.TypeConflict, http.StatusConflict)
	case errors.As(err, &limited):
		set(message.TypeRateLimited, http.StatusTooManyRequests)
	case errors.As(err, &tooLarge):
		set(message.TypeTooLarge, http.StatusRequestEntityTooLarge)
		p.Detail = fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)
	default:
		set(message.TypeInternal, http.StatusInternalServerError)
		p.Detail = "the server could not do it; its log says why"
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// headersOf are those that go with an error.
func headersOf(err error) http.Header {
	h := http.Header{}
	var limited *control.RateLimitedError
	if errors.As(err, &limited) {
		h.Set("Retry-After", fmt.Sprint(int(math.Ceil(limited.After.Seconds()))))
	}
	if errors.Is(err, control.ErrUnauthenticated) {
		h.Set("WWW-Authenticate", `Bearer realm="ingot"`)
	}
	return h
}

func mistakesOf(problems []profile.Problem) []message.Field {
	fields := []message.Field{}
	for _, m := range problems {
		fields = append(fields, message.Field{Field: m.Path, Message: m.Message, File: m.File, Line: m.Line, Column: m.Column})
	}
	return fields
}

// foreignProblem makes a Problem of huma's errors, which are about requests that do
// not fit the document. Values are left out: one of them may be a password.
func foreignProblem(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &message.Problem{Type: message.TypeRequest, Title: http.StatusText(e.Status), Status: e.Status, Detail: e.Detail}
	switch e.Status {
	case http.StatusUnprocessableEntity:
		p.Type, p.Detail = message.TypeInvalid, "the request holds values that cannot be taken"
	case http.StatusRequestEntityTooLarge:
		p.Type = message.TypeTooLarge
	case http.StatusInternalServerError:
		p.Type, p.Detail = message.TypeInternal, "the request could not be read to its end"
	}
	for _, d := range e.Errors {
		if d != nil {
			p.Errors = append(p.Errors, message.Field{Field: fieldOf(d.Location), Message: d.Message})
		}
	}
	return p, nil
}

// fieldOf is a place in a request without its first word, body, path or query.
func fieldOf(location string) string {
	_, field, _ := strings.Cut(location, ".")
	return field
}

// write answers with a problem.
func write(w http.ResponseWriter, p *message.Problem) {
	p.Title = cmp.Or(p.Title, http.StatusText(p.Status))
	w.Header().Set("Content-Type", message.ProblemContent)
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}
