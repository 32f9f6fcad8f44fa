package control

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// How long a session lasts: without being used, and at all.
const (
	SessionIdle = 12 * time.Hour
	SessionLife = 7 * 24 * time.Hour
)

// seenEvery is how often the use of a session or token is written down.
const seenEvery = time.Minute

// Client is where a request comes from.
type Client struct {
	Addr  string // without a port
	Agent string // User-Agent
}

// Login is a login that succeeded.
type Login struct {
	Session fleet.Session
	Secret  string // for the cookie; it is not kept here
	User    fleet.User
}

var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,39}$`)

// setupSecret lets its holder make the first administrator. It lives in memory: a
// server that is started again shows another link.
type setupSecret struct {
	mu     sync.Mutex
	secret string
}

// SetupNeeded reports whether the first administrator is still to be made.
func (c *Control) SetupNeeded(ctx context.Context) (bool, error) {
	users, err := c.records.Users(ctx)
	return err == nil && len(users) == 0, err
}

// SetupSecret is what Setup wants to hear, for one link that is shown where the
// server was started. It is the same until it is used or the server ends; when there
// is an administrator it is a *ConflictError.
func (c *Control) SetupSecret(ctx context.Context) (string, error) {
	needed, err := c.SetupNeeded(ctx)
	if err != nil {
		return "", err
	}
	if !needed {
		return "", errSetUp()
	}
	c.setup.mu.Lock()
	defer c.setup.mu.Unlock()
	if c.setup.secret == "" {
		c.setup.secret, _, err = c.newSecret()
	}
	return c.setup.secret, err
}

func errSetUp() error {
	return &ConflictError{Message: "this server has its administrator already; log in"}
}

// Setup makes the first administrator, and logs them in. Errors: *RateLimitedError,
// ErrUnauthenticated, *InvalidError, *ConflictError.
func (c *Control) Setup(ctx context.Context, secret, name, password string, from Client) (Login, error) {
	actor := fleet.Actor{Kind: "user", Name: clean(name, maxName), Role: fleet.Admin, Addr: from.Addr}
	if wait := c.attempts.begin(c.now(), from.Addr, "setup"); wait > 0 {
		return Login{}, &RateLimitedError{After: wait}
	}
	want, err := c.SetupSecret(ctx)
	if err != nil {
		return Login{}, err
	}
	if !fits(secret, hashOf(want)) {
		c.refuse(ctx, "setup", actor, "", "the link is not the one that this server showed when it started")
		return Login{}, ErrUnauthenticated
	}
	c.attempts.succeed(c.now(), from.Addr, "setup")
	user, err := c.newUser(ctx, name, fleet.Admin, password)
	if err != nil {
		return Login{}, err
	}
	d := deed{actor: actor, need: fleet.Admin, action: "user.setup", object: "user " + user.Name, events: []Event{{TopicUser, user.Name}}}
	var login Login
	err = c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		users, err := r.Users(ctx)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return errSetUp()
		}
		login, err = c.startSession(ctx, r, user, from)
		return err
	})
	if err == nil {
		c.setup.mu.Lock()
		c.setup.secret = ""
		c.setup.mu.Unlock()
	}
	return login, err
}

// Login starts a session. Errors: *RateLimitedError; ErrUnauthenticated whatever is
// wrong with the name, the password or the user.
func (c *Control) Login(ctx context.Context, name, password string, from Client) (Login, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	actor := fleet.Actor{Kind: "user", Name: clean(name, maxName), Addr: from.Addr}
	if !userName.MatchString(name) {
		name, actor.Name = "?", "?" // perhaps a password in the wrong field: it is not written down
	}
	if wait := c.attempts.begin(c.now(), from.Addr, name); wait > 0 {
		c.refuse(ctx, "login", actor, "user "+name, "too many attempts")
		return Login{}, &RateLimitedError{After: wait}
	}
	user, err := c.records.User(ctx, name)
	if err != nil && !errors.Is(err, ErrNoRecord) {
		return Login{}, err
	}
	ok, stale, err := c.passwords.check(ctx, cutPassword(password), user.Hash)
	if err != nil {
		return Login{}, err
	}
	if !ok || user.Disabled {
		why := "a wrong name or password"
		if ok {
			why = "the user is disabled"
		}
		c.refuse(ctx, "login", actor, "user "+name, why)
		return Login{}, ErrUnauthenticated
	}
	c.attempts.succeed(c.now(), from.Addr, name)
	hash := user.Hash
	if stale {
		if user.Hash, err = c.passwords.hash(ctx, password); err != nil {
			return Login{}, err
		}
	}
	actor.Role = user.Role
	var login Login
	err = c.do(ctx, deed{actor: actor, need: fleet.Viewer, action: "user.login", object: "user " + name}, func(ctx context.Context, r Records, d *deed) error {
		now, err := r.User(ctx, name)
		if err != nil || now.Disabled || now.Hash != hash {
			return errors.Join(ErrUnauthenticated, err) // changed since it was checked
		}
		now.Hash = user.Hash
		login, err = c.startSession(ctx, r, now, from)
		return err
	})
	return login, err
}

// cutPassword bounds what a guess costs.
func cutPassword(p string) string { return p[:min(len(p), 1024)] }

func (c *Control) startSession(ctx context.Context, r Records, user fleet.User, from Client) (Login, error) {
	secret, hash, err := c.newSecret()
	if err != nil {
		return Login{}, err
	}
	id, err := c.newID("s-")
	if err != nil {
		return Login{}, err
	}
	now := c.now()
	user.LastLogin = now
	if err := r.PutUser(ctx, user); err != nil {
		return Login{}, err
	}
	s := fleet.Session{
		ID: id, Hash: hash, User: user.Name, Made: now, Seen: now, Expires: now.Add(SessionLife),
		Addr: clean(from.Addr, maxName), Agent: clean(from.Agent, maxName),
	}
	return Login{Session: s, Secret: secret, User: user}, r.PutSession(ctx, s)
}

// Authenticate finds who has a session by the secret of its cookie, or is
// ErrUnauthenticated. The actor's role is the user's role now.
func (c *Control) Authenticate(ctx context.Context, secret string) (fleet.Actor, fleet.Session, error) {
	now := c.now()
	s, err := c.records.SessionByHash(ctx, hashOf(secret))
	if errors.Is(err, ErrNoRecord) || err == nil && (!now.Before(s.Expires) || now.Sub(s.Seen) >= SessionIdle) {
		return fleet.Actor{}, fleet.Session{}, ErrUnauthenticated
	}
	if err != nil {
		return fleet.Actor{}, fleet.Session{}, err
	}
	user, err := c.records.User(ctx, s.User)
	if errors.Is(err, ErrNoRecord) || err == nil && user.Disabled {
		return fleet.Actor{}, fleet.Session{}, ErrUnauthenticated
	}
	if err != nil {
		return fleet.Actor{}, fleet.Session{}, err
	}
	if now.Sub(s.Seen) >= seenEvery {
		if err := c.touchSession(ctx, s.Hash, now); err != nil {
			return fleet.Actor{}, fleet.Session{}, err
		}
	}
	return fleet.Actor{Kind: "user", Name: user.Name, Role: user.Role, Addr: s.Addr, Session: s.ID}, s, nil
}

// touchSession does not bring back a session that was just revoked.
func (c *Control) touchSession(ctx context.Context, hash []byte, now time.Time) error {
	return c.records.InTx(ctx, func(ctx context.Context, r Records) error {
		s, err := r.SessionByHash(ctx, hash)
		if errors.Is(err, ErrNoRecord) {
			return ErrUnauthenticated
		}
		if err != nil {
			return err
		}
		s.Seen = now
		return r.PutSession(ctx, s)
	})
}

// Logout ends the actor's session.
func (c *Control) Logout(ctx context.Context, actor fleet.Actor) error {
	d := deed{actor: actor, need: fleet.Viewer, action: "user.logout", object: "user " + actor.Name}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		if err := r.RemoveSession(ctx, actor.Session); !errors.Is(err, ErrNoRecord) {
			return err
		}
		return nil
	})
}
