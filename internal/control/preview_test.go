package control_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func (s *server) preview(spec fleet.BatchSpec) control.Preview {
	s.t.Helper()
	p, err := s.Preview(s.t.Context(), operator(), spec)
	s.must(err)
	return p
}

func TestPreviewNames(t *testing.T) {
	s := newServer(t)
	agents := s.approved(3)
	s.must(s.PutProfile(t.Context(), operator(), "lab", []byte("name: pc-{room}-{n}\nvalues:\n  room: a1\n")))
	s.must(s.SetHostname(t.Context(), operator(), agents[1].machine, "teacher"))
	s.must(s.SetValues(t.Context(), operator(), agents[2].machine, fleet.Values{"room": "b2"}))
	spec := deploy(agents...)
	spec.Profile = "lab"
	p := s.preview(spec)
	if p.Stops() {
		t.Fatalf("%+v", p)
	}
	for i, want := range []string{"pc-a1-1", "teacher", "pc-b2-3"} {
		if p.Machines[i].Hostname != want || p.Machines[i].Counter != i+1 {
			t.Errorf("machine %d: %q %d, want %q", i, p.Machines[i].Hostname, p.Machines[i].Counter, want)
		}
	}
	b := s.submit(spec)
	if j := s.jobs(b.ID)[2]; j.Hostname != "pc-b2-3" {
		t.Errorf("%+v", j)
	}
	job := agents[2].next().Job
	if !job.Deploy.Profile || job.Deploy.Hostname != "pc-b2-3" || job.Deploy.Counter != 3 || job.Deploy.Values["room"] != "b2" {
		t.Errorf("%+v", job.Deploy)
	}
	if name, err := s.JobProfile(t.Context(), agents[2].session, job.ID); err != nil || name != "lab" {
		t.Errorf("%q %v", name, err)
	}

	s.must(s.PutProfile(t.Context(), operator(), "twins", []byte("name: twin\n")))
	spec.Profile = "twins"
	if p = s.preview(spec); len(p.Machines[2].Problems) != 1 || !strings.Contains(p.Machines[2].Problems[0], "twin") {
		t.Errorf("%+v", p.Machines[2])
	}
	s.must(s.Rename(t.Context(), operator(), agents[2].machine, "Twin"))
	spec.Machines = spec.Machines[:1]
	if p = s.preview(spec); len(p.Machines[0].Problems) != 1 || !strings.Contains(p.Machines[0].Problems[0], "already") {
		t.Errorf("%+v", p.Machines[0])
	}
	var invalid control.InvalidErrors
	if _, err := s.Submit(t.Context(), operator(), spec); !errors.As(err, &invalid) || invalid[0].Field != "machines[0]" {
		t.Errorf("%v", err)
	}
}

