package control

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Refusals of strangers are audited at most so often for each reason and address, so
// that nobody fills the log from outside.
const (
	auditEvery   = time.Minute
	maxStrangers = 1000 // reasons and addresses that are told apart
)

// refusals counts what was refused since the start.
type refusals struct {
	mu     sync.Mutex
	counts map[string]int64
	seen   map[string]*stranger
}

type stranger struct {
	noted time.Time
	since int // refusals that had no entry of their own
}

func newRefusals() *refusals {
	return &refusals{counts: map[string]int64{}, seen: map[string]*stranger{}}
}

func (r *refusals) count(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[reason]++
}

func (r *refusals) all() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.counts)
}

// due counts a refusal and reports whether it gets an entry, and for how many others
// that entry stands too.
func (r *refusals) due(now time.Time, reason, addr string) (bool, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[reason]++
	key := reason + " " + network(addr)
	s := r.seen[key]
	if s == nil {
		if len(r.seen) >= maxStrangers {
			key = reason
			s = r.seen[key]
		}
		if s == nil {
			s = &stranger{}
			r.seen[key] = s
		}
	}
	if now.Sub(s.noted) < auditEvery {
		s.since++
		return false, 0
	}
	others := s.since
	s.noted, s.since = now, 0
	return true, others
}

// forget drops those that are quiet.
func (r *refusals) forget(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, s := range r.seen {
		if now.Sub(s.noted) > 10*auditEvery {
			delete(r.seen, key)
		}
	}
}

type fromKey struct{}

// From returns a context for what is asked by somebody who speaks from addr: refusals
// of strangers name it, where nothing else says who they are.
func From(ctx context.Context, addr string) context.Context {
	return context.WithValue(ctx, fromKey{}, addr)
}

// refuse counts and audits that a stranger was refused. reason is the key of
// Stats.Refused.
func (c *Control) refuse(ctx context.Context, reason string, actor fleet.Actor, object, why string) {
	if addr, ok := ctx.Value(fromKey{}).(string); ok && actor.Addr == "" {
		actor.Addr = addr
	}
	due, others := c.refusals.due(c.now(), reason, actor.Addr)
	if !due {
		return
	}
	if others > 0 {
		why += fmt.Sprintf(" (and %d more like it)", others)
	}
	c.log.Warn("refused", "what", reason, "addr", clean(actor.Addr, maxName), "object", clean(object, maxText), "why", why)
	c.note(ctx, deed{actor: actor, action: reason + ".refused", object: object}, "refused: "+why)
}
