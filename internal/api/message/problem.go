package message

import (
	"strconv"
	"strings"
)

// Types of problems. They are names, not addresses: clients compare them.
const (
	TypeNotFound        = "urn:ingot:not-found"
	TypeForbidden       = "urn:ingot:forbidden"
	TypeUnauthenticated = "urn:ingot:unauthenticated"
	TypeInvalid         = "urn:ingot:invalid"
	TypeProfile         = "urn:ingot:profile"
	TypeConflict        = "urn:ingot:conflict"
	TypeRateLimited     = "urn:ingot:rate-limited"
	TypeTooLarge        = "urn:ingot:too-large"
	TypeRequest         = "urn:ingot:request"  // it is no request of this API
	TypeInternal        = "urn:ingot:internal" // the server's own trouble; its log says more
)

// Types are all types of problems.
func Types() []string {
	return []string{
		TypeNotFound, TypeForbidden, TypeUnauthenticated, TypeInvalid, TypeProfile, TypeConflict, TypeRateLimited, TypeTooLarge, TypeRequest, TypeInternal,
	}
}

// ProblemContent is the media type of a Problem.
const ProblemContent = "application/problem+json"

// Problem is an error as the API tells it: a problem detail of RFC 9457, with the
// fields that were refused.
type Problem struct {
	Type   string  `json:"type" doc:"what kind of error it is, for programs"`
	Title  string  `json:"title" doc:"of the status"`
	Status int     `json:"status" minimum:"400" maximum:"599" doc:"HTTP status code"`
	Detail string  `json:"detail,omitempty" doc:"what happened, for people"`
	Errors []Field `json:"errors,omitempty" nullable:"false" doc:"each value that was refused"`
}

// Field is a value that was refused.
type Field struct {
	Field   string `json:"field,omitempty" doc:"name, machines[3], users[0].name; left out when it is about all of it"`
	Message string `json:"message"`
	File    string `json:"file,omitempty" doc:"of a profile"`
	Line    int    `json:"line,omitempty" doc:"from 1"`
	Column  int    `json:"column,omitempty" doc:"in characters, from 1"`
}

// Error is the problem in words.
func (p *Problem) Error() string {
	if len(p.Errors) == 0 {
		return p.Detail
	}
	var lines []string
	for _, f := range p.Errors {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

// GetStatus is the HTTP status that goes with it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is the media type that goes with it.
func (p *Problem) ContentType(string) string { return ProblemContent }

// String is the refusal in a line, with its place in the form that editors jump to.
func (f Field) String() string {
	place := f.Field
	if f.Line > 0 {
		place = f.File + ":" + strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column)
	}
	if place == "" {
		return f.Message
	}
	return place + ": " + f.Message
}
