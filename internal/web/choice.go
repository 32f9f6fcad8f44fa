package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// choice is what was chosen for work so far, as its forms have it: texts, which are
// understood by spec.
type choice struct {
	Kind     wire.Kind
	Image    string
	Machines []string
	Group    string
	// Options are all other fields by name.
	Options map[string]string
}

// optionFields are the fields that a choice carries along, see options.html.
var optionFields = [...]string{"profile", "disk", "grow", "readback", "full", "newids", "then", "at", "wake", "limit", "rate", "attempts", "notes",
	"wipe", "mode", "exclude", "name"}

// choice reads a form or an address.
func (v *visit) choice(kind wire.Kind) choice {
	c := choice{Kind: kind, Image: v.field("image"), Group: v.field("group"), Options: map[string]string{}}
	for _, id := range v.fields("m") {
		if !slices.Contains(c.Machines, id) {
			c.Machines = append(c.Machines, id)
		}
	}
	for _, name := range optionFields {
		if value := v.field(name); value != "" {
			c.Options[name] = value
		}
	}
	return c
}

// Is reports whether an option has a value, for templates.
func (c choice) Is(name, value string) bool { return c.Options[name] == value }

// Get is the value of an option, for templates.
func (c choice) Get(name string) string { return c.Options[name] }

// hiddenField is a field that a form carries along.
type hiddenField struct{ Name, Value string }

// Carry is the choice as hidden fields, without those named: the form has them
// itself.
func (c choice) Carry(without ...string) (fields []hiddenField) {
	for name, values := range c.values() {
		if slices.Contains(without, name) {
			continue
		}
		for _, value := range values {
			fields = append(fields, hiddenField{name, value})
		}
	}
	slices.SortStableFunc(fields, func(a, b hiddenField) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// CarryChosen is the choice as hidden fields for the step that asks for options.
func (c choice) CarryChosen() []hiddenField { return c.Carry(optionFields[:]...) }

// only is the choice for these machines alone.
func (c choice) only(ids []string) choice {
	c.Machines, c.Group = ids, ""
	return c
}

// exactly is the choice as a plan has it: each machine by its ID, and the version of
// the image.
func (c choice) exactly(s fleet.BatchSpec) choice {
	c = c.only(s.Machines)
	if c.Image != "" {
		c.Image = s.Image
	}
	return c
}

func (c choice) values() url.Values {
	q := url.Values{}
	if c.Image != "" {
		q.Set("image", c.Image)
	}
	if len(c.Machines) > 0 {
		q["m"] = c.Machines
	}
	if c.Group != "" {
		q.Set("group", c.Group)
	}
	for name, value := range c.Options {
		q.Set(name, value)
	}
	return q
}

// path is the address of a step with the choice.
func (c choice) path(base, step string) string {
	q := c.values()
	q.Set("step", step)
	return base + "?" + q.Encode()
}

// spec is what the choice asks control for, and which of its fields are not to be
// understood. Times are in a zone.
func (c choice) spec(zone *time.Location) (fleet.BatchSpec, problems) {
	var wrong problems
	number := func(name string, most int) int {
		if c.Options[name] == "" {
			return 0
		}
		n, err := strconv.Atoi(c.Options[name])
		if err != nil || n < 0 || n > most {
			wrong = append(wrong, problem{name, "this must be a whole number from 0 to " + strconv.Itoa(most)})
		}
		return n
	}
	spec := fleet.BatchSpec{
		Kind: c.Kind, Machines: c.Machines, Group: c.Group, Image: c.Image, Profile: c.Options["profile"], Disk: c.Options["disk"],
		Then: wire.Then(c.Options["then"]), Wake: c.Options["wake"] != "", Notes: c.Options["notes"],
		Limit: number("limit", 10000), Attempts: number("attempts", 100), Rate: int64(number("rate", 1<<20)) << 20,
	}
	if at := c.Options["at"]; at != "" {
		t, err := time.ParseInLocation("2006-01-02T15:04", at, zone)
		if err != nil {
			wrong = append(wrong, problem{"at", "this must be a date and a time, as 2026-03-01T22:30"})
		}
		spec.At = t
	}
	switch c.Kind {
	case wire.Deploy:
		spec.Deploy = wire.DeployOptions{Grow: c.Options["grow"], Readback: c.Options["readback"] != "", Full: c.Options["full"] != "", NewIDs: c.Options["newids"] != ""}
	case wire.Capture:
		spec.Image = c.Options["name"]
		spec.Capture = wire.CaptureOptions{Files: c.Options["mode"] == "files", Raw: c.Options["mode"] == "raw"}
		if spec.Capture.Files {
			spec.Capture.Exclude = strings.Fields(c.Options["exclude"])
		}
	case wire.Wipe:
		spec.Wipe = wire.WipeMethod(c.Options["wipe"])
	}
	return spec, wrong
}
