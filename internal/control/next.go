package control

import (
	"context"
	"errors"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// agentBy finds whose session it is: the machine as it is now, and its boot.
func agentBy(ctx context.Context, r Records, session string) (fleet.Machine, fleet.AgentSession, error) {
	s, err := r.AgentSession(ctx, hashOf(session))
	if err != nil {
		return fleet.Machine{}, s, err
	}
	m, err := r.Machine(ctx, s.Machine)
	return m, s, err
}

// agent is agentBy, with refusals counted.
func (c *Control) agent(ctx context.Context, session, addr string) (fleet.Machine, fleet.AgentSession, error) {
	m, s, err := agentBy(ctx, c.records, session)
	if errors.Is(err, ErrNoRecord) {
		c.refuse(ctx, "session", fleet.Actor{Kind: "agent", Name: "?", Addr: addr}, "", "the session is not valid any more")
		err = ErrUnauthenticated
	}
	return m, s, err
}

func agentOf(m fleet.Machine, addr string) fleet.Actor {
	return fleet.Actor{Kind: "agent", Name: m.Name, Addr: addr}
}

// Next is what an agent shall do. It waits up to Config.NextWait for work, or for a
// change of the machine's state or name.
func (c *Control) Next(ctx context.Context, session, addr string) (wire.Order, error) {
	first, until := wire.Order{}, time.NewTimer(c.nextWait)
	defer until.Stop()
	for round := 0; ; round++ {
		m, _, err := c.agent(ctx, session, addr)
		if err != nil {
			return wire.Order{}, err
		}
		wake, leave := c.waiting.listen(m.ID)
		order, again, err := c.order(ctx, session, m, addr)
		if round == 0 {
			first = order
		}
		if err != nil || order.Job != nil || order.Then != "" || order.State != first.State || order.Name != first.Name {
			leave()
			return order, err
		}
		soon := time.NewTimer(again)
		ended := false
		select {
		case <-wake:
		case <-soon.C:
		case <-until.C:
			ended = true
		case <-ctx.Done():
			ended = true
		case <-c.background.Done():
			ended = true
		}
		soon.Stop()
		leave()
		if ended {
			return order, nil
		}
	}
}

// order is what the agent of a machine shall do now, and when to look again though
// nobody wakes it.
func (c *Control) order(ctx context.Context, session string, m fleet.Machine, addr string) (order wire.Order, again time.Duration, err error) {
	h := handOver{c: c, session: session, now: c.now()}
	c.live.touch(Seen{Machine: m.ID, At: h.now, Addr: clean(addr, maxName)})
	jobs, err := c.records.OpenJobs(ctx, m.ID)
	if err != nil || len(jobs) == 0 || stateOf(m) != wire.Approved {
		return wire.Order{State: stateOf(m), Name: m.Name, Again: 1}, c.nextWait, err
	}
	if h.secret, h.hash, err = c.newSecret(); err != nil {
		return order, c.nextWait, err
	}
	err = c.act(ctx, deed{actor: agentOf(m, addr)}, func(ctx context.Context, r Records, d *deed) error {
		now := h // this function may run again
		now.order, now.again = wire.Order{Again: 1}, c.nextWait
		err := now.run(ctx, r, d)
		order, again = now.order, now.again
		return err
	})
	if errors.Is(err, ErrNoRecord) {
		err = ErrUnauthenticated // the session went while we looked
	}
	return order, again, err
}
