package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/lint"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func report(t *testing.T, systems []lint.Found, ids ...lint.ID) json.RawMessage {
	t.Helper()
	r := lint.Report{Systems: systems, Findings: []lint.Finding{}}
	for _, id := range ids {
		r.Findings = append(r.Findings, lint.Finding{ID: id, Severity: lint.Serious, What: "It is so."})
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lookOver has the server look its image over.
func (s *server) lookOver(document json.RawMessage) control.Image {
	s.t.Helper()
	s.images.lint = document
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	events := s.Subscribe(ctx)
	s.must(s.LintImage(ctx, operator(), "lab-pc"))
	for range 2 { // it begins and ends
		<-events
	}
	image, err := s.Image(ctx, viewer(), "lab-pc")
	s.must(err)
	return image
}

// TestWhatAnImageHolds: it is known from a look at the image, and a Windows that was
// not generalized is stopped on its way to several machines.
func TestWhatAnImageHolds(t *testing.T) {
	windows, debian := lint.Found{Partition: 3, Kind: "windows", Name: "Windows 11 Pro"}, lint.Found{Partition: 2, Kind: "linux", Name: "Debian GNU/Linux 13"}
	s := newServer(t)
	agents := s.approved(2)
	for _, c := range []struct {
		systems []lint.Found
		found   lint.ID
		system  string
		os      profile.OS
		single  bool
	}{
		{[]lint.Found{windows}, lint.NotGeneralized, "Windows 11 Pro", profile.OSWindows, true},
		{[]lint.Found{windows}, lint.DomainMember, "Windows 11 Pro", profile.OSWindows, false},
		{[]lint.Found{debian}, lint.MachineID, "Debian GNU/Linux 13", profile.OSLinux, false},
		{[]lint.Found{debian, windows}, lint.NotGeneralized, "Debian GNU/Linux 13, Windows 11 Pro", profile.AnyOS, true},
		{[]lint.Found{{Kind: "linux"}, {Kind: "linux"}}, lint.MachineID, "Linux, Linux", profile.OSLinux, false},
		{nil, lint.MachineID, "", profile.AnyOS, false},
		{[]lint.Found{{Kind: "beos", Name: "\x1b[31mBe\u202eOS" + strings.Repeat("!", 1000)}}, lint.MachineID, "[31mBeOS" + strings.Repeat("!", 120), profile.AnyOS, false},
	} {
		image := s.lookOver(report(t, c.systems, c.found))
		if image.System != c.system || image.OS != c.os || image.Single != c.single || image.Lint.Errors != 1 {
			t.Errorf("%v: %q, %q, %v, %+v", c.systems, image.System, image.OS, image.Single, image.Lint)
		}
		if all, err := s.Images(t.Context(), viewer()); err != nil || all[0].System != c.system || all[0].Lint.Report != nil {
			t.Errorf("%v: %+v, %v", c.systems, all[0], err)
		}
		if p := s.preview(deploy(agents...)); p.Stops() != c.single || p.Image.System != c.system || c.single && !strings.Contains(p.Problems[0].Error(), "sysprep") {
			t.Errorf("%v: %+v", c.systems, p.Problems)
		}
		if p := s.preview(deploy(agents[0])); p.Stops() {
			t.Errorf("%v on one machine: %+v", c.systems, p.Problems)
		}
	}
	s.lookOver(report(t, []lint.Found{windows}, lint.NotGeneralized))
	s.must(s.PutProfile(t.Context(), operator(), "forced", []byte("name: pc-{n}\nwindows:\n  not-generalized: force\n")))
	spec := deploy(agents...)
	spec.Profile = "forced"
	if p := s.preview(spec); p.Stops() || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "forces it") {
		t.Errorf("%+v, %v", p.Problems, p.Warnings)
	}
}

// TestLintFails: a look that fails is told, and hides nothing that was found before.
func TestLintFails(t *testing.T) {
	s := newServer(t)
	trouble := errors.New("mount it: a secret of the server's")
	s.images.fail = trouble
	if image := s.lookOver(nil); !strings.Contains(image.Lint.Error, "log says why") || !strings.Contains(s.log.String(), "a secret") || image.Lint.Report != nil {
		t.Errorf("%+v", image.Lint)
	}
	s.images.fail = nil
	found := s.lookOver(report(t, []lint.Found{{Kind: "windows"}}, lint.NotGeneralized))
	s.wait(time.Hour)
	s.images.fail = &control.ConflictError{Message: "run it as root"}
	image := s.lookOver(nil)
	if image.Lint.Error != "run it as root" || !image.Single || image.System != "Windows" || image.Lint.Errors != 1 || image.Lint.At != found.Lint.At {
		t.Errorf("%+v, %+v", image, image.Lint)
	}
	s.images.fail = nil
	if image = s.lookOver(report(t, nil)); image.Lint.Error != "" || image.Single {
		t.Errorf("%+v, %+v", image, image.Lint)
	}
}

