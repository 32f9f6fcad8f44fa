package control

import (
	"context"
	"errors"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Tokens are the credentials of programs, by the time they were made.
func (c *Control) Tokens(ctx context.Context, actor fleet.Actor) ([]fleet.Token, error) {
	if err := look(actor, fleet.Admin); err != nil {
		return nil, err
	}
	return c.records.Tokens(ctx)
}

// AddToken makes a token for a program, "ingot_ID_SECRET", which is shown once. A
// ttl of 0 is for ever.
func (c *Control) AddToken(ctx context.Context, actor fleet.Actor, name string, role fleet.Role, ttl time.Duration) (fleet.Token, string, error) {
	d := deed{actor: actor, need: fleet.Admin, action: "token.add", object: "token " + clean(name, maxName)}
	var t fleet.Token
	var secret string
	err := c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		t = fleet.Token{Name: clean(name, maxName), Role: role, MadeBy: actor.Name, Made: c.now()}
		switch {
		case t.Name == "":
			return &InvalidError{"name", "give the token a name that says what it is for"}
		case !role.Valid():
			return &InvalidError{"role", "a role is viewer, operator or admin"}
		case ttl < 0:
			return &InvalidError{"ttl", "a token cannot expire before it is made"}
		case ttl > 0:
			t.Expires = t.Made.Add(ttl)
		}
		var err error
		if t.ID, err = c.newID(""); err != nil {
			return err
		}
		if secret, t.Hash, err = c.newSecret(); err != nil {
			return err
		}
		d.object, d.detail = "token "+t.ID+" ("+t.Name+")", "role "+string(role)
		d.events = []Event{{TopicUser, ""}}
		return r.PutToken(ctx, t)
	})
	if err != nil {
		return fleet.Token{}, "", err
	}
	return t, joinCredential(tokenPrefix, t.ID, secret), nil
}

// RemoveToken revokes a token.
func (c *Control) RemoveToken(ctx context.Context, actor fleet.Actor, id string) error {
	d := deed{actor: actor, need: fleet.Admin, action: "token.remove", object: "token " + clean(id, maxName)}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		t, err := r.Token(ctx, id)
		if err != nil {
			return found(err, "token", id)
		}
		d.object = "token " + id + " (" + t.Name + ")"
		d.events = []Event{{TopicUser, ""}}
		return r.RemoveToken(ctx, id)
	})
}

// AuthenticateToken finds whose a bearer token is, or is ErrUnauthenticated, or a
// *RateLimitedError for who guesses.
func (c *Control) AuthenticateToken(ctx context.Context, bearer, addr string) (fleet.Actor, error) {
	now := c.now()
	actor := fleet.Actor{Kind: "token", Name: "?", Addr: addr}
	id, secret, ok := splitCredential(tokenPrefix, bearer)
	if !ok {
		c.refuse(ctx, "token", actor, "", "what was shown is no token")
		return fleet.Actor{}, ErrUnauthenticated
	}
	t, err := c.records.Token(ctx, id)
	if err != nil && !errors.Is(err, ErrNoRecord) {
		return fleet.Actor{}, err
	}
	if err != nil || !fits(secret, t.Hash) {
		c.refuse(ctx, "token", actor, "", "the token is not known, or was revoked")
		return fleet.Actor{}, ErrUnauthenticated
	}
	if !t.Expires.IsZero() && !now.Before(t.Expires) {
		c.refuse(ctx, "token", actor, "token "+t.ID+" ("+t.Name+")", "the token expired")
		return fleet.Actor{}, ErrUnauthenticated
	}
	if now.Sub(t.Seen) >= seenEvery {
		if err := c.touchToken(ctx, id, now); err != nil {
			return fleet.Actor{}, err
		}
	}
	return fleet.Actor{Kind: "token", Name: t.Name, Role: t.Role, Addr: addr}, nil
}

// touchToken does not bring back a token that was just revoked.
func (c *Control) touchToken(ctx context.Context, id string, now time.Time) error {
	return c.records.InTx(ctx, func(ctx context.Context, r Records) error {
		t, err := r.Token(ctx, id)
		if errors.Is(err, ErrNoRecord) {
			return ErrUnauthenticated
		}
		if err != nil {
			return err
		}
		t.Seen = now
		return r.PutToken(ctx, t)
	})
}
