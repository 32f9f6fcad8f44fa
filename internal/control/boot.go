package control

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// How often the agent is started on one machine, so that none loops: starts within
// an hour that no agent said Hello after, and starts of a machine whose disk is
// unfinished although its agent ran.
const (
	maxSilentStarts = 5
	maxStarts       = 5
	startsWithin    = time.Hour
	sameStart       = time.Minute // firmware that asks twice starts once
	maxBoots        = 20_000      // machines that are remembered
	keepBoots       = 20_000      // boot records
)

// ChooseBoot says whether a machine that starts over the network gets the agent, or
// its own disk, and why, in a sentence. machine is nil when nobody knows it. It
// changes nothing, so a start may ask many times.
//
// The agent is for machines that nobody knows or looked at, that have work, and whose
// last deploy or wipe failed, so that it can be seen and tried again.
func (c *Control) ChooseBoot(ctx context.Context, mac, uuid string) (agent bool, why string, machine *fleet.Machine, err error) {
	mac = fleet.MAC(mac)
	m, err := c.machineAt(ctx, mac, uuid)
	if err != nil {
		return false, "", nil, err
	}
	silent, all := c.boots.starts(mac, c.now())
	if silent >= maxSilentStarts {
		return false, fmt.Sprintf("the agent was started %d times within an hour and never said hello: look at the machine's screen; own disk until then", silent), m, nil
	}
	switch {
	case m == nil:
		return true, "nobody knows this machine yet", nil, nil
	case m.State == wire.Rejected:
		return false, "the machine was rejected", m, nil
	case m.State == wire.Pending:
		return true, "the machine waits to be approved", m, nil
	case m.Expected || m.LastSeen.IsZero():
		return true, "the machine is expected and was never seen", m, nil
	}
	jobs, err := c.records.OpenJobs(ctx, m.ID)
	if err != nil {
		return false, "", m, err
	}
	for _, j := range jobs {
		if j.State != fleet.Scheduled && !j.Told {
			return true, fmt.Sprintf("there is work for it: %s", j.Kind), m, nil
		}
	}
	broken, err := c.brokenBy(ctx, m.ID)
	if err != nil || broken == nil {
		return false, "it has nothing to do", m, err
	}
	if all >= maxStarts {
		return false, fmt.Sprintf("its last job, %s, did not finish its disk; but the agent was started %d times within an hour already", broken.ID, all), m, nil
	}
	return true, fmt.Sprintf("its last job, %s, %s and left its disk unfinished: retry it", broken.ID, broken.State), m, nil
}

// machineAt finds the machine that has a network interface or a UUID, nil when none
// or several have.
func (c *Control) machineAt(ctx context.Context, mac, uuid string) (*fleet.Machine, error) {
	var asks wire.Inventory
	asks.UUID = uuid
	if mac != "" {
		asks.MACs, asks.NICs = []string{mac}, []wire.NIC{{MAC: mac}}
	}
	id := fleet.IdentityOf(asks)
	if id.Empty() {
		return nil, nil
	}
	known, err := c.records.MachinesLike(ctx, id)
	if err != nil {
		return nil, err
	}
	best, sure, _ := fleet.Match(id, known)
	if !sure {
		return nil, nil
	}
	return best, nil
}

// brokenBy is the machine's last job that wrote to its disk, if it left the disk
// unfinished.
func (c *Control) brokenBy(ctx context.Context, machine string) (*fleet.Job, error) {
	ended, _, err := c.records.Jobs(ctx, JobFilter{Machine: machine, States: []fleet.JobState{fleet.Done, fleet.Failed, fleet.Cancelled}, Limit: 20})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(ended, func(a, b fleet.Job) int { return b.Ended.Compare(a.Ended) })
	for _, j := range ended {
		if !fleet.Writes(j.Kind) || j.Result == nil || j.Result.Target == wire.Untouched {
			continue
		}
		if j.State == fleet.Done || j.Result.Target == wire.Complete {
			return nil, nil
		}
		return &j, nil
	}
	return nil, nil
}

