package control

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// ErrUnauthenticated says that a session, token or password is not known, has
// expired or was revoked. Which of them, and why, is in the audit log alone.
var ErrUnauthenticated = errors.New("log in first: this session or token is not valid")

// NotFoundError says that something does not exist.
type NotFoundError struct {
	What string // "machine", "image", "user", ...
	ID   string // as it was asked for
}

func (e *NotFoundError) Error() string { return fmt.Sprintf("there is no %s %q", e.What, e.ID) }

// ForbiddenError says that somebody may not do something.
type ForbiddenError struct {
	Need fleet.Role // the least role that may; "" where no role helps
	Why  string     // instead of Need
}

func (e *ForbiddenError) Error() string {
	if e.Need == "" {
		return e.Why
	}
	return fmt.Sprintf("this needs the role %s", e.Need)
}

// InvalidError says that a value was refused.
type InvalidError struct {
	Field   string `json:"field"` // "name", "machines[3]", "disk"; "" for all of it
	Message string `json:"message"`
}

func (e *InvalidError) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// InvalidErrors are several values that were refused at once.
type InvalidErrors []*InvalidError

func (e InvalidErrors) Error() string {
	var texts []string
	for _, one := range e {
		texts = append(texts, one.Error())
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns each of them.
func (e InvalidErrors) Unwrap() []error {
	var all []error
	for _, one := range e {
		all = append(all, one)
	}
	return all
}

// ConflictError says that something cannot be done as things are now.
type ConflictError struct{ Message string }

func (e *ConflictError) Error() string { return e.Message }

// RateLimitedError says that somebody tried too often.
type RateLimitedError struct{ After time.Duration }

func (e *RateLimitedError) Error() string {
	return fmt.Sprintf("too many attempts; try again in %s", e.After.Round(time.Second))
}
