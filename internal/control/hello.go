package control

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// How long the secret of a boot lets somebody in: until it is used first, and for
// the agent that used it, since it says Hello again when the server was restarted.
const (
	EnrolFor  = 15 * time.Minute
	enrolUsed = 30 * 24 * time.Hour
)

// defaultPending is how many machines may wait to be looked at.
const defaultPending = 500

var bootID = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)

// Hello lets an agent in. addr is where it speaks from. A machine that is not known
// waits until somebody approves it, unless a rule does. Errors: *InvalidError for
// another protocol, ErrUnauthenticated for a secret that is not valid,
// *ConflictError for a second machine with the same identity, *RateLimitedError.
func (c *Control) Hello(ctx context.Context, hello wire.Hello, addr string) (wire.Welcome, error) {
	actor := fleet.Actor{Kind: "agent", Name: "?", Addr: addr}
	if hello.Protocol != wire.Version {
		return wire.Welcome{}, &InvalidError{"protocol", fmt.Sprintf("the agent speaks version %d of the protocol, this server (%s) version %d: start the machine from this server, or build its stick anew", hello.Protocol, c.version, wire.Version)}
	}
	if !bootID.MatchString(hello.Boot) {
		return wire.Welcome{}, &InvalidError{"boot", "want from 8 to 64 letters, digits and hyphens"}
	}
	hello.Boot = keptBoot(hello.Boot)
	if !c.hellos.let(c.now(), network(addr)) {
		c.refusals.count("hello")
		return wire.Welcome{}, &RateLimitedError{After: time.Minute}
	}
	secret, hash, err := c.newSecret()
	if err != nil {
		return wire.Welcome{}, err
	}
	e := enrolment{c: c, hello: hello, addr: clean(addr, maxName), now: c.now(), inventory: fleet.Clean(hello.Inventory)}
	e.identity = fleet.IdentityOf(e.inventory)
	var m fleet.Machine
	err = c.act(ctx, deed{actor: actor}, func(ctx context.Context, r Records, d *deed) error {
		var err error
		if m, err = e.run(ctx, r, d); err != nil {
			return err
		}
		return r.PutAgentSession(ctx, fleet.AgentSession{Hash: hash, Machine: m.ID, Boot: hello.Boot, Made: e.now, Addr: e.addr})
	})
	if err != nil {
		c.helloRefused(ctx, actor, e, err)
		return wire.Welcome{}, err
	}
	c.boots.said(m.ID, e.allMACs(), hello.Boot)
	return wire.Welcome{Machine: m.ID, Name: m.Name, State: stateOf(m), Session: secret, Now: e.now, Server: c.version}, nil
}

// keptBoot is what is kept of a boot's name. Whoever knows the name itself may say
// hello as that agent; machines and jobs show what is kept to everybody who may look.
func keptBoot(boot string) string { return hex.EncodeToString(hashOf(boot)[:16]) }

// stateOf is what an agent is told of its machine.
func stateOf(m fleet.Machine) wire.State {
	if m.State == wire.Approved && m.Stick {
		return wire.Pending
	}
	return m.State
}

func (c *Control) helloRefused(ctx context.Context, actor fleet.Actor, e enrolment, err error) {
	if isAnswer(err) {
		reason := "hello"
		if errors.Is(err, ErrUnauthenticated) {
			reason = "enrol-secret"
		}
		c.refuse(ctx, reason, actor, e.inventory.Facts.String(), err.Error())
	}
}

// An enrolment is one Hello.
type enrolment struct {
	c         *Control
	hello     wire.Hello
	addr      string
	now       time.Time
	inventory wire.Inventory
	identity  fleet.Identity
}

func (e enrolment) run(ctx context.Context, r Records, d *deed) (fleet.Machine, error) {
	settings, err := readSettings(ctx, r)
	if err != nil {
		return fleet.Machine{}, err
	}
	stick, err := e.checkSecret(ctx, r, settings)
	if err != nil {
		return fleet.Machine{}, err
	}
	m, known, err := e.who(ctx, r)
	if err != nil {
		return m, err
	}
	before := m
	if m.Boot != "" && m.Boot != e.hello.Boot && e.c.boots.isOld(m.ID, e.hello.Boot) {
		return m, &ConflictError{Message: "another machine with the same serial numbers has said hello since; two machines cannot be one: look at " + m.Name}
	}
	again := known && m.Boot == e.hello.Boot
	pending := stick && settings.Sticks != SticksApproved
	if known && pending && !again && e.c.live.overlay(m).Online(e.now) {
		return m, &ConflictError{Message: m.Name + " is here already, with another start; this one is let in when that was silent for " + fleet.OnlineFor.String()}
	}
	m.Inventory, m.Addr, m.LastSeen, m.Expected = e.inventory, e.addr, e.now, false
	if !known || !pending || again && !m.Stick { // else anybody could change what a machine is known by
		m.Identity = m.Identity.With(e.identity)
	}
	if m.FirstSeen.IsZero() {
		m.FirstSeen = e.now
	}
	if !again {
		m.Stick = pending
	}
	rules, err := r.Rules(ctx)
	if err != nil {
		return m, err
	}
	if approvedBy(&m, rules) {
		d.more = append(d.more, done{"machine.approve", titleOf(m), m.Why})
	}
	if err := e.leaveOldBoot(ctx, r, d, before); err != nil {
		return m, err
	}
	m.Boot = e.hello.Boot
	action := "machine.hello"
	if !known {
		action = "machine.new"
	}
	if !again {
		d.more = append(d.more, done{action, titleOf(m), e.inventory.Facts.String()})
	}
	d.event(TopicMachine, m.ID)
	if err := r.PutMachine(ctx, m); err != nil {
		return m, err
	}
	if !known {
		return m, e.makeRoom(ctx, r, d, settings.Pending)
	}
	return m, nil
}