func TestPreviewProblems(t *testing.T) {
	s := newServer(t)
	agents := s.approved(2)
	waits := s.agent(7).start()
	s.images.all = append(s.images.all,
		control.Image{ID: strings.Repeat("cd", 32), Names: []string{"big:v1"}, Least: 1e12},
		control.Image{ID: strings.Repeat("ef", 32), Names: []string{"shrinks:v1"}, Least: 1e12, Shrinks: true},
		control.Image{ID: strings.Repeat("01", 32), Names: []string{"single:v1"}, Single: true})
	for _, c := range []struct {
		name    string
		change  func(*fleet.BatchSpec)
		problem string // in all, or of the first machine
		warning string
	}{
		{"nothing", func(*fleet.BatchSpec) {}, "", ""},
		{"no image", func(b *fleet.BatchSpec) { b.Image = "none" }, `there is no image "none"`, ""},
		{"too large", func(b *fleet.BatchSpec) { b.Image = "big" }, "needs a disk of 1.0 TB (1000000000000 bytes), /dev/nvme0n1 has 512.0 GB", ""},
		{"shrinks", func(b *fleet.BatchSpec) { b.Image = "shrinks" }, "", "measured on the machine"},
		{"not generalized", func(b *fleet.BatchSpec) { b.Image = "single" }, "sysprep", ""},
		{"one is enough", func(b *fleet.BatchSpec) { b.Image, b.Machines = "single", b.Machines[:1] }, "", ""},
		{"no machine", func(b *fleet.BatchSpec) { b.Machines = []string{"m-none"} }, "no machine", ""},
		{"unapproved", func(b *fleet.BatchSpec) { b.Machines = []string{waits.machine} }, "approve it first", ""},
		{"no group", func(b *fleet.BatchSpec) { b.Group = "none" }, `there is no group "none"`, ""},
		{"no profile", func(b *fleet.BatchSpec) { b.Profile = "none" }, `there is no profile "none"`, ""},
		{"no disk", func(b *fleet.BatchSpec) { b.Disk = "/dev/sdz" }, "no disk with the path", ""},
		{"tag twice", func(b *fleet.BatchSpec) { b.Kind, b.Image = wire.Capture, "new:v1" }, "one image only", ""},
		{"tag taken", func(b *fleet.BatchSpec) { b.Kind, b.Image, b.Machines = wire.Capture, "old:v1", b.Machines[:1] }, "already", ""},
		{"capture", func(b *fleet.BatchSpec) { b.Kind, b.Image = wire.Capture, "new" }, "", ""},
		{"bad name", func(b *fleet.BatchSpec) { b.Kind, b.Image = wire.Capture, "../x" }, "x", ""},
	} {
		spec := deploy(agents...)
		c.change(&spec)
		p := s.preview(spec)
		problems := p.Problems.Error()
		var warnings string
		if len(p.Machines) > 0 {
			problems += strings.Join(p.Machines[0].Problems, "; ")
			warnings = strings.Join(p.Machines[0].Warnings, "; ")
		}
		if p.Stops() != (c.problem != "") || !strings.Contains(problems, c.problem) || !strings.Contains(warnings, c.warning) {
			t.Errorf("%s: problems %q, warnings %q", c.name, problems, warnings)
		}
	}
	s.wait(time.Hour)
	if p := s.preview(deploy(agents...)); p.Stops() || len(p.Machines[0].Warnings) != 1 || p.Machines[0].Online {
		t.Errorf("%+v", p.Machines[0])
	}
}

func TestGroupsInBatches(t *testing.T) {
	s := newServer(t)
	agents := s.approved(2)
	waits := s.agent(5).start()
	s.must(s.AddGroup(t.Context(), operator(), "lab", ""))
	s.must(s.Join(t.Context(), operator(), "lab", []string{agents[1].machine, waits.machine}))
	b := s.submit(fleet.BatchSpec{Kind: wire.Wipe, Wipe: wire.WipeDiscard, Group: "lab", Machines: []string{agents[0].machine, agents[1].machine}})
	if len(b.Spec.Machines) != 2 {
		t.Errorf("%v", b.Spec.Machines)
	}
	s.must(s.RemoveGroup(t.Context(), operator(), "lab"))
	if m, _ := s.Machine(t.Context(), viewer(), waits.machine); len(m.Groups) != 0 {
		t.Errorf("%v", m.Groups)
	}
}

func TestExpectedMachinesChooseTheirDiskLater(t *testing.T) {
	s := newServer(t)
	_, err := s.ImportMachines(t.Context(), operator(), strings.NewReader("serial,name\n5XK2R001,lab-1\n"))
	s.must(err)
	b := s.submit(fleet.BatchSpec{Kind: wire.Deploy, Image: "lab-pc", Machines: []string{"lab-1"}, Disk: fleet.LargestDisk})
	if s.jobs(b.ID)[0].Disk != "" {
		t.Error("a disk was chosen that nobody saw")
	}
	job := s.agent(1).start().next().Job
	if job == nil || job.Disk != "WD000001" {
		t.Fatalf("%+v", job)
	}
	b = s.submit(fleet.BatchSpec{Kind: wire.Verify, Image: "lab-pc", Machines: []string{"lab-1"}})
	s.must(s.Cancel(t.Context(), operator(), b.ID))
}
