// Package control holds every action that a person, a program or an agent can take
// on a server: who may take it, what it does, the audit entry that it leaves, the
// event that it sends. Pages, API and agent protocol are thin fronts of Control.
//
// It keeps nothing itself: what must survive a restart is in Records, in profiles'
// folders and in the store (Images). It does not listen, and opens no store. Start
// at Control; the rules of jobs and machines are pure functions of package fleet.
//
// Every action answers with one of the errors of this package where a caller can do
// something about it; any other error is the server's own trouble.
package control

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
)

// Config is what Control works with.
type Config struct {
	Records  Records
	Images   Images
	Profiles string // folder of the profiles' folders; it is made
	Version  string // of the server, for agents

	Clock func() time.Time // nil: time.Now
	Rand  io.Reader        // of secrets and IDs; nil: crypto/rand
	Log   *slog.Logger     // nil: none
	// Wake wakes a machine by the address of one of its network interfaces; nil:
	// nothing is woken.
	Wake func(ctx context.Context, mac string) error
	// Cost is what a guess of a password costs; its zero value is DefaultCost. Tests
	// have it lower.
	Cost PasswordCost
}

// Control is a server's actions. Its methods may be called by several goroutines.
type Control struct {
	config Config
}

var errNotYet = errors.New("not there yet")

// New is a Control.
func New(config Config) (*Control, error) {
	return &Control{config: config}, nil
}

// Close ends what runs in the background, and waits for it.
func (c *Control) Close() error { return nil }
