// Package windows makes a Windows that lies on a mounted volume one machine's own.
//
// It owns what is written into such a system before it runs: an answer file for
// the rest of Windows Setup, SetupComplete.cmd, files, drivers, and offline edits
// of the registry and of BCD. What only Windows itself can do is put where Windows
// Setup will do it, which it does on a system that sysprep has generalized. It
// refuses a system that is asleep, hives that were not closed in order, and to
// give several machines a Windows that would make them twins.
//
// Start at Inspect, which changes nothing, and Apply. FixBCD is for the volume the
// machine starts from. Drivers that package drivers has staged are taken up.
package windows

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// NotGeneralizedError refuses a Windows that was not generalized for several
// machines.
type NotGeneralizedError struct {
	State    string // ImageState
	Machines int
}

func (e *NotGeneralizedError) Error() string {
	return fmt.Sprintf("this Windows was not generalized (its ImageState is %q): %d machines made of it would have the same security identifier, and since the updates of 2025 (KB5070568) Windows refuses log-ons between such machines. Run 'sysprep /generalize /oobe /shutdown' and capture it again, or set windows.not-generalized: force", e.State, e.Machines)
}

// NeedsSetupError refuses settings that only Windows Setup can apply, for a system
// on which it will not run.
type NeedsSetupError struct {
	State string   // ImageState
	Keys  []string // of the profile
}

func (e *NeedsSetupError) Error() string {
	return fmt.Sprintf("only Windows Setup can apply %s, and on a Windows that was not generalized (its ImageState is %q) it does not run. Run sysprep on it first, take these out of the profile, or set windows.not-generalized: force to leave them out", strings.Join(e.Keys, ", "), e.State)
}

// HibernatedError refuses a Windows that is asleep.
type HibernatedError struct{}

func (e *HibernatedError) Error() string {
	return "this Windows is hibernated, perhaps by fast startup: it would go on with what it remembers of its files, and damage them. Shut it down fully (shutdown /s /t 0) and capture it again"
}

// Apply makes the Windows in root what job says. With nil Settings only what
// refers to the disk is changed. A second Apply of the same job changes nothing
// more.
func Apply(ctx context.Context, root *rootfs.Root, job customise.Job) (*customise.Report, error) {
	info, err := Inspect(root)
	if err != nil {
		return nil, err
	}
	s := &session{tree: newTree(root), job: job, info: info, want: job.Settings}
	if s.want == nil {
		s.want = &profile.Settings{}
	}
	if err := s.refuse(); err != nil {
		return nil, err
	}
	steps := []struct {
		what string
		do   func() error
	}{
		{"refer to the new disk", s.mountedDevices},
		{"make the boot menu fit", s.bootMenu},
		{"edit what the system is called", s.identity},
		{"edit the registry", s.edits},
		{"put files in place", func() error { return s.files(ctx) }},
		{"put scripts in place", s.scripts},
		{"tell Windows of its drivers", func() error { return s.drivers(ctx) }},
		{"write the answer file", s.answerFile},
		{"write the registry", s.save},
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step.do(); err != nil {
			return nil, fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return &s.report, nil
}

// session is one Apply.
type session struct {
	tree
	job    customise.Job
	want   *profile.Settings // never nil
	info   Info
	staged bool // there are drivers to install
}

// refuse is every refusal that can be known before something is written.
func (s *session) refuse() error {
	w := s.want.Windows
	if s.info.Hibernated {
		return &HibernatedError{}
	}
	if s.info.Generalized || w.NotGeneralized == "force" {
		return nil
	}
	if s.job.Machines > 1 {
		return &NotGeneralizedError{s.info.ImageState, s.job.Machines}
	}
	if keys := s.forSetup(); len(keys) > 0 {
		return &NeedsSetupError{s.info.ImageState, keys}
	}
	return nil
}

// forSetup are the keys of the profile that the answer file alone can carry.
func (s *session) forSetup() []string {
	w := s.want.Windows
	var keys []string
	for _, k := range []struct {
		key   string
		given bool
	}{
		{"users", len(s.want.Users) > 0}, {"locale", s.want.Locale != ""}, {"keyboard", s.want.Keyboard != "" || w.Keyboard != ""},
		{"network", len(s.want.Network) > 0}, {"windows.product-key", w.ProductKey != ""}, {"windows.administrator", w.Administrator != profile.Password{}},
		{"windows.workgroup", w.Workgroup != ""}, {"windows.domain", w.Domain != profile.Domain{}}, {"windows.unattend", w.Unattend != ""},
	} {
		if k.given {
			keys = append(keys, k.key)
		}
	}
	return keys
}

// left says once what is left out since Windows Setup will not run.
func (s *session) left() {
	if keys := s.forSetup(); !s.info.Generalized && len(keys) > 0 {
		s.note("This Windows was not generalized, so Windows Setup does not run: %s were left out.", strings.Join(keys, ", "))
	}
}

func (t *tree) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(t.report.Notes, n) {
		t.report.Notes = append(t.report.Notes, n)
	}
}
