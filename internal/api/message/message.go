// Package message holds what the JSON API of a server and its clients say to each
// other, as far as it is not said in values of packages fleet and control.
//
// It owns bodies of requests and answers, and their limits, which stand in tags: the
// server checks them and writes them into its OpenAPI document. It does no I/O.
package message

import (
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Base is the path below which the API lies; its number changes when something that
// worked does not any more.
const Base = "/api/v1"

// List is a list, or a page of one.
type List[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total" doc:"how many there are on all pages"`
}

// Page is a page of a list that only grows, newest first.
type Page[T any] struct {
	Items []T   `json:"items"`
	Next  int64 `json:"next,omitempty" doc:"before= of the next page; left out on the last one"`
}

// Machine is a machine with whether its agent is there.
type Machine struct {
	fleet.Machine
	Online bool `json:"online" doc:"its agent has spoken lately"`
}

// Work is a batch with its jobs, in their order.
type Work struct {
	Batch fleet.Batch `json:"batch"`
	Jobs  []fleet.Job `json:"jobs"`
}

// Checked is what is wrong with a profile.
type Checked struct {
	Problems []Field `json:"problems"`
}

// Secret is a new token; its secret is shown this once.
type Secret struct {
	Token  fleet.Token `json:"token"`
	Secret string      `json:"secret" doc:"to be sent as: Authorization: Bearer <secret>"`
}

// Self is who asks, and whom.
type Self struct {
	Actor   fleet.Actor `json:"actor"`
	Version string      `json:"version" doc:"of the server"`
}

// Setup is whether the first administrator is still to be made.
type Setup struct {
	Needed bool `json:"needed"`
}

// Name is a name: a new one, or one that was given.
type Name struct {
	Name string `json:"name" minLength:"1" maxLength:"128"`
}

// Event is a message of the event stream.
type Event = control.Event
