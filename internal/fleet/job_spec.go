package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Bounds of what may be asked for.
const (
	MaxBatch     = 10_000 // machines
	maxAhead     = 366 * 24 * time.Hour
	minRate      = 100_000 // bytes per second
	maxSpecText  = 2000
	maxSpecWords = 100 // entries of maps and lists
)

// SpecProblem is what is wrong with one field of a BatchSpec.
type SpecProblem struct {
	Field   string // as in its JSON: "machines", "deploy.grow"
	Message string
}

// Complete fills in what a spec leaves open.
func (s BatchSpec) Complete() BatchSpec {
	if s.Attempts == 0 {
		s.Attempts = DefaultAttempts
	}
	if s.Then == "" {
		s.Then = wire.Stay
		if s.Kind == wire.Deploy {
			s.Then = wire.Reboot
		}
	}
	if then, told := ThenOf(s.Kind); told {
		s.Then = then
	}
	s.Notes = Text(s.Notes, maxSpecText)
	return s
}

// Problems are what is wrong with a spec by itself, whatever machines and images
// there are.
func (s BatchSpec) Problems(now time.Time) []SpecProblem {
	var p specProblems
	if !slices.Contains(Kinds(), s.Kind) {
		p.add("kind", "want one of %v", Kinds())
		return p
	}
	p.machines(s)
	p.image(s)
	p.options(s)
	p.when(s, now)
	return p
}

type specProblems []SpecProblem

func (p *specProblems) add(field, format string, args ...any) {
	*p = append(*p, SpecProblem{field, fmt.Sprintf(format, args...)})
}

func (p *specProblems) machines(s BatchSpec) {
	if len(s.Machines) == 0 && s.Group == "" {
		p.add("machines", "choose a machine or a group")
	}
	if len(s.Machines) > MaxBatch {
		p.add("machines", "at most %d machines at once", MaxBatch)
		return
	}
	seen := map[string]bool{}
	for _, id := range s.Machines {
		if seen[id] {
			p.add("machines", "%s is there twice", quote(id))
			return
		}
		seen[id] = true
	}
}

func (p *specProblems) image(s BatchSpec) {
	switch {
	case NeedsImage(s.Kind) && s.Image == "":
		p.add("image", "choose an image")
	case s.Kind == wire.Capture && s.Image == "":
		p.add("image", "give the image a name")
	case !NeedsImage(s.Kind) && s.Kind != wire.Capture && s.Image != "":
		p.add("image", "%s takes no image", s.Kind)
	}
	if s.Profile != "" && s.Kind != wire.Deploy {
		p.add("profile", "%s takes no profile", s.Kind)
	}
	if s.Disk != "" && !NeedsDisk(s.Kind) {
		p.add("disk", "%s takes no disk", s.Kind)
	}
	if s.Disk != Text(s.Disk, maxText) {
		p.add("disk", "a disk is a path, a serial number, %q, %q or %q", LargestDisk, SmallestDisk, FirstNVMe)
	}
}

func (p *specProblems) options(s BatchSpec) {
	if s.Kind == wire.Wipe && s.Wipe != wire.WipeDiscard && s.Wipe != wire.WipeOverwrite {
		p.add("wipe", "want %q or %q", wire.WipeDiscard, wire.WipeOverwrite)
	}
	if s.Kind == wire.Capture && s.Capture.Files && s.Capture.Raw {
		p.add("capture.raw", "an image is made of files or of raw sectors, not of both")
	}
	if len(s.Capture.Exclude) > 0 && !s.Capture.Files {
		p.add("capture.exclude", "files are left out of images made of files only")
	}
	if s.Deploy.Hostname != "" && (len(s.Machines) > 1 || s.Group != "") {
		p.add("deploy.hostname", "one host name is for one machine; use a profile with a pattern, or set the machines' own")
	}
	if len(s.Capture.Exclude) > maxSpecWords || len(s.Deploy.Values) > maxSpecWords || len(s.Deploy.FileSystems) > maxSpecWords {
		p.add("", "at most %d values, file systems or excluded names", maxSpecWords)
	}
	p.texts(s)
}

// texts refuses what no option could be, since it becomes an argument of a command
// on the machine.
func (p *specProblems) texts(s BatchSpec) {
	check := func(field, text string) {
		if text != Text(text, maxText) {
			p.add(field, "has control characters, or more than %d", maxText)
		}
	}
	check("image", s.Image)
	check("deploy.grow", s.Deploy.Grow)
	check("deploy.free", s.Deploy.Free)
	for _, name := range s.Capture.Exclude {
		check("capture.exclude", name)
	}
	for name, value := range s.Deploy.Values {
		check("deploy.values", name)
		check("deploy.values", value)
	}
	for name, value := range s.Deploy.FileSystems {
		check("deploy.fileSystems", name)
		check("deploy.fileSystems", value)
	}
	if s.Deploy.Hostname != "" {
		if problem := HostnameProblem(s.Deploy.Hostname); problem != "" {
			p.add("deploy.hostname", "%s", problem)
		}
	}
}

func (p *specProblems) when(s BatchSpec, now time.Time) {
	if !slices.Contains([]wire.Then{"", wire.Stay, wire.Reboot, wire.Shutdown, wire.LocalBoot}, s.Then) {
		p.add("then", "want %q, %q, %q or %q", wire.Stay, wire.Reboot, wire.Shutdown, wire.LocalBoot)
	}
	if !s.At.IsZero() && s.At.After(now.Add(maxAhead)) {
		p.add("at", "at most a year ahead")
	}
	if s.Limit < 0 || s.Limit > MaxBatch {
		p.add("limit", "from 0 (no limit) to %d", MaxBatch)
	}
	if s.Rate < 0 || s.Rate > 0 && s.Rate < minRate {
		p.add("rate", "0 (no cap), or at least %d bytes a second", minRate)
	}
	if s.Attempts < 0 || s.Attempts > MaxAttempts {
		p.add("attempts", "from 1 to %d; 0: %d", MaxAttempts, DefaultAttempts)
	}
}
