package db

import (
	"context"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// AgentSession is the one whose secret has a hash.
func (r records) AgentSession(ctx context.Context, hash []byte) (fleet.AgentSession, error) {
	return one(ctx, r.reader(), func(row scanner) (s fleet.AgentSession, err error) {
		err = scanDocument(row, &s, &s.Hash)
		return s, err
	}, `SELECT data, hash FROM agent_sessions WHERE hash = ?`, hash)
}

// PutAgentSession keeps the session of a machine.
func (r records) PutAgentSession(ctx context.Context, s fleet.AgentSession) error {
	kept(&s.Made)
	data, err := encode(s)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO agent_sessions (machine, hash, data) VALUES (?, ?, ?)
			ON CONFLICT (machine) DO UPDATE SET hash = excluded.hash, data = excluded.data`, s.Machine, s.Hash, data)
		return err
	})
}

// EnrolSecret is the one with a hash.
func (r records) EnrolSecret(ctx context.Context, hash []byte) (fleet.EnrolSecret, error) {
	return one(ctx, r.reader(), document[fleet.EnrolSecret], `SELECT data FROM enrol_secrets WHERE hash = ?`, hash)
}

// PutEnrolSecret keeps a secret.
func (r records) PutEnrolSecret(ctx context.Context, s fleet.EnrolSecret) error {
	kept(&s.Made, &s.Expires)
	data, err := encode(s)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO enrol_secrets (hash, expires, data) VALUES (?, ?, ?)
			ON CONFLICT (hash) DO UPDATE SET expires = excluded.expires, data = excluded.data`, s.Hash, micros(s.Expires), data)
		return err
	})
}

// ExpireEnrolSecrets removes old secrets.
func (r records) ExpireEnrolSecrets(ctx context.Context, before time.Time) error {
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `DELETE FROM enrol_secrets WHERE expires < ?`, micros(before))
		return err
	})
}
