package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func (r *remote) machinesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "machines",
		Short: "the computers that a server knows",
		Long: `Machines shows and changes what a server knows of computers. A machine that starts
its boot environment is pending until somebody approves it; only approved ones get
work. MACHINE is a name or an ID.`,
		Example: "  ingot machines list --state pending\n  ingot machines approve m-4k2j9x0q1z --name lab-07\n  ingot machines import lab.csv",
	}
	return cli.Family(c, append([]*cobra.Command{
		r.machinesListCommand(), r.machinesShowCommand(), r.machinesApproveCommand(), r.machinesImportCommand(),
		r.machinesGroupsCommand(), r.machinesRulesCommand(),
	}, append(r.machinesActions(), r.machinesChanges()...)...)...)
}

func (r *remote) machinesListCommand() *cobra.Command {
	var f control.MachineFilter
	var state, online string
	c := &cobra.Command{
		Use:     "list [SEARCH]",
		Short:   "list machines",
		Long:    "List lists machines; with SEARCH those that have it in their name, host name, maker,\nmodel, serial number, asset tag, MAC, address or notes.",
		Example: "  ingot machines list\n  ingot machines list --state pending\n  ingot machines list optiplex --group lab --sort -seen",
		Args:    cli.Args(0, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			f.Search, f.State = strings.Join(args, ""), wire.State(state)
			switch online {
			case "":
			case "yes", "no":
				is := online == "yes"
				f.Online = &is
			default:
				return cli.Usage("--online is yes or no, not %q", online)
			}
			list, err := c.Machines(ctx, f)
			if err != nil {
				return err
			}
			return r.app.Answer(list, func(w io.Writer) { writeMachines(w, list) })
		}),
	}
	fl := c.Flags()
	fl.StringVar(&state, "state", "", "only those that are `pending|approved|rejected`")
	fl.StringVar(&f.Group, "group", "", "only those in a `group`")
	fl.StringVar(&f.Maker, "maker", "", "only those of a `maker`")
	fl.StringVar(&online, "online", "", "only those whose agent is there, or not: `yes|no`")
	fl.StringVar(&f.Sort, "sort", "name", "by `column`: name, state, maker, model, serial, addr, seen or first; with - before it the other way round")
	return c
}

func writeMachines(w io.Writer, list []message.Machine) {
	var rows [][]string
	now := time.Now()
	for _, m := range list {
		seen := ago(m.LastSeen, now)
		if m.Online {
			seen = "online"
		}
		rows = append(rows, []string{m.Name, m.ID, string(m.State), seen, m.Inventory.Model, m.Inventory.Serial, m.Addr, strings.Join(m.Groups, ",")})
	}
	table(w, []string{"NAME", "ID", "STATE", "SEEN", "MODEL", "SERIAL", "ADDRESS", "GROUPS"}, rows)
}

func (r *remote) machinesShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show MACHINE",
		Short:   "all that is known of a machine",
		Example: "  ingot machines show lab-07\n  ingot machines show lab-07 --json",
		Args:    cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			m, err := c.Machine(ctx, args[0])
			if err != nil {
				return err
			}
			return r.app.Answer(m, func(w io.Writer) { writeMachine(w, m) })
		}),
	}
}

func writeMachine(w io.Writer, m message.Machine) {
	i := m.Inventory
	memory := ""
	if i.Memory > 0 {
		memory = report.Bytes(i.Memory)
	}
	facts(w, "Name", m.Name, "ID", m.ID, "State", string(m.State)+", "+m.Why, "Host name", m.Hostname, "Groups", strings.Join(m.Groups, ", "),
		"Online", yes(m.Online), "Seen", moment(m.LastSeen), "First seen", moment(m.FirstSeen), "Address", m.Addr,
		"Model", strings.TrimSpace(i.Maker+" "+i.Model), "Serial", i.Serial, "Asset", i.Asset, "UUID", i.UUID, "Processor", i.CPU,
		"Memory", memory, "Firmware", i.Firmware, "Secure Boot", i.SecureBoot, "TPM", i.TPM, "Notes", m.Notes)
	for name, value := range m.Values {
		facts(w, "Value "+name, value)
	}
	for _, d := range i.Disks {
		fmt.Fprintf(w, "disk %s\n", printable(strings.Join(words(d.Path, d.Model, d.Serial, report.Bytes(d.Size), d.Transport, d.Health, d.Holds), ", ")))
	}
	for _, n := range i.NICs {
		fmt.Fprintf(w, "network %s\n", printable(strings.Join(words(n.Name, n.MAC, n.Driver, n.Addr), ", ")))
	}
	for _, n := range append(i.Notes, m.Conflicts...) {
		fmt.Fprintf(w, "Note: %s\n", printable(n))
	}
}

// words are those that are not empty.
func words(all ...string) []string {
	var some []string
	for _, w := range all {
		if w != "" {
			some = append(some, w)
		}
	}
	return some
}