// EnrolSecret makes the secret of one boot of a machine, which lets it say Hello. It
// is asked for when the agent is started.
func (c *Control) EnrolSecret(ctx context.Context, mac string) (string, error) {
	if mac = fleet.MAC(mac); mac == "" {
		return "", &InvalidError{"mac", "want an address as 52:54:00:12:34:56"}
	}
	secret, hash, err := c.newSecret()
	if err != nil {
		return "", err
	}
	now := c.now()
	c.boots.start(mac, now)
	return secret, c.records.PutEnrolSecret(ctx, fleet.EnrolSecret{Hash: hash, MAC: mac, Made: now, Expires: now.Add(EnrolFor)})
}

// SawBoot keeps what a machine asked for on its way to the agent.
func (c *Control) SawBoot(ctx context.Context, record fleet.BootRecord) error {
	for _, s := range []*string{&record.UUID, &record.Addr, &record.Arch, &record.Protocol, &record.Machine} {
		*s = clean(*s, maxName)
	}
	for _, s := range []*string{&record.Asked, &record.Offered, &record.Why} {
		*s = clean(*s, maxText)
	}
	if mac := fleet.MAC(record.MAC); mac != "" {
		record.MAC = mac
	}
	record.MAC = clean(record.MAC, maxName)
	if record.At.IsZero() {
		record.At = c.now()
	}
	if err := c.records.AddBoot(ctx, record, keepBoots); err != nil {
		return err
	}
	c.events.send(Event{TopicBoot, record.MAC})
	return nil
}

// BootRecords is a page of what machines asked for, newest first.
func (c *Control) BootRecords(ctx context.Context, actor fleet.Actor, page Page) ([]fleet.BootRecord, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return nil, err
	}
	return c.records.BootRecords(ctx, page.bounded())
}

// boots remembers how machines start, as long as the server runs.
type boots struct {
	mu      sync.Mutex
	byMAC   map[string][]bootStart
	current map[string]string   // boot of a machine, by ID
	old     map[string][]string // boots that another one followed, by machine
}

type bootStart struct {
	at   time.Time
	said bool // its agent said Hello
}

func newBoots() *boots {
	return &boots{byMAC: map[string][]bootStart{}, current: map[string]string{}, old: map[string][]string{}}
}

func (b *boots) start(mac string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.byMAC) >= maxBoots {
		clear(b.byMAC)
	}
	starts := b.byMAC[mac]
	if n := len(starts); n > 0 && !starts[n-1].said && now.Sub(starts[n-1].at) < sameStart {
		return
	}
	starts = append(starts, bootStart{at: now})
	b.byMAC[mac] = starts[max(len(starts)-2*maxStarts, 0):]
}

// starts counts the starts of the last hour: those at the end of which no agent said
// Hello since, and all.
func (b *boots) starts(mac string, now time.Time) (silent, all int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.byMAC[mac] {
		if now.Sub(s.at) >= startsWithin {
			continue
		}
		all++
		silent++
		if s.said {
			silent = 0
		}
	}
	return silent, all
}

// said is told of every Hello.
func (b *boots) said(machine string, macs []string, boot string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, mac := range macs {
		if starts := b.byMAC[mac]; len(starts) > 0 {
			starts[len(starts)-1].said = true
		}
	}
	if len(b.current) >= maxBoots {
		clear(b.current)
		clear(b.old)
	}
	if before := b.current[machine]; before != "" && before != boot {
		old := append(b.old[machine], before)
		b.old[machine] = old[max(len(old)-4, 0):]
	}
	b.current[machine] = boot
}

// isOld reports whether another boot of the machine followed this one. A machine
// starts anew or not at all: who comes back is another one.
func (b *boots) isOld(machine, boot string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.old[machine], boot)
}
