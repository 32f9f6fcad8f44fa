package room_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/room"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// program is ingot, built once.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "ingot-room-")
		if err == nil {
			defer os.RemoveAll(dir)
			program, err = room.Build(context.Background(), dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		flag.Parse()
		if err := flag.Set("test.parallel", "8"); err != nil { // they wait more than they work
			panic(err)
		}
		return m.Run()
	}())
}

// site is a server with what a test wants of it.
type site struct {
	*room.Server
	t   *testing.T
	api *apiclient.Client
	pcs []*room.PC
}

// serve starts a server and makes its administrator.
func serve(t *testing.T) *site {
	t.Helper()
	return serveIn(t, filepath.Join(t.TempDir(), "data"))
}

func serveIn(t *testing.T, folder string) *site {
	t.Helper()
	server, err := room.Start(program, folder)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Server: server, t: t}
	t.Cleanup(func() {
		for _, pc := range s.pcs {
			pc.PowerOff()
		}
		s.Kill()
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.Log())
		}
	})
	s.must(server.SetUp(t.Context()))
	s.api, err = server.Client()
	s.must(err)
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// diskSize is enough for several packs' worth of requests, and soon written.
const diskSize = 8 << 20

// image puts an image into the store, and returns the disk it was made of.
func (s *site) image(ref string, seed uint64) block.Reader {
	s.t.Helper()
	disk := capturetest.Disk(diskSize, diskSize/4, seed, seed+1, seed+2, seed+3)
	opened, err := s.Store(s.t.Context())
	s.must(err)
	capturetest.Image(s.t, opened, ref, disk)
	return disk
}

// pc makes the nth PC, switched off.
func (s *site) pc(n int) *room.PC {
	s.t.Helper()
	pc, err := room.NewPC(s.Server, n, room.NewDisk(diskSize))
	s.must(err)
	s.pcs = append(s.pcs, pc)
	return pc
}

func (s *site) boot(pcs ...*room.PC) {
	s.t.Helper()
	for _, pc := range pcs {
		s.must(pc.Boot(s.t.Context()))
	}
}

// approved boots PCs and lets them in, and returns their IDs.
func (s *site) approved(pcs ...*room.PC) []string {
	s.t.Helper()
	s.boot(pcs...)
	var ids []string
	for _, pc := range pcs {
		s.until("PC "+pc.Serial()+" is known", func() bool { return s.machine(pc).ID != "" })
		ids = append(ids, s.machine(pc).ID)
	}
	s.must(s.api.Approve(s.t.Context(), ids, nil))
	return ids
}

// machine is what the server knows of a PC.
func (s *site) machine(pc *room.PC) message.Machine {
	s.t.Helper()
	all, err := s.api.Machines(s.t.Context(), control.MachineFilter{})
	s.must(err)
	i := slices.IndexFunc(all, func(m message.Machine) bool { return m.Inventory.Serial == pc.Serial() })
	if i < 0 {
		return message.Machine{}
	}
	return all[i]
}

func (s *site) deploy(image string, machines ...string) fleet.Batch {
	s.t.Helper()
	return s.submit(message.Spec{Kind: wire.Deploy, Image: image, Machines: machines, Then: wire.Stay})
}

func (s *site) submit(spec message.Spec) fleet.Batch {
	s.t.Helper()
	b, err := s.api.Submit(s.t.Context(), spec)
	s.must(err)
	return b
}

// jobs are those of a batch.
func (s *site) jobs(batch string) []fleet.Job {
	s.t.Helper()
	work, err := s.api.Batch(s.t.Context(), batch)
	s.must(err)
	return work.Jobs
}

// soon is how long anything may take on a busy machine.
const soon = 90 * time.Second

// until waits for something.
func (s *site) until(what string, is func() bool) {
	s.t.Helper()
	for began := time.Now(); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > soon {
			s.t.Fatalf("waited %v in vain until %s", soon, what)
		}
	}
}

// state waits until all jobs of a batch are in a state, and returns them. A final
// state that is another one ends the test.
func (s *site) state(batch string, want fleet.JobState) (jobs []fleet.Job) {
	s.t.Helper()
	s.until("all jobs of batch "+batch+" are "+string(want), func() bool {
		jobs = s.jobs(batch)
		for _, j := range jobs {
			if j.State != want && j.State.Ended() {
				s.t.Fatalf("job %s is %s (%s, %+v), not %s", j.ID, j.State, j.Why, j.Result, want)
			}
		}
		return !slices.ContainsFunc(jobs, func(j fleet.Job) bool { return j.State != want })
	})
	return jobs
}

// pause is how often something is asked for.
func (s *site) pause() { time.Sleep(100 * time.Millisecond) }

// audit are the entries of the audit log about an action, newest first.
func (s *site) audit(action string) []fleet.AuditEntry {
	s.t.Helper()
	page, err := s.api.Audit(s.t.Context(), control.Page{Limit: 1000})
	s.must(err)
	return slices.DeleteFunc(page.Items, func(e fleet.AuditEntry) bool { return e.Action != action })
}

// holds checks that the disk of a PC is what an image was made of.
func (s *site) holds(pc *room.PC, want block.Reader) {
	s.t.Helper()
	a, b := make([]byte, want.Size()), make([]byte, want.Size())
	s.must(block.ReadFull(want, a, 0))
	s.must(block.ReadFull(pc.Disk, b, 0))
	if string(a) != string(b) {
		s.t.Errorf("the disk of PC %s is not what it should be", pc.Serial())
	}
}

// reached waits for disks that hold up their jobs.
func (s *site) reached(all ...<-chan struct{}) {
	s.t.Helper()
	late := time.After(soon)
	for _, c := range all {
		select {
		case <-c:
		case <-late:
			s.t.Fatal("a job did not come so far")
		}
	}
}

// cutOff waits until PCs are off.
func (s *site) cutOff(pcs ...*room.PC) {
	s.t.Helper()
	late := time.After(soon)
	for _, pc := range pcs {
		select {
		case <-pc.Off():
		case <-late:
			s.t.Fatalf("PC %s is still on", pc.Serial())
		}
	}
}

// metric is a number of the server's, 0 when it has none of that name.
func (s *site) metric(name string) float64 {
	s.t.Helper()
	text, err := s.Page.Get(s.t.Context(), "/metrics")
	s.must(err)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			s.must(err)
			return n
		}
	}
	return 0
}