// captures gives a machine the job to capture an image.
func (s *server) captures(a *agent, name string) string {
	s.t.Helper()
	b := s.submit(fleet.BatchSpec{Kind: wire.Capture, Image: name, Machines: []string{a.machine}})
	if a.next().Job == nil {
		s.t.Fatal("there is no job")
	}
	return b.ID
}

// made puts an image into the store, as a job does.
func (s *server) made(id, name string) wire.Result {
	s.images.all = append(s.images.all, control.Image{ID: strings.Repeat(id, 32), Names: []string{name}, Created: s.clock()})
	return wire.Result{Outcome: wire.Done, Image: strings.Repeat(id, 32), Name: name}
}

func TestLookedOverByItsMachine(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	batch := s.captures(a, "room")
	result := s.made("01", "room:v1")
	result.Lint = report(t, []lint.Found{{Kind: "windows", Name: "Windows 11 Pro"}}, lint.NotGeneralized, lint.WindowsAsleep)
	events := s.Subscribe(t.Context())
	a.finish(result)
	a.finish(result)
	image, err := s.Image(t.Context(), viewer(), "room")
	s.must(err)
	if image.Lint == nil || image.Lint.Errors != 2 || image.System != "Windows 11 Pro" || !image.Single || image.Lint.At != s.clock() {
		t.Errorf("%+v, %+v", image, image.Lint)
	}
	m, err := s.records.Machine(t.Context(), a.machine)
	s.must(err)
	if note, err := s.records.ImageNote(t.Context(), image.ID); err != nil || note.By != m.Name {
		t.Errorf("%+v, %v, want it by %s", note, err, m.Name)
	}
	if j := s.wantState(batch, fleet.Done)[0]; j.Result.Lint != nil {
		t.Errorf("the job keeps the report as well: %.100s", j.Result.Lint)
	}
	told := 0
	for n := len(events); n > 0; n-- {
		if e := <-events; e == (control.Event{Topic: control.TopicImage, ID: image.ID}) {
			told++
		}
	}
	if told != 2 { // it is there, and it was looked over
		t.Errorf("%d events", told)
	}
}

// TestLookedOverByAStranger: an agent may be anybody, and so may the image be that
// it looked over.
func TestLookedOverByAStranger(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	old := s.made("02", "room:v1")
	other := s.made("03", "other:v1")
	s.wait(time.Hour)
	fine := report(t, nil)
	huge := report(t, []lint.Found{{Name: strings.Repeat("x", wire.MaxLint)}})
	for what, c := range map[string]struct {
		result wire.Result
		report json.RawMessage
	}{
		"an older image":   {old, fine},
		"another's image":  {other, fine},
		"no image":         {wire.Result{Outcome: wire.Done, Image: strings.Repeat("09", 32), Name: "room:v9"}, fine},
		"a job that fails": {wire.Result{Outcome: wire.Failed, Image: strings.Repeat("04", 32), Name: "room:v2"}, fine},
		"too much":         {s.made("05", "room:v5"), huge},
		"no JSON":          {s.made("06", "room:v6"), json.RawMessage("{")},
		"nothing":          {s.made("07", "room:v7"), json.RawMessage("null")},
		"no report":        {s.made("08", "room:v8"), json.RawMessage(`{"findings": {"a": 1}}`)},
	} {
		s.captures(a, "room")
		c.result.Lint = c.report
		a.finish(c.result)
		if note, err := s.records.ImageNote(t.Context(), c.result.Image); err == nil {
			t.Errorf("%s was looked over: %s", what, note.Lint)
		}
	}
	s.captures(a, "room")
	result := s.made("10", "room:v10")
	result.Lint = hostile()
	a.finish(result)
	image, err := s.Image(t.Context(), viewer(), "room:v10")
	s.must(err)
	var kept lint.Report
	s.must(json.Unmarshal(image.Lint.Report, &kept))
	f := kept.Findings[0]
	if len(kept.Findings) != 500 || image.Lint.Notes != 500 || f.Severity != lint.Info || f.Partition != 0 || f.Bytes != 0 || f.What != "[2Jgone" || len(f.Do) > 1000 || strings.Contains(string(image.Lint.Report), "extra") {
		t.Errorf("%d findings, %+v", len(kept.Findings), f)
	}
	// What was looked over is not looked over again by a job.
	s.captures(a, "room")
	result.Lint = fine
	a.finish(result)
	if image, err := s.Image(t.Context(), viewer(), "room:v10"); err != nil || image.Lint.Notes != 500 {
		t.Errorf("%+v, %v", image.Lint, err)
	}
}

func hostile() json.RawMessage {
	finding := `{"id": "x", "severity": "dire", "partition": -9, "bytes": -1, "what": "\u001b[2Jgone", "extra": 1}`
	long := fmt.Sprintf(`{"id": "x", "do": %q}`, strings.Repeat("y", 50_000))
	return json.RawMessage(`{"findings": [` + strings.Repeat(finding+",", 600) + long + `]}`)
}
