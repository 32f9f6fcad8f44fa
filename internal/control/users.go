package control

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Users are all users, by name.
func (c *Control) Users(ctx context.Context, actor fleet.Actor) ([]fleet.User, error) {
	if err := look(actor, fleet.Admin); err != nil {
		return nil, err
	}
	return c.records.Users(ctx)
}

// newUser checks and hashes, which takes longer than a transaction should.
func (c *Control) newUser(ctx context.Context, name string, role fleet.Role, password string) (fleet.User, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if !userName.MatchString(name) {
		return fleet.User{}, &InvalidError{"name", "a user's name has 1 to 40 letters, digits and . _ @ -, and begins with a letter or digit"}
	}
	if !role.Valid() {
		return fleet.User{}, &InvalidError{"role", "a role is viewer, operator or admin"}
	}
	if why := badPassword(name, password); why != "" {
		return fleet.User{}, &InvalidError{"password", why}
	}
	hash, err := c.passwords.hash(ctx, password)
	return fleet.User{Name: name, Role: role, Hash: hash, Made: c.now()}, err
}

// AddUser makes a user.
func (c *Control) AddUser(ctx context.Context, actor fleet.Actor, name string, role fleet.Role, password string) (fleet.User, error) {
	d := deed{actor: actor, need: fleet.Admin, action: "user.add", detail: "role " + string(role)}
	if err := look(actor, fleet.Admin); err != nil {
		return fleet.User{}, c.do(ctx, d, nil)
	}
	user, err := c.newUser(ctx, name, role, password)
	if err != nil {
		return fleet.User{}, err
	}
	d.object, d.events = "user "+user.Name, []Event{{TopicUser, user.Name}}
	return user, c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		_, err := r.User(ctx, user.Name)
		if err == nil {
			return &ConflictError{Message: "there is a user " + user.Name + " already"}
		}
		if !errors.Is(err, ErrNoRecord) {
			return err
		}
		return r.PutUser(ctx, user)
	})
}

// changeUser reads, changes and keeps a user, unless nobody could administer the
// server then.
func (c *Control) changeUser(ctx context.Context, d deed, name string, change func(ctx context.Context, r Records, u *fleet.User) error) error {
	d.object = "user " + clean(name, maxName)
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		u, err := r.User(ctx, name)
		if err != nil {
			return found(err, "user", name)
		}
		before := u
		if err := change(ctx, r, &u); err != nil {
			return err
		}
		if administers(before) && !administers(u) {
			if err := otherAdmin(ctx, r, name); err != nil {
				return err
			}
		}
		d.events = []Event{{TopicUser, name}}
		return r.PutUser(ctx, u)
	})
}

func administers(u fleet.User) bool { return u.Role == fleet.Admin && !u.Disabled }

