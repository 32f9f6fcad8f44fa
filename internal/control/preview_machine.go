package control

import (
	"context"
	"strings"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// judge says of each machine what stops the work, and what is worth knowing.
func (p *planning) judge(ctx context.Context) error {
	if p.Image != nil && p.Image.Single && p.Spec.Kind == wire.Deploy && len(p.machines) > 1 {
		p.notGeneralized()
	}
	for i := range p.machines {
		if err := p.judgeMachine(ctx, p.machines[i], &p.Machines[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *planning) notGeneralized() {
	const what = "this Windows was not generalized, so that all machines would be one to a domain and to licences"
	if p.document != nil && p.document.Profile.Windows.NotGeneralized == "force" {
		p.Warnings = append(p.Warnings, what+"; the profile forces it")
		return
	}
	p.problem("image", "%s: run sysprep before the capture, deploy it to one machine, or let the profile say 'not-generalized: force'", what)
}

func (p *planning) judgeMachine(ctx context.Context, m fleet.Machine, out *Planned) error {
	if m.State != wire.Approved {
		out.problem("it is %s: approve it first", m.State)
	}
	jobs, err := p.c.records.OpenJobs(ctx, m.ID)
	if err != nil {
		return err
	}
	switch {
	case len(jobs) >= maxOpenJobs:
		out.problem("it has %d jobs that have not ended", len(jobs))
	case len(jobs) > 0:
		out.warn("it has other work first: %d", len(jobs))
	}
	switch {
	case m.Stick:
		out.warn("its agent started from a stick, and waits for approval")
	case !out.Online && p.Spec.Wake && len(m.Identity.MACs) == 0:
		out.warn("it is off, and has no network interface that can be woken: switch it on")
	case !out.Online && !p.Spec.Wake:
		out.warn("it is off: the work waits until it starts from the network")
	}
	if fleet.NeedsDisk(p.Spec.Kind) {
		p.judgeDisk(m, out)
	}
	return nil
}

// maxOpenJobs bounds what a machine can be given at once.
const maxOpenJobs = 50

func (p *planning) judgeDisk(m fleet.Machine, out *Planned) {
	if m.Expected || m.LastSeen.IsZero() {
		out.warn("it was never seen: its disk is chosen, and looked at, when it starts")
		return
	}
	disk, problem := fleet.ChooseDisk(m.Inventory.Disks, p.Spec.Disk)
	if problem != "" {
		out.problem("%s", problem)
		return
	}
	out.Disk = &disk
	if strings.HasPrefix(disk.Health, "failing") {
		out.warn("the disk %s says that it is failing", disk.Path)
	}
	if p.Image == nil || p.Spec.Kind != wire.Deploy {
		return
	}
	problem, warning := fleet.Fits(disk, p.Image.Least, p.Image.Shrinks)
	if problem != "" {
		out.problem("%s", problem)
	}
	if warning != "" {
		out.warn("%s", warning)
	}
	if disk.Sector > 0 && p.Image.Sector > 0 && disk.Sector != p.Image.Sector {
		out.warn("the disk has sectors of %d bytes, the image of %d: whether it can be made to fit is found out on the machine", disk.Sector, p.Image.Sector)
	}
}

// names gives each machine its host name: the one that somebody set, or what the
// profile's pattern makes of it.
func (p *planning) names(ctx context.Context) error {
	if p.Spec.Kind != wire.Deploy || len(p.Problems) > 0 {
		return nil
	}
	var all []string
	first := map[string]int{}
	for i, m := range p.machines {
		out := &p.Machines[i]
		p.name(m, i, out)
		if out.Hostname == "" {
			continue
		}
		key := strings.ToLower(out.Hostname)
		if before, twice := first[key]; twice {
			out.problem("its host name %s is also that of %s", out.Hostname, p.Machines[before].Name)
			continue
		}
		first[key] = i
		all = append(all, key)
	}
	uses, err := p.c.records.MachineNames(ctx, all)
	if err != nil {
		return err
	}
	planned := map[string]bool{}
	for _, m := range p.machines {
		planned[m.ID] = true
	}
	for _, use := range uses {
		// The names of the machines here are what this batch gives them.
		if i, ours := first[use.Name]; ours && !planned[use.Machine] {
			p.Machines[i].problem("its host name %s is that of the machine %s already", p.Machines[i].Hostname, use.Machine)
		}
	}
	return nil
}

func (p *planning) name(m fleet.Machine, i int, out *Planned) {
	out.Counter = max(p.Spec.Deploy.Counter, 1) + i
	wanted := p.Spec.Deploy.Hostname
	if wanted == "" {
		wanted = m.Hostname
	}
	if job, again := p.again[m.ID]; again {
		out.Counter, out.Hostname = job.Counter, job.Hostname
		return
	}
	if p.document == nil {
		out.Hostname = wanted
		return
	}
	if m.Expected || m.LastSeen.IsZero() {
		out.warn("it was never seen: a host name that is made of what it is, such as its serial number, is made when it starts")
		out.Hostname = wanted
		return
	}
	var os profile.OS
	if p.Image != nil {
		os = p.Image.OS
	}
	settings, err := p.document.Settings(m.Inventory.Facts, os, profile.Overrides{Hostname: wanted, Counter: out.Counter, Values: valuesFor(p.Spec, m, p.document)})
	if err != nil {
		out.problem("%v", err)
		return
	}
	out.Hostname = settings.Hostname
	for _, warning := range settings.Warnings {
		out.warn("%s", warning)
	}
}