// checkSecret tells whether an agent was started by this server, by the secret of
// its boot, or from a stick.
func (e enrolment) checkSecret(ctx context.Context, r Records, settings Settings) (stick bool, err error) {
	if e.hello.Secret == "" {
		if settings.Sticks == SticksRefused {
			return false, &ForbiddenError{Why: "this server lets in only machines that start from it over the network"}
		}
		return true, nil
	}
	s, err := r.EnrolSecret(ctx, hashOf(e.hello.Secret))
	if errors.Is(err, ErrNoRecord) {
		return false, ErrUnauthenticated
	}
	if err != nil {
		return false, err
	}
	if s.Boot == "" && !e.now.Before(s.Expires) || s.Boot != "" && s.Boot != e.hello.Boot || !e.hasMAC(s.MAC) {
		return false, ErrUnauthenticated
	}
	s.Boot, s.Expires = e.hello.Boot, e.now.Add(enrolUsed)
	return false, r.PutEnrolSecret(ctx, s)
}

// hasMAC reports whether the machine has the network interface that it was started
// by. A dongle is one too.
func (e enrolment) hasMAC(mac string) bool { return slices.Contains(e.allMACs(), mac) }

func (e enrolment) allMACs() []string {
	all := slices.Clone(e.inventory.MACs)
	for _, n := range e.inventory.NICs {
		all = append(all, n.MAC)
	}
	return all
}

// who finds the machine that says Hello, or makes a new one that waits.
func (e enrolment) who(ctx context.Context, r Records) (m fleet.Machine, known bool, err error) {
	like, err := r.MachinesLike(ctx, e.identity)
	if err != nil {
		return m, false, err
	}
	best, sure, conflicts := fleet.Match(e.identity, like)
	if sure {
		m = *best
		m.Conflicts = conflicts
		return m, true, nil
	}
	if m.ID, err = e.c.newID("m-"); err != nil {
		return m, false, err
	}
	m.Name, err = e.c.freeName(ctx, r, fleet.DefaultName(e.inventory))
	m.State, m.Why, m.Conflicts = wire.Pending, "nobody looked at it yet", conflicts
	return m, false, err
}

// leaveOldBoot ends what an earlier boot of the machine was at: it is gone.
func (e enrolment) leaveOldBoot(ctx context.Context, r Records, d *deed, m fleet.Machine) error {
	if m.Boot == "" || m.Boot == e.hello.Boot {
		return nil
	}
	jobs, err := r.OpenJobs(ctx, m.ID)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if !j.State.Active() || j.Boot == e.hello.Boot {
			continue
		}
		if err := e.c.leftBehind(ctx, r, d, j, "the machine started again"); err != nil {
			return err
		}
	}
	return nil
}

// makeRoom forgets the oldest machines that wait, so that a host that makes up
// machines fills no disk.
func (e enrolment) makeRoom(ctx context.Context, r Records, d *deed, limit int) error {
	const atATime = 20
	old, total, err := r.Machines(ctx, MachineFilter{State: wire.Pending, Sort: "seen", Limit: atATime})
	if err != nil {
		return err
	}
	for _, m := range old[:max(min(total-limit, len(old)), 0)] {
		d.more = append(d.more, done{"machine.forget", titleOf(m), fmt.Sprintf("more than %d machines wait to be looked at", limit)})
		d.event(TopicMachine, m.ID)
		if err := r.RemoveMachine(ctx, m.ID); err != nil {
			return err
		}
	}
	return nil
}

// hellos bounds how often each network address says Hello: every one is written
// down.
type hellos struct {
	mu   sync.Mutex
	room map[string]*bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// A room of machines may sit behind one address, and all start at once.
const (
	hellosAtOnce    = 2000
	hellosPerSecond = 20
	maxBuckets      = 10_000
)

func (h *hellos) let(now time.Time, from string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.room == nil || len(h.room) > maxBuckets {
		h.room = map[string]*bucket{}
	}
	b := h.room[from]
	if b == nil {
		b = &bucket{left: hellosAtOnce, at: now}
		h.room[from] = b
	}
	b.left = min(b.left+now.Sub(b.at).Seconds()*hellosPerSecond, hellosAtOnce)
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
