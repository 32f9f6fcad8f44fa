package agent

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// fakeHost is a machine.
type fakeHost struct {
	mu   sync.Mutex
	did  []string
	gone chan struct{}
}

func (h *fakeHost) do(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.did = append(h.did, what)
	if what == "restart" || what == "off" {
		close(h.gone)
		<-make(chan struct{}) // nothing happens after that
	}
}

func (h *fakeHost) Addresses() map[string]string { return map[string]string{"eth0": "10.0.0.9/24"} }
func (h *fakeHost) SetClock(time.Time) error     { return nil }
func (h *fakeHost) Beat()                        {}
func (h *fakeHost) Works()                       {}
func (h *fakeHost) Restart()                     { h.do("restart") }
func (h *fakeHost) PowerOff()                    { h.do("off") }

// fakeMachine is what its kernel shows.
func fakeMachine() fstest.MapFS {
	return fstest.MapFS{
		"sys/class/dmi/id/sys_vendor":   {Data: []byte("Dell Inc.\n")},
		"sys/class/dmi/id/product_name": {Data: []byte("OptiPlex 7090\n")},
	}
}

// startAgent runs an agent against the server until the test ends.
func startAgent(t *testing.T, s *fakeServer, consoles ...Console) (*Agent, *fakeHost) {
	t.Helper()
	t.Setenv("INGOT_PRETEND", "1")
	h := &fakeHost{gone: make(chan struct{})}
	o := Options{Version: "test", Program: []string{"/proc/self/exe"}, Root: fakeMachine(), Work: t.TempDir(), Host: h, Consoles: consoles}
	if s != nil {
		o.Config.Enrol = wire.Enrol{Server: s.URL, Fingerprint: s.fingerprint, Secret: "of this boot"}
	}
	a := New(o)
	a.Ready()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-ended:
		case <-h.gone:
		case <-time.After(10 * time.Second):
			t.Error("the agent does not end")
		}
	})
	return a, h
}

// await waits until the server's state is as wanted.
func (s *fakeServer) await(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		ok := f()
		s.mu.Unlock()
		if ok {
			return
		}
	}
	t.Fatalf("not within 30 s: %s", what)
}

