package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// A server is a Control with everything around it, whose clock tests move.
type server struct {
	*control.Control
	t       *testing.T
	records control.Records
	images  *fakeImages
	folder  string
	log     *lockedBuffer
	mu      sync.Mutex
	now     time.Time
	woken   []string
}

func newServer(t *testing.T) *server {
	t.Helper()
	records, err := db.Open(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = records.Close() })
	s := &server{t: t, records: records, images: newImages(), folder: t.TempDir(), log: &lockedBuffer{}, now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	s.start()
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// start makes a new Control on the same records, as after a crash of the old one.
func (s *server) start() {
	s.t.Helper()
	c, err := control.New(control.Config{
		Records: s.records, Images: s.images, Profiles: s.folder, Version: "test", Clock: s.clock,
		Log:  slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Cost: control.PasswordCost{Memory: 8, Time: 1, Threads: 1}, NextWait: time.Nanosecond,
		Wake: func(_ context.Context, mac string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.woken = append(s.woken, mac)
			return nil
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Control = c
}

func (s *server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *server) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// tick lets time pass second by second.
func (s *server) tick(d time.Duration) {
	s.t.Helper()
	for end := s.clock().Add(d); s.clock().Before(end); {
		s.wait(time.Second)
		s.must(s.Tick(s.t.Context()))
	}
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func admin() fleet.Actor {
	return fleet.Actor{Kind: "user", Name: "anna", Role: fleet.Admin, Addr: "192.0.2.9"}
}
func operator() fleet.Actor { return fleet.Actor{Kind: "user", Name: "otto", Role: fleet.Operator} }
func viewer() fleet.Actor   { return fleet.Actor{Kind: "user", Name: "vera", Role: fleet.Viewer} }

// An agent is one machine's.
type agent struct {
	s       *server
	n       int
	boot    string
	boots   int
	session string
	machine string
	job     *wire.Job
	seq     int64
}

func inventory(n int) wire.Inventory {
	var inv wire.Inventory
	inv.Maker, inv.Model, inv.Serial = "Dell Inc.", "OptiPlex 7090", fmt.Sprintf("5XK2R%03d", n)
	inv.UUID = fmt.Sprintf("4c4c4544-0035-5810-804b-%012x", n+1)
	mac := fmt.Sprintf("d8:9e:f3:00:%02x:%02x", n/256, n%256)
	inv.MACs, inv.NICs = []string{mac}, []wire.NIC{{Name: "eno1", MAC: mac, Link: true}}
	inv.Disks = []wire.Disk{{Path: "/dev/nvme0n1", Model: "SN530", Serial: fmt.Sprintf("WD%06d", n), Transport: "nvme", Size: 512e9, Sector: 512}}
	return inv
}

func (s *server) agent(n int) *agent { return &agent{s: s, n: n} }

// start has the machine start from the network.
func (a *agent) start() *agent {
	a.s.t.Helper()
	a.boots++
	a.boot = fmt.Sprintf("boot-%05d-%05d", a.n, a.boots)
	a.job = nil
	secret, err := a.s.EnrolSecret(a.s.t.Context(), inventory(a.n).MACs[0])
	a.s.must(err)
	_, err = a.hello(secret)
	a.s.must(err)
	return a
}

func (a *agent) hello(secret string) (wire.Welcome, error) {
	hello := wire.Hello{Protocol: wire.Version, Agent: "test", Secret: secret, Boot: a.boot, Inventory: inventory(a.n)}
	if a.job != nil {
		hello.Running = a.job.ID
	}
	w, err := a.s.Hello(a.s.t.Context(), hello, "192.0.2.1")
	if err == nil {
		a.session, a.machine = w.Session, w.Machine
	}
	return w, err
}

func (a *agent) next() wire.Order {
	a.s.t.Helper()
	order, err := a.s.Next(a.s.t.Context(), a.session, "192.0.2.1")
	a.s.must(err)
	if order.Job != nil {
		a.job, a.seq = order.Job, 0
	}
	return order
}

func (a *agent) report(phase string) wire.Reply {
	a.s.t.Helper()
	a.seq++
	reply, err := a.s.Report(a.s.t.Context(), a.session, a.job.ID, wire.Report{
		Attempt: a.job.Attempt, Seq: a.seq, Progress: wire.Progress{Phase: phase, Done: a.seq, Total: 100, Left: -1},
	})
	a.s.must(err)
	return reply
}

func (a *agent) finish(r wire.Result) wire.Reply {
	a.s.t.Helper()
	r.Attempt = a.job.Attempt
	reply, err := a.s.Finish(a.s.t.Context(), a.session, a.job.ID, r)
	a.s.must(err)
	return reply
}

func done() wire.Result { return wire.Result{Outcome: wire.Done, Target: wire.Complete} }

// approved are n machines that started and were approved.
func (s *server) approved(n int) []*agent {
	s.t.Helper()
	var agents []*agent
	var ids []string
	for i := range n {
		agents = append(agents, s.agent(i).start())
		ids = append(ids, agents[i].machine)
	}
	s.must(s.Approve(s.t.Context(), admin(), ids, nil))
	return agents
}

func deploy(agents ...*agent) fleet.BatchSpec {
	spec := fleet.BatchSpec{Kind: wire.Deploy, Image: "lab-pc"}
	for _, a := range agents {
		spec.Machines = append(spec.Machines, a.machine)
	}
	return spec
}

func (s *server) submit(spec fleet.BatchSpec) fleet.Batch {
	s.t.Helper()
	b, err := s.Submit(s.t.Context(), operator(), spec)
	s.must(err)
	return b
}

func (s *server) jobs(batch string) []fleet.Job {
	s.t.Helper()
	_, jobs, err := s.Batch(s.t.Context(), viewer(), batch)
	s.must(err)
	return jobs
}

func (s *server) wantState(batch string, want ...fleet.JobState) []fleet.Job {
	s.t.Helper()
	jobs := s.jobs(batch)
	var got []fleet.JobState
	for _, j := range jobs {
		got = append(got, j.State)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Fatalf("jobs are %v, want %v: %q", got, want, jobs[0].Why)
	}
	return jobs
}

// fakeImages is a store with one image and more by test.
type fakeImages struct {
	all  []control.Image
	lint json.RawMessage
	fail error // of Lint
}

func newImages() *fakeImages {
	return &fakeImages{all: []control.Image{{
		ID: strings.Repeat("ab", 32), Names: []string{"lab-pc:v3", "old:v1"}, Disk: 256e9, Sector: 512, Data: 40e9, Own: -1, Least: 256e9,
	}}}
}

func (f *fakeImages) List(context.Context) ([]control.Image, []string, error) {
	return append([]control.Image(nil), f.all...), nil, nil
}

func (f *fakeImages) Find(_ context.Context, ref string) (control.Image, error) {
	for _, image := range f.all {
		for _, name := range image.Names {
			if ref == name || strings.HasPrefix(name, ref+":") || strings.HasPrefix(image.ID, ref) {
				return image, nil
			}
		}
	}
	return control.Image{}, &control.NotFoundError{What: "image", ID: ref}
}

func (f *fakeImages) Tag(_ context.Context, ref, name string) (string, error) {
	return name + ":v1", nil
}
func (f *fakeImages) Remove(context.Context, string) error { return nil }
func (f *fakeImages) Lint(context.Context, string) (json.RawMessage, error) {
	return f.lint, f.fail
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var _ io.Writer = (*lockedBuffer)(nil)
