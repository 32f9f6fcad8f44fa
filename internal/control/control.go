// Package control holds every action that a person, a program or an agent can take
// on a server: who may take it, what it does, the audit entry that it leaves, the
// event that it sends. Pages, API and agent protocol are thin fronts of Control.
//
// It keeps nothing itself: what must survive a restart is in Records, in profiles'
// folders and in the store (Images). It does not listen, and opens no store. Start
// at Control and deed; the rules of jobs and machines are pure functions of package
// fleet, explained in doc/server.md.
//
// Every action answers with one of the errors of this package where a caller can do
// something about it; any other error is the server's own trouble.
package control

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
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
	// NextWait is how long Next waits for work; 0: wire.NextWait.
	NextWait time.Duration
}

// Control is a server's actions. Its methods may be called by several goroutines.
type Control struct {
	records  Records
	images   Images
	profiles profileFolders
	version  string
	clock    func() time.Time
	rand     io.Reader
	log      *slog.Logger
	wake     func(ctx context.Context, mac string) error
	started  time.Time

	passwords passwords
	setup     setupSecret
	attempts  *attempts
	events    *events
	refusals  *refusals
	live      *live
	waiting   *waiting
	rates     *rates
	tally     *tally
	boots     *boots
	hellos    hellos
	nextWait  time.Duration

	background context.Context
	stop       context.CancelFunc
	running    sync.WaitGroup
	linting    *busy
}

// New is a Control. Config.Records and Images must be set.
func New(config Config) (*Control, error) {
	if config.Records == nil || config.Images == nil {
		return nil, errors.New("control: no records or no images were given")
	}
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Cost == (PasswordCost{}) {
		config.Cost = DefaultCost()
	}
	if config.NextWait == 0 {
		config.NextWait = wire.NextWait
	}
	c := &Control{
		records: config.Records, images: config.Images, version: config.Version,
		clock: config.Clock, rand: config.Rand, log: config.Log, wake: config.Wake,
		passwords: passwords{cost: config.Cost, rand: config.Rand, turns: make(chan struct{}, hashesAtATime)},
		attempts:  newAttempts(), events: newEvents(), refusals: newRefusals(), live: newLive(), waiting: newWaiting(),
		rates: newRates(), tally: newTally(), boots: newBoots(), linting: newBusy(), nextWait: config.NextWait,
	}
	c.started = c.now()
	c.profiles.dir = config.Profiles
	if err := c.profiles.open(); err != nil {
		return nil, fmt.Errorf("open the folder of profiles: %w", err)
	}
	c.background, c.stop = context.WithCancel(context.Background())
	return c, nil
}

// Close ends what runs in the background, waits for it, and keeps what is known of
// running jobs.
func (c *Control) Close() error {
	c.stop()
	c.running.Wait()
	return c.keep(context.Background(), true)
}

// now is the time as records keep it.
func (c *Control) now() time.Time { return c.clock().UTC().Truncate(time.Microsecond) }

// system is who acts when nobody does.
func system() fleet.Actor { return fleet.Actor{Kind: "system", Name: "server", Role: fleet.Admin} }
