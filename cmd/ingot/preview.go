package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// writePreview shows what would be done with each machine, and what stops it.
func writePreview(w io.Writer, p control.Preview) {
	title := "Plan: " + string(p.Spec.Kind)
	if p.Spec.Image != "" {
		title += " " + p.Spec.Image
	}
	if p.Spec.Profile != "" {
		title += " with profile " + p.Spec.Profile
	}
	fmt.Fprintln(w, printable(title))
	var rows [][]string
	for _, m := range p.Machines {
		disk, holds := "", ""
		if m.Disk != nil {
			disk, holds = strings.Join(words(m.Disk.Path, m.Disk.Model, report.Bytes(m.Disk.Size)), " "), m.Disk.Holds
		}
		state := "ready"
		switch {
		case len(m.Problems) > 0:
			state = "STOPPED"
		case !m.Online:
			state = "waits for it to start"
		}
		rows = append(rows, []string{m.Name, m.Hostname, disk, holds, state})
	}
	table(w, []string{"MACHINE", "HOST NAME", "DISK", "HOLDS", "STATE"}, rows)
	for _, m := range p.Machines {
		for _, s := range m.Problems {
			fmt.Fprintf(w, "%s: %s\n", printable(m.Name), printable(s))
		}
		for _, s := range m.Warnings {
			fmt.Fprintf(w, "Note: %s: %s\n", printable(m.Name), printable(s))
		}
	}
	for _, s := range p.Warnings {
		fmt.Fprintf(w, "Note: %s\n", printable(s))
	}
	for _, e := range p.Problems {
		fmt.Fprintln(w, printable(e.Error()))
	}
}

// stopped is the refusal of what cannot be started; nil when nothing stops it.
func stopped(p control.Preview) error {
	if !p.Stops() {
		return nil
	}
	var why []string
	for _, e := range p.Problems {
		why = append(why, printable(e.Error()))
	}
	for _, m := range p.Machines {
		for _, s := range m.Problems {
			why = append(why, printable(m.Name+": "+s))
		}
	}
	return cli.Refuse("nothing was started:\n%s", strings.Join(why, "\n"))
}

// question asks for what is worth asking for.
func question(p control.Preview) string {
	machines := "one machine"
	if len(p.Machines) != 1 {
		machines = fmt.Sprintf("%d machines", len(p.Machines))
	}
	switch p.Spec.Kind {
	case wire.Deploy:
		return "The disks of " + machines + " will be overwritten. Type yes to go on: "
	case wire.Wipe:
		return "Everything on the disks of " + machines + " will be gone. Type yes to go on: "
	}
	return "This is for " + machines + ". Type yes to go on: "
}
