package drivers

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// Target is the system that drivers are chosen for.
type Target struct {
	OS       OS
	Versions []string // all names of its version: "debian-12", "12"; "11", "26100"
	Arch     string   // of Windows: "amd64" when it is ""
	Builtin  Builtin  // nil: what it brings is not known, and no device is called unclaimed
}

// Builtin is what a system brings itself.
type Builtin interface {
	Claims(d profile.Device) bool
}

// Choice is what a machine gets. It can be printed and kept.
type Choice struct {
	Sets      []Chosen  `json:"sets,omitempty"` // in the order of staging
	Unclaimed []Missing `json:"unclaimed,omitempty"`
	Notes     []string  `json:"notes,omitempty"` // what is wrong with drivers that were looked at

	os      OS
	library *Library
}

// Chosen is a set and why it was chosen.
type Chosen struct {
	Name  string `json:"name"`
	Why   string `json:"why"`
	Files int    `json:"files"`
	Bytes int64  `json:"bytes"`
	set   *Set
}

// Missing is a device without a driver that could be used.
type Missing struct {
	profile.Device
	// BootCritical devices may hold the system's disk: without a driver it stops.
	BootCritical bool `json:"bootCritical,omitempty"`
	// Set has a driver all the same, which comes too late: Windows can use a staged
	// driver only when it has found its disk.
	Set string `json:"set,omitempty"`
}

func (m Missing) String() string {
	s := fmt.Sprintf("%s device %s (class %s) has no driver", m.Bus, m.ID, m.Class)
	if m.Set != "" {
		s = fmt.Sprintf("%s device %s (class %s) has a driver in %s alone, which Windows cannot use to start", m.Bus, m.ID, m.Class, m.Set)
	}
	if m.BootCritical {
		return "boot-critical: " + s
	}
	return s
}

// Choose returns the sets for a machine, the highest priority first, and which of
// its devices neither they nor the system claim. A library that is nil has no
// sets. The error is ctx's.
func (l *Library) Choose(ctx context.Context, f profile.Facts, t Target) (Choice, error) {
	c := Choice{os: t.OS, library: l}
	if l != nil {
		for i := range l.Sets {
			s := &l.Sets[i]
			if why, ok := s.fits(f, t); ok {
				c.Sets = append(c.Sets, Chosen{s.Name, why, len(s.files), s.Bytes, s})
			}
		}
	}
	slices.SortStableFunc(c.Sets, func(a, b Chosen) int { return cmp.Compare(b.set.Match.Priority, a.set.Match.Priority) })
	claims := make([]func(profile.Device) bool, len(c.Sets))
	for i, s := range c.Sets {
		var err error
		if claims[i], err = c.claims(ctx, s.set, t); err != nil {
			return Choice{}, err
		}
	}
	if t.Builtin == nil {
		return c, nil
	}
	for _, d := range f.Devices {
		if m, ok := c.missing(d, t, claims); ok && !slices.Contains(c.Unclaimed, m) {
			c.Unclaimed = append(c.Unclaimed, m)
		}
	}
	slices.SortStableFunc(c.Unclaimed, func(a, b Missing) int { return cmp.Compare(rank(a), rank(b)) })
	return c, nil
}

// rank puts boot-critical devices first.
func rank(m Missing) int {
	if m.BootCritical {
		return 0
	}
	return 1
}

func (c *Choice) missing(d profile.Device, t Target, claims []func(profile.Device) bool) (Missing, bool) {
	if !wantsDriver(d) || t.Builtin.Claims(d) {
		return Missing{}, false
	}
	m := Missing{Device: d, BootCritical: bootCritical(d)}
	i := slices.IndexFunc(claims, func(claim func(profile.Device) bool) bool { return claim(d) })
	if i < 0 {
		return m, true
	}
	m.Set = c.Sets[i].Name
	return m, m.BootCritical && t.OS == Windows
}

// claims reads what a set's drivers are for. A match.yaml that names devices is
// believed, whatever the set holds.
func (c *Choice) claims(ctx context.Context, s *Set, t Target) (func(profile.Device) bool, error) {
	ids, modules := idSet{}, aliases{}
	err := ctx.Err()
	if t.OS == Windows {
		err = c.readINFs(ctx, s, t, ids)
	} else {
		c.readModules(s, modules)
	}
	return func(d profile.Device) bool {
		return s.Match.device([]profile.Device{d}) != "" || ids.Claims(d) || modules.Claims(d)
	}, err
}

// readModules collects the aliases of a set's kernel modules. Those in packages
// and in compressed modules are not looked at: match.yaml can name the devices.
func (c *Choice) readModules(s *Set, modules aliases) {
	for _, name := range s.files {
		if !strings.HasSuffix(name, ".ko") {
			continue
		}
		data, err := readBounded(c.library.fsys, name, maxModule)
		if err != nil {
			c.note("%s: it cannot be read: %v", name, err)
			continue
		}
		modules.addModinfo(data, "alias=")
	}
}

// readINFs collects the IDs of a set, and notes what is wrong with it.
func (c *Choice) readINFs(ctx context.Context, s *Set, t Target, ids idSet) error {
	have := map[string]bool{}
	for _, name := range s.files {
		have[strings.ToLower(name)] = true
	}
	read := 0
	for _, name := range s.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !isINF(name) {
			continue
		}
		read++
		data, err := readBounded(c.library.fsys, name, maxINF+1)
		if err != nil {
			c.note("%s: it cannot be read: %v", name, err)
			continue
		}
		inf := ParseINF(data, cmp.Or(t.Arch, "amd64"))
		for _, id := range inf.IDs {
			ids.add(id)
		}
		c.judge(name, inf, have)
	}
	if read == 0 {
		c.note("%s: it has no INF file, and Windows will find nothing in it", s.Name)
	}
	return nil
}

// judge notes why Windows may not take a driver.
func (c *Choice) judge(name string, inf INF, have map[string]bool) {
	switch {
	case inf.Foreign:
		c.note("%s: it is for other architectures", name)
	case inf.Class == "" && len(inf.IDs) == 0:
		c.note("%s: it is no INF file that can be read", name)
	case inf.Catalog != "" && !have[strings.ToLower(path.Join(path.Dir(name), inf.Catalog))]:
		c.note("%s: its catalogue %s is missing, so Windows takes it for unsigned", name, inf.Catalog)
	}
}

// maxNotes bounds what is said about one choice.
const maxNotes = 200

func (c *Choice) note(format string, args ...any) {
	switch {
	case len(c.Notes) < maxNotes:
		c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
	case len(c.Notes) == maxNotes:
		c.Notes = append(c.Notes, "More is wrong with these drivers and not shown.")
	}
}
