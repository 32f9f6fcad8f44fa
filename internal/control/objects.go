package control

import (
	"context"
	"errors"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Grant is what a job's token allows.
type Grant struct {
	Job   fleet.Job
	Image string // that may be read: its ID; "" for captures, which may read what they need to add to the store
	Write bool   // objects may be added
	Name  string // of the image that a capture makes: "lab-pc" or "lab-pc:v3"
	Rate  *Rate  // of the whole batch; nil: no cap
}

// ErrLeaseEnded says that a job's agent was not heard of for so long that its token
// opens nothing, and does again when the agent is heard before somebody else has the job.
var ErrLeaseEnded = errors.New("the job's agent was not heard of for too long")

// Objects is what a job's token allows to do with the store, as long as its job runs
// and its lease lasts. It is ErrLeaseEnded for a job that was lost and that nobody else
// took, and ErrUnauthenticated for any other token.
func (c *Control) Objects(ctx context.Context, token string) (Grant, error) {
	id, secret, ok := splitCredential(jobPrefix, token)
	if !ok {
		return Grant{}, c.noObjects(ctx, "", "what was shown is no token of a job")
	}
	j, err := c.records.Job(ctx, id)
	if errors.Is(err, ErrNoRecord) {
		return Grant{}, c.noObjects(ctx, "", "there is no such job")
	}
	if err != nil {
		return Grant{}, err
	}
	j = c.live.newest(j)
	switch {
	case !fits(secret, j.TokenHash):
		return Grant{}, c.noObjects(ctx, jobTitle(j), "the token is not valid any more")
	case j.State == fleet.Queued, j.State.Active() && c.leaseOf(j).Before(c.now()):
		// Of what comes back after the network was cut, the job may be faster than its agent.
		_ = c.noObjects(ctx, jobTitle(j), ErrLeaseEnded.Error())
		return Grant{}, ErrLeaseEnded
	case !j.State.Active():
		return Grant{}, c.noObjects(ctx, jobTitle(j), "the job does not run")
	case !fleet.NeedsDisk(j.Kind) || j.Kind == wire.Wipe:
		return Grant{}, c.noObjects(ctx, jobTitle(j), "the job needs no objects")
	}
	m, err := c.records.Machine(ctx, j.Machine)
	if err != nil && !errors.Is(err, ErrNoRecord) {
		return Grant{}, err
	}
	if err != nil || stateOf(m) != wire.Approved {
		return Grant{}, c.noObjects(ctx, jobTitle(j), "the machine is not approved")
	}
	b, err := c.records.Batch(ctx, j.Batch)
	if err != nil {
		return Grant{}, err
	}
	return Grant{Job: j, Image: b.Spec.ImageID, Write: j.Kind == wire.Capture, Name: b.Spec.Image, Rate: c.rates.of(b)}, nil
}

func (c *Control) noObjects(ctx context.Context, object, why string) error {
	c.refuse(ctx, "job-token", fleet.Actor{Kind: "agent", Name: "?"}, object, why)
	return ErrUnauthenticated
}

// leaseOf is when a lease ends. After a start of the server it is one lease from
// then on at least: agents could not report while there was no server.
func (c *Control) leaseOf(j fleet.Job) time.Time {
	if grace := c.started.Add(wire.Lease); j.Lease.Before(grace) {
		return grace
	}
	return j.Lease
}