func TestAgentDoesItsJob(t *testing.T) {
	s := newFakeServer(t)
	_, h := startAgent(t, s)
	s.await(t, "hello", func() bool { return len(s.hellos) > 0 })
	s.mu.Lock()
	hi := s.hellos[0]
	s.approved = true
	s.jobs = []wire.Job{{ID: "j-1", Attempt: 1, Kind: wire.Deploy, Image: "done", Deploy: &wire.DeployOptions{Profile: true}, Then: wire.LocalBoot, Token: "the job's"}}
	s.mu.Unlock()
	if hi.Secret != "of this boot" || hi.Inventory.Maker != "Dell Inc." || len(hi.Inventory.Disks) != 1 || hi.Inventory.Disks[0].Holds != "GPT: ntfs 'Windows', fat32" || hi.Boot == "" {
		t.Errorf("%+v", hi)
	}
	select {
	case <-h.gone:
	case <-time.After(30 * time.Second):
		t.Fatal("the machine does not restart")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.finished["j-1"]
	if r.Outcome != wire.Done || r.Target != wire.Complete || !strings.Contains(string(r.Detail), "the job's") || s.seen != "Bearer s1" || len(s.reports) == 0 {
		t.Errorf("%+v, %d reports, profile with %q", r, len(s.reports), s.seen)
	}
	said := ""
	for _, p := range s.reports {
		for _, l := range p.Log {
			said += l.Text + "\n"
		}
	}
	for _, l := range r.Log {
		said += l.Text + "\n"
	}
	if !strings.Contains(said, "all is well") || !strings.Contains(said, "--profile") || strings.Contains(said, "the job's") {
		t.Errorf("the log is %q", said)
	}
}

func TestAgentIsStopped(t *testing.T) {
	s := newFakeServer(t)
	s.approved = true
	s.jobs = []wire.Job{{ID: "j-1", Attempt: 3, Kind: wire.Deploy, Image: "slow", Then: wire.Reboot}}
	startAgent(t, s)
	s.await(t, "the deploy", func() bool {
		s.stop = len(s.reports) > 0 && s.reports[len(s.reports)-1].Progress.Phase == "deploy"
		return s.stop
	})
	s.await(t, "the end", func() bool { return len(s.finished) == 1 })
	if r := s.finished["j-1"]; r.Outcome != wire.Cancelled || r.Target != wire.Unfinished || r.Attempt != 3 || r.Exit != wire.ExitInterrupted {
		t.Errorf("%+v", r)
	}
}

// TestAgentIsStoppedAtOnce: a job that is stopped before it began touched nothing.
func TestAgentIsStoppedAtOnce(t *testing.T) {
	s := newFakeServer(t)
	s.approved, s.stop = true, true
	s.jobs = []wire.Job{{ID: "j-1", Attempt: 1, Kind: wire.Deploy, Image: "slow", Then: wire.Reboot}}
	startAgent(t, s)
	s.await(t, "the end", func() bool { return len(s.finished) == 1 })
	if r := s.finished["j-1"]; r.Outcome != wire.Cancelled {
		t.Errorf("%+v", r)
	}
}

// TestAgentSurvivesItsServer: the server is away when a job ends, and has forgotten
// the session when it is back.
func TestAgentSurvivesItsServer(t *testing.T) {
	s := newFakeServer(t)
	s.approved = true
	s.jobs = []wire.Job{{ID: "j-1", Attempt: 1, Kind: wire.Deploy, Image: "later", Then: wire.Reboot}}
	a, h := startAgent(t, s)
	s.await(t, "hello", func() bool {
		s.away = len(s.hellos) > 0 && len(s.reports) > 0
		return s.away
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if screen, _ := a.board.look(); screen.Phase == Ended && screen.Untold && screen.Trouble != "" {
			break
		}
		if time.Now().After(end) {
			screen, _ := a.board.look()
			t.Fatalf("the console shows\n%s", screen.Text())
		}
	}
	screen, _ := a.board.look()
	if text := screen.Text(); !strings.Contains(text, "FAILED") || !strings.Contains(text, "it broke") || !strings.Contains(text, "mend it") || !strings.Contains(text, "does not know this yet") {
		t.Errorf("the console shows\n%s", text)
	}
	s.mu.Lock()
	s.away, s.sessions = false, 99
	s.mu.Unlock()
	a.Changed() // somebody mends the network
	s.await(t, "the end", func() bool { return len(s.finished) == 1 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.finished["j-1"]; r.Outcome != wire.Failed || s.hellos[len(s.hellos)-1].Running != "j-1" {
		t.Errorf("%+v, %+v", r, s.hellos)
	}
	if len(h.did) > 0 {
		t.Errorf("a machine whose job failed does %v", h.did)
	}
}

// TestAgentAmongFaults: whatever goes wrong, every job ends once, with the same word.
func TestAgentAmongFaults(t *testing.T) {
	s := newFakeServer(t)
	s.approved, s.faults = true, 6
	for i, image := range []string{"done", "refused", "killed"} {
		s.jobs = append(s.jobs, wire.Job{ID: fmt.Sprintf("j-%d", i), Attempt: 1, Kind: wire.Deploy, Image: image, Then: wire.Stay})
	}
	a, _ := startAgent(t, s)
	done := make(chan struct{})
	defer close(done)
	go func() { // waits are for rooms of PCs
		for {
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
				a.post(t.Context(), network{})
			}
		}
	}()
	s.await(t, "three ends", func() bool { return len(s.finished) == 3 })
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, want := range map[string]wire.Outcome{"j-0": wire.Done, "j-1": wire.Failed, "j-2": wire.Failed} {
		if got := s.finished[id].Outcome; got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func TestAgentKnowsItsServer(t *testing.T) {
	s := newFakeServer(t)
	other := newFakeServer(t)
	c, err := newClient(s.URL, other.fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	if a := c.do(t.Context(), request{verb: hello}, wire.Hello{Secret: "secret"}); a.err == nil || !strings.Contains(a.err.Error(), "fingerprint") || len(s.hellos) != 0 {
		t.Errorf("%v, %v", a.err, s.hellos)
	}
	for _, bad := range []string{"", "http://10.0.0.1", "10.0.0.1:8443", "https://"} {
		if _, err := newClient(bad, s.fingerprint); err == nil {
			t.Errorf("%q is taken for a server", bad)
		}
	}
	if _, err := newClient(s.URL, ""); err == nil {
		t.Error("no fingerprint is taken for one")
	}
}

func TestReadConfig(t *testing.T) {
	params := map[string]string{"ingot.server": "https://a", "ingot.fingerprint": "sha256:1", "ingot.mode": "menu"}
	c, err := ReadConfig(fstest.MapFS{}, params)
	if err != nil || c.Server != "https://a" || c.Secret != "" || c.Mode != "menu" {
		t.Errorf("%+v, %v", c, err)
	}
	c, err = ReadConfig(fstest.MapFS{wire.EnrolFile: {Data: []byte(`{"server": "https://b", "fingerprint": "sha256:2", "secret": "s"}`)}}, params)
	if err != nil || c.Server != "https://b" || c.Secret != "s" || c.Mode != "menu" {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err = ReadConfig(fstest.MapFS{wire.EnrolFile: {Data: []byte("nonsense")}}, params); err == nil || c.Server != "https://a" {
		t.Errorf("%+v, %v", c, err)
	}
}
