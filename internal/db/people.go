package db

import (
	"context"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

func scanUser(row scanner) (u fleet.User, err error) {
	err = scanDocument(row, &u, &u.Hash)
	return u, err
}

// User is the one with a name.
func (r records) User(ctx context.Context, name string) (fleet.User, error) {
	return one(ctx, r.reader(), scanUser, `SELECT data, hash FROM users WHERE name = ?`, name)
}

// Users are all users.
func (r records) Users(ctx context.Context) ([]fleet.User, error) {
	return list(ctx, r.reader(), scanUser, `SELECT data, hash FROM users ORDER BY name`)
}

// PutUser keeps a user.
func (r records) PutUser(ctx context.Context, u fleet.User) error {
	kept(&u.Made, &u.LastLogin)
	data, err := encode(u)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO users (name, hash, data) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, data = excluded.data`,
			u.Name, u.Hash, data)
		return err
	})
}

// RemoveUser removes a user.
func (r records) RemoveUser(ctx context.Context, name string) error {
	return r.write(ctx, func(q query) error {
		if err := q.must(ctx, `DELETE FROM users WHERE name = ?`, name); err != nil {
			return err
		}
		_, err := q.exec(ctx, `DELETE FROM sessions WHERE owner = ?`, name)
		return err
	})
}

func scanSession(row scanner) (s fleet.Session, err error) {
	err = scanDocument(row, &s, &s.Hash)
	return s, err
}

// SessionByHash is the one whose secret has a hash.
func (r records) SessionByHash(ctx context.Context, hash []byte) (fleet.Session, error) {
	return one(ctx, r.reader(), scanSession, `SELECT data, hash FROM sessions WHERE hash = ?`, hash)
}

// Sessions are those of a user, or all.
func (r records) Sessions(ctx context.Context, user string) ([]fleet.Session, error) {
	w := &where{}
	if user != "" {
		w.add(`owner = ?`, user)
	}
	return list(ctx, r.reader(), scanSession, `SELECT data, hash FROM sessions`+w.String()+` ORDER BY made DESC, id DESC`, w.args...)
}

// PutSession keeps a session.
func (r records) PutSession(ctx context.Context, s fleet.Session) error {
	kept(&s.Made, &s.Seen, &s.Expires)
	data, err := encode(s)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO sessions (id, hash, owner, made, seen, expires, data) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, owner = excluded.owner, made = excluded.made, seen = excluded.seen,
			expires = excluded.expires, data = excluded.data`,
			s.ID, s.Hash, s.User, micros(s.Made), micros(s.Seen), micros(s.Expires), data)
		return err
	})
}

// RemoveSession ends a session.
func (r records) RemoveSession(ctx context.Context, id string) error {
	return r.write(ctx, func(q query) error { return q.must(ctx, `DELETE FROM sessions WHERE id = ?`, id) })
}

// RemoveSessions ends the other sessions of a user.
func (r records) RemoveSessions(ctx context.Context, user, except string) error {
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `DELETE FROM sessions WHERE owner = ? AND id <> ?`, user, except)
		return err
	})
}

// ExpireSessions ends old sessions.
func (r records) ExpireSessions(ctx context.Context, now, idle time.Time) error {
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `DELETE FROM sessions WHERE expires < ? OR seen < ?`, micros(now), micros(idle))
		return err
	})
}

func scanToken(row scanner) (t fleet.Token, err error) {
	err = scanDocument(row, &t, &t.Hash)
	return t, err
}

// Token is the one with an ID.
func (r records) Token(ctx context.Context, id string) (fleet.Token, error) {
	return one(ctx, r.reader(), scanToken, `SELECT data, hash FROM tokens WHERE id = ?`, id)
}

// Tokens are all tokens.
func (r records) Tokens(ctx context.Context) ([]fleet.Token, error) {
	return list(ctx, r.reader(), scanToken, `SELECT data, hash FROM tokens ORDER BY made, id`)
}

// PutToken keeps a token.
func (r records) PutToken(ctx context.Context, t fleet.Token) error {
	kept(&t.Made, &t.Expires, &t.Seen)
	data, err := encode(t)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO tokens (id, hash, made, data) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, made = excluded.made, data = excluded.data`, t.ID, t.Hash, micros(t.Made), data)
		return err
	})
}

// RemoveToken removes a token.
func (r records) RemoveToken(ctx context.Context, id string) error {
	return r.write(ctx, func(q query) error { return q.must(ctx, `DELETE FROM tokens WHERE id = ?`, id) })
}
