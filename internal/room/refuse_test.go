package room_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/room"
	"github.com/ingot-imaging/ingot/internal/trust"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// stranger speaks to a server as it likes.
type stranger struct {
	*site
	client *http.Client
}

func (s *site) stranger() *stranger {
	s.t.Helper()
	f, err := trust.ParseFingerprint(s.Fingerprint)
	s.must(err)
	secure, err := trust.Config(f, nil)
	s.must(err)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: secure}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &stranger{s, client}
}

// say makes a request and returns the status of its answer.
func (s *stranger) say(method, path, token string, body any) int {
	s.t.Helper()
	var text io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		text = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		s.must(err)
		text = bytes.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, text)
	s.must(err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.client.Do(r)
	s.must(err)
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// expect makes a request that is answered with a status.
func (s *stranger) expect(what string, want int, method, path, token string, body any) {
	s.t.Helper()
	if got := s.say(method, path, token, body); got != want {
		s.t.Errorf("%s: %d, not %d", what, got, want)
	}
}

// TestNobodyGetsWhatIsNotTheirs: who is not approved, has no job, an old one or
// another's gets no object and has no say in a job. All of it is counted, and in the
// audit log.
func TestNobodyGetsWhatIsNotTheirs(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.image("lab:v1", 1)
	s.image("office:v1", 50)
	works, other, waits := s.pc(1), s.pc(2), s.pc(3)
	ids := s.approved(works, other)
	s.boot(waits)
	s.until("the third PC waits", func() bool { return waits.Doing().Session != "" })
	packs := s.packs()

	reached, release := works.Disk.Hold(diskSize / 2)
	batch := s.deploy("lab:v1", ids[0])
	s.reached(reached)
	otherReached, otherRelease := other.Disk.Hold(0)
	otherBatch := s.deploy("office:v1", ids[1])
	s.reached(otherReached)
	job, otherToken := works.Doing().Job, other.Doing().Job.Token
	x := s.stranger()
	read := func(token, what string, want int) {
		t.Helper()
		for _, pack := range packs["lab"] {
			x.expect(what, want, http.MethodGet, wire.StorePath+pack, token, nil)
		}
	}
	read("", "no token", http.StatusUnauthorized)
	read(waits.Doing().Session, "the session of a PC that waits to be approved", http.StatusUnauthorized)
	read(works.Doing().Session, "a session for a token", http.StatusUnauthorized)
	read(s.Token, "an administrator's token of the API", http.StatusUnauthorized)
	read("job_"+job.ID+"_"+strings.Repeat("A", 43), "a token that was guessed", http.StatusUnauthorized)
	read(other.Doing().Job.Token, "the token of a job for another image", http.StatusForbidden)
	read(job.Token, "the token of the job", http.StatusOK)
	x.expect("a pack put by a deploy", http.StatusForbidden, http.MethodPut, wire.StorePath+packs["lab"][0], job.Token, "x")
	x.expect("a pack deleted by a deploy", http.StatusForbidden, http.MethodDelete, wire.StorePath+packs["lab"][0], job.Token, nil)

	mine := func(path string) string { return strings.Replace(path, "{job}", job.ID, 1) }
	for _, session := range []string{other.Doing().Session, waits.Doing().Session} {
		x.expect("a report on another PC's job", http.StatusForbidden, http.MethodPost, mine(wire.ReportPath), session, wire.Report{Attempt: 1, Seq: 1000})
		x.expect("the end of another PC's job", http.StatusForbidden, http.MethodPost, mine(wire.FinishPath), session, wire.Result{Attempt: 1, Outcome: wire.Done})
		x.expect("the profile of another PC's job", http.StatusForbidden, http.MethodGet, mine(wire.ProfilePath), session, nil)
	}
	x.expect("a report without a session", http.StatusUnauthorized, http.MethodPost, mine(wire.ReportPath), "", wire.Report{Attempt: 1})
	x.expect("a job that there is not", http.StatusNotFound, http.MethodPost, strings.Replace(wire.ReportPath, "{job}", "j-none", 1), works.Doing().Session, wire.Report{Attempt: 1})
	if j := s.jobs(batch.ID)[0]; j.State != fleet.Running || j.Progress.Done > diskSize {
		t.Errorf("after what others said, the job is %s: %+v", j.State, j.Progress)
	}

	s.must(s.api.Reject(t.Context(), ids[1:]))
	s.until("a rejected PC's token opens nothing", func() bool {
		return x.say(http.MethodGet, wire.StorePath+packs["office"][0], otherToken, nil) == http.StatusUnauthorized
	})
	otherRelease()
	s.state(otherBatch.ID, fleet.Cancelled)
	release()
	s.state(batch.ID, fleet.Done)
	s.until("the token of a job that ended opens nothing", func() bool {
		return x.say(http.MethodGet, wire.StorePath+packs["lab"][0], job.Token, nil) == http.StatusUnauthorized
	})
	for _, reason := range []string{"job-token", "foreign-job", "session"} {
		if n := s.metric(fmt.Sprintf("ingot_refused_total{reason=%q}", reason)); n == 0 {
			t.Errorf("refusals for %s are not counted", reason)
		}
		if entries := s.audit(reason + ".refused"); len(entries) != 1 || entries[0].Actor.Addr != "127.0.0.1" {
			t.Errorf("refusals for %s have these audit entries: %+v", reason, entries)
		}
	}
	for _, reason := range []string{"objects_refused_total{reason=\"refused\"}", "agent_requests_refused_total{status=\"403\"}"} {
		if s.metric("ingot_"+reason) == 0 {
			t.Errorf("%s is 0", reason)
		}
	}
	for _, secret := range []string{job.Token, s.Token, works.Doing().Session} {
		if strings.Contains(s.Log(), secret) {
			t.Error("a secret is in the server's log")
		}
	}
}

// packs are the packs that an image alone uses, by its name.
func (s *site) packs() map[string][]string {
	s.t.Helper()
	ctx := context.Background()
	opened, err := s.Store(ctx)
	s.must(err)
	packs := map[string][]string{}
	for _, name := range []string{"lab", "office"} {
		keys, err := room.Packs(ctx, opened, name)
		s.must(err)
		packs[name] = keys
	}
	return packs
}

// TestSecretsOfBoots: the secret of a boot lets in the PC that it was made for, once.
func TestSecretsOfBoots(t *testing.T) {
	t.Parallel()
	s := serve(t)
	x := s.stranger()
	pc, thief := s.pc(1), s.pc(2)
	hello := func(what string, want int, secret, boot string, of *room.PC) {
		t.Helper()
		h := wire.Hello{Protocol: wire.Version, Agent: "test", Secret: secret, Boot: boot, Inventory: of.Inventory}
		x.expect(what, want, http.MethodPost, wire.HelloPath, "", h)
	}
	secret, err := s.Enrol(t.Context(), pc.Inventory.MACs[0])
	s.must(err)
	hello("a secret that nobody made", http.StatusUnauthorized, strings.Repeat("A", 43), "boot-0001", pc)
	hello("another PC's secret", http.StatusUnauthorized, secret, "boot-0002", thief)
	hello("the PC's secret", http.StatusOK, secret, "boot-0003", pc)
	hello("the same, said again", http.StatusOK, secret, "boot-0003", pc)
	hello("the same in another boot", http.StatusUnauthorized, secret, "boot-0004", pc)
	hello("another PC with a used secret", http.StatusUnauthorized, secret, "boot-0005", thief)
	if n := s.metric(`ingot_refused_total{reason="enrol-secret"}`); n != 4 {
		t.Errorf("%v refused secrets are counted, not 4", n)
	}
	if len(s.audit("enrol-secret.refused")) == 0 {
		t.Error("refused secrets are not in the audit log")
	}
	hello("no secret: a stick, which waits", http.StatusOK, "", "boot-0006", thief)
	s.must(s.api.Approve(t.Context(), []string{s.machine(thief).ID}, nil))
	hello("the next start of a stick, while the first one is there", http.StatusConflict, "", "boot-0007", thief)
	if strings.Contains(s.Log(), secret) {
		t.Error("the secret is in the server's log")
	}
}
