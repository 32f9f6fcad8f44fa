package fleet

import (
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

func TestSpecProblems(t *testing.T) {
	deploy := func(change func(*BatchSpec)) BatchSpec {
		s := BatchSpec{Kind: wire.Deploy, Machines: []string{"m-a", "m-b"}, Image: "lab:v1"}
		change(&s)
		return s
	}
	for _, c := range []struct {
		field string
		spec  BatchSpec
	}{
		{"", deploy(func(s *BatchSpec) {})},
		{"kind", deploy(func(s *BatchSpec) { s.Kind = "format" })},
		{"machines", deploy(func(s *BatchSpec) { s.Machines = nil })},
		{"machines", deploy(func(s *BatchSpec) { s.Machines = []string{"m-a", "m-a"} })},
		{"image", deploy(func(s *BatchSpec) { s.Image = "" })},
		{"image", BatchSpec{Kind: wire.Capture, Machines: []string{"m-a"}}},
		{"image", BatchSpec{Kind: wire.Wipe, Wipe: wire.WipeDiscard, Machines: []string{"m-a"}, Image: "lab"}},
		{"wipe", BatchSpec{Kind: wire.Wipe, Machines: []string{"m-a"}}},
		{"profile", BatchSpec{Kind: wire.Verify, Image: "lab", Profile: "lab", Machines: []string{"m-a"}}},
		{"disk", BatchSpec{Kind: RebootKind, Disk: "/dev/sda", Group: "lab"}},
		{"disk", deploy(func(s *BatchSpec) { s.Disk = "/dev/sda\n" })},
		{"capture.raw", BatchSpec{Kind: wire.Capture, Image: "lab", Group: "lab", Capture: wire.CaptureOptions{Files: true, Raw: true}}},
		{"capture.exclude", BatchSpec{Kind: wire.Capture, Image: "lab", Group: "lab", Capture: wire.CaptureOptions{Exclude: []string{"*.tmp"}}}},
		{"deploy.hostname", deploy(func(s *BatchSpec) { s.Deploy.Hostname = "pc-1" })},
		{"deploy.grow", deploy(func(s *BatchSpec) { s.Deploy.Grow = "a\x00b" })},
		{"then", deploy(func(s *BatchSpec) { s.Then = "explode" })},
		{"at", deploy(func(s *BatchSpec) { s.At = start().Add(400 * 24 * time.Hour) })},
		{"limit", deploy(func(s *BatchSpec) { s.Limit = -1 })},
		{"rate", deploy(func(s *BatchSpec) { s.Rate = 1 })},
		{"attempts", deploy(func(s *BatchSpec) { s.Attempts = 11 })},
	} {
		problems := c.spec.Problems(start())
		if c.field == "" && len(problems) > 0 || c.field != "" && (len(problems) != 1 || problems[0].Field != c.field) {
			t.Errorf("%+v: %v, want one with %q", c.spec, problems, c.field)
		}
	}
}

func TestComplete(t *testing.T) {
	if s := (BatchSpec{Kind: wire.Deploy}).Complete(); s.Then != wire.Reboot || s.Attempts != DefaultAttempts {
		t.Errorf("%+v", s)
	}
	if s := (BatchSpec{Kind: wire.Capture}).Complete(); s.Then != wire.Stay {
		t.Errorf("%+v", s)
	}
	if s := (BatchSpec{Kind: ShutdownKind, Then: wire.Stay}).Complete(); s.Then != wire.Shutdown {
		t.Errorf("%+v", s)
	}
}
