package serve

import (
	"context"
	"sync/atomic"
)

// Keys says of keys whether they are in a set; nil is the empty set.
type Keys func(key string) bool

func (k Keys) has(key string) bool { return k != nil && k(key) }

// Or is the union of two sets.
func (k Keys) Or(other Keys) Keys {
	return func(key string) bool { return k.has(key) || other.has(key) }
}

// Grant is what one request may do.
type Grant struct {
	Who    string // for the log: a job, a user. Never a token
	Read   Keys
	List   Keys // which keys a listing shows, besides those of Read
	Put    Keys
	Delete Keys
	// Rate bounds how fast bytes are sent; a batch shares one. nil: as fast as can be.
	Rate Rate
	// Count is called with the bytes of objects that were sent, while they are; nil is allowed.
	Count func(bytes int64)
	// Missing is called with a key that may be read and is not there; nil is allowed.
	Missing func(key string)
}

func (g Grant) shows(key string) bool { return g.Read.has(key) || g.List.has(key) }

func (g Grant) wait(ctx context.Context, n int64) error {
	if g.Rate == nil {
		return ctx.Err()
	}
	return g.Rate.Wait(ctx, n)
}

// Rate bounds bytes per second.
type Rate interface {
	// Wait returns when n more bytes may be sent.
	Wait(ctx context.Context, n int64) error
}

// Stats counts what a Server did since it was made.
type Stats struct {
	Requests atomic.Int64
	Running  atomic.Int64 // requests that are being answered now
	Sent     atomic.Int64 // bytes of objects
	Received atomic.Int64 // bytes of objects that were stored
	Refused  atomic.Int64 // no token, an old one, not one for this key
	BadKeys  atomic.Int64 // paths that are no key: tricks
	BadBytes atomic.Int64 // puts whose bytes were not what their name says
	Failed   atomic.Int64 // our own fault, or the disk's
}
