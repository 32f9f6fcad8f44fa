package room

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/trust"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Moment is a point in the life of a PC at which its power may go.
type Moment string

// Moments, in their order.
const (
	HelloSent  Moment = "hello was sent, and its answer not read"
	Idle       Moment = "it waits for work"
	Ordered    Moment = "it has a job and has not begun"
	Planned    Moment = "the job is planned and nothing is written"
	Written    Moment = "the job has ended and nobody knows"
	ResultSent Moment = "the result was sent, and its answer not read"
	Leaving    Moment = "the server has the result, and the PC starts again"
)

// Pace is how patient a PC is. Real ones have the defaults of the agent; tests are in a
// hurry.
type Pace struct {
	Report time.Duration // between reports
	Retry  time.Duration // until a request that failed is made again
	Answer time.Duration // how long an answer may take, above what the protocol allows
	Stall  time.Duration // how long a connection for objects may be silent
	GiveUp time.Duration // how long no object may come until the job fails
}

// Hurry is the pace of tests.
func Hurry() Pace {
	return Pace{Report: 100 * time.Millisecond, Retry: 200 * time.Millisecond, Answer: 2 * time.Second, Stall: time.Second, GiveUp: time.Minute}
}

// Real is about the pace of the agent.
func Real() Pace {
	return Pace{Report: wire.ReportEvery, Retry: 2 * time.Second, Answer: 30 * time.Second}
}

// PC is a machine whose agent works as that of the boot environment does, in this
// process.
type PC struct {
	Inventory wire.Inventory
	Disk      *Disk
	Pace      Pace
	Blank     bool // the disk is taken for an empty one, which is not looked at
	// Enrol returns the secret of a boot, as Server.Enrol.
	Enrol func(ctx context.Context, mac string) (string, error)

	url    string
	secure *tls.Config

	mu     sync.Mutex
	cutAt  Moment
	cut    context.CancelFunc // power off; nil while it is
	off    chan struct{}      // closed when the agent has ended
	agent  *agent
	failed error // why the agent ended, if not by a cut
}

// NewPC is the nth PC of a room, switched off. It finds its server at s.URL.
func NewPC(s *Server, n int, disk *Disk) (*PC, error) {
	f, err := trust.ParseFingerprint(s.Fingerprint)
	if err != nil {
		return nil, err
	}
	secure, err := trust.Config(f, nil)
	if err != nil {
		return nil, err
	}
	return &PC{Inventory: inventory(n, disk), Disk: disk, Pace: Hurry(), Enrol: s.Enrol, url: s.URL, secure: secure}, nil
}

// Through leads what the PC says through a cable, from its next boot on.
func (pc *PC) Through(c *Cable) { pc.url = c.URL() }

// inventory is that of the nth PC.
func inventory(n int, disk *Disk) wire.Inventory {
	mac := fmt.Sprintf("d8:9e:f3:%02x:%02x:%02x", n>>16&0xff, n>>8&0xff, n&0xff)
	return wire.Inventory{
		Facts: profile.Facts{
			Maker: "Dell Inc.", Model: "OptiPlex 7090", Serial: fmt.Sprintf("5XK%05d", n), Firmware: "uefi", MACs: []string{mac},
			UUID: fmt.Sprintf("4c4c4544-0035-5810-804b-%012x", n+1),
		},
		CPU: "Core i5", Cores: 6, Memory: 16 << 30, SecureBoot: "on", TPM: "2.0",
		Disks: []wire.Disk{{Path: "/dev/nvme0n1", Model: "SN530", Serial: fmt.Sprintf("WD%06d", n), Transport: "nvme", Size: disk.Size(), Sector: disk.SectorSize(), Health: "ok"}},
		NICs:  []wire.NIC{{Name: "eno1", MAC: mac, Driver: "e1000e", Link: true, Speed: 1000}},
	}
}

// Serial is by what the server tells the PC from others.
func (pc *PC) Serial() string { return pc.Inventory.Serial }

// CutAt cuts the PC's power when it comes to a moment for the first time; "" is never.
func (pc *PC) CutAt(m Moment) {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	pc.cutAt = m
}

// Boot switches the PC on, or off and on, and starts the agent.
func (pc *PC) Boot(ctx context.Context) error {
	pc.PowerOff()
	pc.mu.Lock()
	defer pc.mu.Unlock()
	pc.Disk.on()
	secret, err := pc.Enrol(ctx, pc.Inventory.MACs[0])
	if err != nil {
		return err
	}
	ctx, pc.cut = context.WithCancel(context.WithoutCancel(ctx))
	pc.off, pc.failed = make(chan struct{}), nil
	a := newAgent(pc, rand.Text(), secret)
	pc.agent = a
	go func() {
		defer close(pc.off)
		defer a.close()
		if err := a.run(ctx); err != nil && ctx.Err() == nil {
			pc.mu.Lock()
			defer pc.mu.Unlock()
			pc.failed = err
		}
	}()
	return nil
}

// PowerOff cuts the PC's power and returns when nothing of it runs any more.
func (pc *PC) PowerOff() {
	pc.mu.Lock()
	off := pc.off
	pc.powerOff()
	pc.mu.Unlock()
	if off != nil {
		<-off
	}
}

func (pc *PC) powerOff() {
	if pc.cut == nil {
		return
	}
	pc.Disk.cut()
	pc.cut()
	pc.cut = nil
}

// Off is closed when the PC is off: it was cut, or did what it was told.
func (pc *PC) Off() <-chan struct{} {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return pc.off
}

// Err is why the agent ended by itself; nil when it runs, was cut or obeyed.
func (pc *PC) Err() error {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return pc.failed
}

// Doing is what an agent is at.
type Doing struct {
	Session  string    // that it shows to the server, "" before it was let in
	Job      *wire.Job // that it works on; nil for none
	Stopping bool      // it was told to stop
}

// Doing is what the agent of the PC's latest start is at.
func (pc *PC) Doing() Doing {
	pc.mu.Lock()
	a := pc.agent
	pc.mu.Unlock()
	if a == nil {
		return Doing{}
	}
	return a.now()
}

// at is called when the PC comes to a moment; its error is errPower when that was its
// last.
func (pc *PC) at(m Moment) error {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if pc.cutAt != m {
		return nil
	}
	pc.cutAt = ""
	pc.powerOff()
	return errPower
}