func otherAdmin(ctx context.Context, r Records, name string) error {
	users, err := r.Users(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(users, func(u fleet.User) bool { return u.Name != name && administers(u) }) {
		return &ConflictError{Message: name + " is the only administrator; make another one first"}
	}
	return nil
}

// SetRole gives a user another role, which ends their sessions.
func (c *Control) SetRole(ctx context.Context, actor fleet.Actor, name string, role fleet.Role) error {
	d := deed{actor: actor, need: fleet.Admin, action: "user.role", detail: "role " + clean(string(role), maxName)}
	return c.changeUser(ctx, d, name, func(ctx context.Context, r Records, u *fleet.User) error {
		if !role.Valid() {
			return &InvalidError{"role", "a role is viewer, operator or admin"}
		}
		u.Role = role
		return r.RemoveSessions(ctx, name, "")
	})
}

// SetDisabled keeps a user from logging in and ends their sessions, or lets them in
// again.
func (c *Control) SetDisabled(ctx context.Context, actor fleet.Actor, name string, disabled bool) error {
	action := "user.enable"
	if disabled {
		action = "user.disable"
	}
	return c.changeUser(ctx, deed{actor: actor, need: fleet.Admin, action: action}, name, func(ctx context.Context, r Records, u *fleet.User) error {
		u.Disabled = disabled
		return r.RemoveSessions(ctx, name, "")
	})
}

// SetPassword gives a user another password: one's own with the old one, or with
// Admin anybody else's without. It ends the user's other sessions.
func (c *Control) SetPassword(ctx context.Context, actor fleet.Actor, name, old, password string) error {
	own := actor.Kind == "user" && actor.Name == name
	d := deed{actor: actor, need: fleet.Admin, action: "user.password"}
	if own {
		d.need = fleet.Viewer
	}
	if err := look(actor, d.need); err != nil {
		d.object = "user " + clean(name, maxName)
		return c.do(ctx, d, nil)
	}
	u, err := c.records.User(ctx, name)
	if err != nil {
		return found(err, "user", name)
	}
	if own {
		if err := c.checkOld(ctx, actor, u, old); err != nil {
			return err
		}
	}
	if why := badPassword(name, password); why != "" {
		return &InvalidError{"password", why}
	}
	hash, err := c.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	return c.changeUser(ctx, d, name, func(ctx context.Context, r Records, now *fleet.User) error {
		if now.Hash != u.Hash {
			return &ConflictError{Message: "somebody else changed this password meanwhile"}
		}
		now.Hash = hash
		return r.RemoveSessions(ctx, name, actor.Session)
	})
}

// checkOld keeps who found an open browser from keeping the account.
func (c *Control) checkOld(ctx context.Context, actor fleet.Actor, u fleet.User, old string) error {
	if wait := c.attempts.begin(c.now(), actor.Addr, u.Name); wait > 0 {
		return &RateLimitedError{After: wait}
	}
	ok, _, err := c.passwords.check(ctx, cutPassword(old), u.Hash)
	if err != nil {
		return err
	}
	if !ok {
		c.refuse(ctx, "login", actor, "user "+u.Name, "a wrong old password")
		return &InvalidError{"old", "this is not the password that you have now"}
	}
	c.attempts.succeed(c.now(), actor.Addr, u.Name)
	return nil
}

// RemoveUser removes a user and their sessions. The tokens that they made stay.
func (c *Control) RemoveUser(ctx context.Context, actor fleet.Actor, name string) error {
	d := deed{actor: actor, need: fleet.Admin, action: "user.remove", object: "user " + clean(name, maxName), events: []Event{{TopicUser, name}}}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		u, err := r.User(ctx, name)
		if err != nil {
			return found(err, "user", name)
		}
		if administers(u) {
			if err := otherAdmin(ctx, r, name); err != nil {
				return err
			}
		}
		d.events = []Event{{TopicUser, name}}
		return r.RemoveUser(ctx, name)
	})
}

// Sessions are those of a user: one's own, or with Admin anybody's; "" is all.
func (c *Control) Sessions(ctx context.Context, actor fleet.Actor, user string) ([]fleet.Session, error) {
	if !ownSessions(actor, user) {
		if err := look(actor, fleet.Admin); err != nil {
			return nil, err
		}
	}
	return c.records.Sessions(ctx, user)
}

func ownSessions(actor fleet.Actor, user string) bool {
	return actor.Kind == "user" && actor.Name == user && user != ""
}

// RevokeSession ends a session by its ID, one's own, or with Admin anybody's.
func (c *Control) RevokeSession(ctx context.Context, actor fleet.Actor, id string) error {
	sessions, err := c.records.Sessions(ctx, "")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(sessions, func(s fleet.Session) bool { return s.ID == id })
	d := deed{actor: actor, need: fleet.Admin, action: "session.revoke", object: "session " + clean(id, maxName)}
	if i >= 0 && ownSessions(actor, sessions[i].User) {
		d.need = fleet.Viewer
	}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		if i >= 0 {
			d.detail = "of user " + sessions[i].User
		}
		d.events = []Event{{TopicUser, ""}}
		return found(r.RemoveSession(ctx, id), "session", id)
	})
}
