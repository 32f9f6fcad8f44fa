package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Preview is what Submit would do.
type Preview struct {
	// Spec is as a batch would keep it: the image named whole, machines of the group
	// among the machines, defaults filled in.
	Spec     fleet.BatchSpec `json:"spec"`
	Image    *Image          `json:"image,omitempty"`
	Machines []Planned       `json:"machines"`
	Problems InvalidErrors   `json:"problems,omitempty"` // with all of it; those of a machine are with it
	Warnings []string        `json:"warnings,omitempty"`
}

// Planned is what one machine would get.
type Planned struct {
	Machine  string     `json:"machine"` // ID
	Name     string     `json:"name"`
	Online   bool       `json:"online"`
	Hostname string     `json:"hostname,omitempty"`
	Counter  int        `json:"counter,omitempty"`
	Disk     *wire.Disk `json:"disk,omitempty"` // that would be used; its Holds is what is lost
	Problems []string   `json:"problems,omitempty"`
	Warnings []string   `json:"warnings,omitempty"`
}

// Stops reports whether anything stops it.
func (p Preview) Stops() bool {
	for _, m := range p.Machines {
		if len(m.Problems) > 0 {
			return true
		}
	}
	return len(p.Problems) > 0
}

// problems are all that stop it, as one error; nil when nothing does.
func (p Preview) problems() error {
	all := slices.Clone(p.Problems)
	for i, m := range p.Machines {
		for _, problem := range m.Problems {
			all = append(all, &InvalidError{fmt.Sprintf("machines[%d]", i), m.Name + ": " + problem})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

func (p *Preview) problem(field, format string, args ...any) {
	p.Problems = append(p.Problems, &InvalidError{field, fmt.Sprintf(format, args...)})
}

func (p *Planned) problem(format string, args ...any) {
	p.Problems = append(p.Problems, fmt.Sprintf(format, args...))
}

func (p *Planned) warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...))
}

// Preview says what Submit would do with each machine, and what stops it. An error
// is trouble of the server's; what is wrong with spec is in Problems.
func (c *Control) Preview(ctx context.Context, actor fleet.Actor, spec fleet.BatchSpec) (Preview, error) {
	if err := look(actor, fleet.Operator); err != nil {
		return Preview{}, err
	}
	p := planning{c: c}
	err := p.run(ctx, spec)
	return p.Preview, err
}

// planning makes a Preview.
type planning struct {
	Preview
	c        *Control
	machines []fleet.Machine // in the order of Preview.Machines
	document *profile.Document
	// again are the jobs that are done once more, by machine: their names stay.
	again map[string]fleet.Job
}

func (p *planning) run(ctx context.Context, spec fleet.BatchSpec) error {
	p.Spec = spec.Complete()
	for _, problem := range p.Spec.Problems(p.c.now()) {
		p.problem(problem.Field, "%s", problem.Message)
	}
	if len(p.Problems) > 0 {
		return nil
	}
	for _, step := range []func(context.Context) error{p.findMachines, p.findImage, p.findProfile, p.judge, p.names} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *planning) findMachines(ctx context.Context) error {
	var ids []string
	for i, id := range p.Spec.Machines {
		m, err := machineBy(ctx, p.c.records, id)
		var notFound *NotFoundError
		if errors.As(err, &notFound) {
			p.problem(fmt.Sprintf("machines[%d]", i), "%v", err)
			continue
		}
		if err != nil {
			return err
		}
		p.add(m, &ids)
	}
	if p.Spec.Group != "" {
		if _, err := p.c.records.Group(ctx, p.Spec.Group); errors.Is(err, ErrNoRecord) {
			p.problem("group", "there is no group %q", clean(p.Spec.Group, maxName))
		} else if err != nil {
			return err
		}
		group, _, err := p.c.records.Machines(ctx, MachineFilter{Group: p.Spec.Group, State: wire.Approved, Limit: fleet.MaxBatch})
		if err != nil {
			return err
		}
		for _, m := range group {
			p.add(m, &ids)
		}
	}
	if p.Spec.Machines = ids; len(ids) == 0 && len(p.Problems) == 0 {
		p.problem("group", "the group %s has no approved machine", p.Spec.Group)
	}
	if len(ids) > 1 && p.Spec.Deploy.Hostname != "" {
		p.problem("deploy.hostname", "one host name is for one machine")
	}
	return nil
}

func (p *planning) add(m fleet.Machine, ids *[]string) {
	if slices.Contains(*ids, m.ID) {
		return
	}
	*ids = append(*ids, m.ID)
	m = p.c.live.overlay(m)
	p.machines = append(p.machines, m)
	p.Machines = append(p.Machines, Planned{Machine: m.ID, Name: m.Name, Online: m.Online(p.c.now())})
}

func (p *planning) findImage(ctx context.Context) error {
	if p.Spec.Kind == wire.Capture {
		return p.newImage(ctx)
	}
	if !fleet.NeedsImage(p.Spec.Kind) {
		return nil
	}
	ref := p.Spec.Image
	if p.again != nil {
		ref = p.Spec.ImageID // the same bytes, whatever the name stands for by now
	}
	image, err := p.c.images.Find(ctx, ref)
	if isAnswer(err) {
		p.problem("image", "%v", err)
		return nil
	}
	if err == nil {
		image, err = p.c.annotated(ctx, image, false)
	}
	if err != nil {
		return err
	}
	p.Image, p.Spec.ImageID = &image, image.ID
	if p.again == nil {
		p.Spec.Image = wholeName(image, ref)
	}
	return nil
}

// wholeName is the name:tag that ref means.
func wholeName(image Image, ref string) string {
	for _, name := range image.Names {
		if name == ref || strings.HasPrefix(name, ref+":") {
			return name
		}
	}
	if len(image.Names) > 0 {
		return image.Names[0]
	}
	return ref
}

// newImage checks the name that a capture gives.
func (p *planning) newImage(ctx context.Context) error {
	_, tag, err := store.ParseName(p.Spec.Image)
	if err != nil {
		p.problem("image", "%v", err)
		return nil
	}
	if tag == "" {
		return nil
	}
	if len(p.machines) > 1 {
		p.problem("image", "%s can be one image only; leave out %q, so that each machine's image is a version of its own", p.Spec.Image, ":"+tag)
	}
	_, err = p.c.images.Find(ctx, p.Spec.Image)
	switch {
	case err == nil:
		p.problem("image", "there is an image %s already; leave out %q for the next version", p.Spec.Image, ":"+tag)
	case !isAnswer(err):
		return err
	}
	return nil
}

func (p *planning) findProfile(context.Context) error {
	if p.Spec.Profile == "" {
		return nil
	}
	document, err := p.c.profiles.load(p.Spec.Profile)
	if isAnswer(err) {
		p.problem("profile", "%v", err)
		return nil
	}
	p.document = document
	return err
}
