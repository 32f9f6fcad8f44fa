package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
)

// changed is the result of a command that changed something on a server.
type changed struct {
	Changed []string `json:"changed"`
}

// done says what was changed.
func (r *remote) done(things []string, format string, args ...any) error {
	return r.app.Print(changed{things}, func(w io.Writer) { fmt.Fprintf(w, format+"\n", args...) })
}

func (r *remote) machinesApproveCommand() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:     "approve MACHINE...",
		Short:   "let machines have jobs",
		Example: "  ingot machines approve m-4k2j9x0q1z --name lab-07\n  ingot machines approve lab-01 lab-02 lab-03",
		Args:    cli.Args(1, 10000),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			names := map[string]string{}
			if name != "" {
				if len(args) > 1 {
					return cli.Usage("--name is for one machine, not for %d", len(args))
				}
				names[args[0]] = name
			}
			if err := c.Approve(ctx, args, names); err != nil {
				return err
			}
			return r.done(args, "approved %s", strings.Join(args, ", "))
		}),
	}
	c.Flags().StringVar(&name, "name", "", "a new `NAME` for it")
	return c
}

// machinesActions are the commands that do one thing with several machines.
func (r *remote) machinesActions() []*cobra.Command {
	type action = func(c *apiclient.Client, ctx context.Context, machines []string) error
	var commands []*cobra.Command
	for _, o := range []struct {
		name, short, did string
		do               action
	}{
		{"reject", "keep machines from having jobs, until somebody approves them", "rejected", (*apiclient.Client).Reject},
		{"forget", "remove machines; one that starts again is a new one", "forgot", (*apiclient.Client).Forget},
		{"wake", "wake machines by wake-on-LAN", "woke", (*apiclient.Client).Wake},
	} {
		commands = append(commands, &cobra.Command{
			Use:     o.name + " MACHINE...",
			Short:   o.short,
			Example: fmt.Sprintf("  ingot machines %s lab-07 lab-08", o.name),
			Args:    cli.Args(1, 10000),
			RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
				if err := o.do(c, ctx, args); err != nil {
					return err
				}
				return r.done(args, "%s %s", o.did, strings.Join(args, ", "))
			}),
		})
	}
	for _, o := range []struct {
		name, short, did string
		do               func(c *apiclient.Client, ctx context.Context, group string, machines []string) error
	}{
		{"join", "put machines into a group", "joined", (*apiclient.Client).Join},
		{"leave", "take machines out of a group", "left", (*apiclient.Client).Leave},
	} {
		commands = append(commands, &cobra.Command{
			Use:     o.name + " GROUP MACHINE...",
			Short:   o.short,
			Example: fmt.Sprintf("  ingot machines %s lab lab-07 lab-08", o.name),
			Args:    cli.Args(2, 10000),
			RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
				if err := o.do(c, ctx, args[0], args[1:]); err != nil {
					return err
				}
				return r.done(args[1:], "%s %s %s", strings.Join(args[1:], ", "), o.did, args[0])
			}),
		})
	}
	return commands
}

// machinesChanges are the commands that change something of one machine.
func (r *remote) machinesChanges() []*cobra.Command {
	rename := &cobra.Command{
		Use: "rename MACHINE NAME", Short: "give a machine another name", Example: "  ingot machines rename m-4k2j9x0q1z lab-07", Args: cli.Args(2, 2),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			if err := c.Rename(ctx, args[0], args[1]); err != nil {
				return err
			}
			return r.done(args[:1], "%s is %s now", args[0], args[1])
		}),
	}
	hostname := &cobra.Command{
		Use: "hostname MACHINE [NAME]", Short: "set the host name that deploys give a machine", Args: cli.Args(1, 2),
		Long:    "Hostname sets the host name that deploys give a machine; without NAME it is what the\nprofile says.",
		Example: "  ingot machines hostname lab-07 pc-07\n  ingot machines hostname lab-07",
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			name := strings.Join(args[1:], "")
			if err := c.SetHostname(ctx, args[0], name); err != nil {
				return err
			}
			return r.done(args[:1], "%s gets the host name %s", args[0], firstOf(name, "that its profile says"))
		}),
	}
	set := &cobra.Command{
		Use: "set MACHINE KEY=VALUE...", Short: "set values for placeholders of profiles", Args: cli.Args(2, 1000),
		Long:    "Set sets a machine's values for placeholders of profiles; KEY= takes one away. Values\nthat are not named stay.",
		Example: "  ingot machines set lab-07 room=12 desk=A\n  ingot machines set lab-07 desk=",
		RunE:    r.run(r.setValues),
	}
	note := &cobra.Command{
		Use: "note MACHINE [TEXT]", Short: "write something about a machine", Example: "  ingot machines note lab-07 'fan is loud'", Args: cli.Args(1, 2),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			if err := c.SetNotes(ctx, args[0], strings.Join(args[1:], "")); err != nil {
				return err
			}
			return r.done(args[:1], "noted")
		}),
	}
	return []*cobra.Command{rename, hostname, set, note}
}

func (r *remote) setValues(ctx context.Context, c *apiclient.Client, args []string) error {
	m, err := c.Machine(ctx, args[0])
	if err != nil {
		return err
	}
	values := map[string]string{}
	for key, value := range m.Values {
		values[key] = value
	}
	for _, pair := range args[1:] {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return cli.Usage("%q is no KEY=VALUE", pair)
		}
		values[key] = value
		if value == "" {
			delete(values, key)
		}
	}
	if err := c.SetValues(ctx, m.ID, values); err != nil {
		return err
	}
	return r.done([]string{m.ID}, "%s has %d values", m.Name, len(values))
}

func (r *remote) machinesImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "make machines known, and approve them, from a table",
		Long: `Import reads a table of CSV, - for standard input. Its first line names the columns:
at least one of serial, mac, uuid and asset; then name, group, hostname. Any other
column is a value for placeholders of profiles. Machines are approved before they
were ever seen. Lines with problems are left out, and told; then it ends with 1.`,
		Example: "  ingot machines import lab.csv\n  printf 'serial,name\\n5XK2R93,lab-07\\n' | ingot machines import -",
		Args:    cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			in, err := r.open(args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			report, err := c.ImportMachines(ctx, in)
			if err != nil {
				return err
			}
			err = r.app.Answer(report, func(w io.Writer) {
				fmt.Fprintf(w, "%d lines: %d new machines, %d known ones\n", report.Lines, report.Added, report.Updated)
				for _, p := range report.Problems {
					fmt.Fprintf(w, "%s:%d: %s\n", args[0], p.Line, printable(p.Message))
				}
			})
			if err == nil && len(report.Problems) > 0 {
				err = fmt.Errorf("%d lines were left out", len(report.Problems))
			}
			return err
		}),
	}
}

// open opens a file, or standard input for -.
func (r *remote) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(r.app.Stdin()), nil
	}
	return os.Open(name)
}

func (r *remote) machinesGroupsCommand() *cobra.Command {
	var add, remove, notes string
	c := &cobra.Command{
		Use:     "groups",
		Short:   "list, make and remove groups of machines",
		Example: "  ingot machines groups\n  ingot machines groups --add lab --note 'room 12'\n  ingot machines groups --rm lab",
		Args:    cli.Args(0, 0),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, _ []string) error {
			switch {
			case add != "":
				if err := c.PutGroup(ctx, add, notes); err != nil {
					return err
				}
				return r.done([]string{add}, "group %s is there", add)
			case remove != "":
				if err := c.RemoveGroup(ctx, remove); err != nil {
					return err
				}
				return r.done([]string{remove}, "removed group %s; its machines stay", remove)
			}
			list, err := c.Groups(ctx)
			if err != nil {
				return err
			}
			return r.app.Answer(list, func(w io.Writer) {
				var rows [][]string
				for _, g := range list {
					rows = append(rows, []string{g.Name, fmt.Sprint(g.Machines), g.Notes})
				}
				table(w, []string{"NAME", "MACHINES", "NOTES"}, rows)
			})
		}),
	}
	f := c.Flags()
	f.StringVar(&add, "add", "", "make a group of this `NAME`, or replace its notes")
	f.StringVar(&notes, "note", "", "what to write about it")
	f.StringVar(&remove, "rm", "", "remove the group of this `NAME`")
	c.MarkFlagsMutuallyExclusive("add", "rm")
	return c
}

func (r *remote) machinesRulesCommand() *cobra.Command {
	var rule message.NewRule
	var add, remove string
	c := &cobra.Command{
		Use:   "rules",
		Short: "list, make and remove rules that approve machines",
		Long: `Rules approve machines that nobody looked at. FIELD is maker, model, serial, asset,
mac or addr; PATTERN may have * and ?, and is a prefix such as 10.1.0.0/16 for addr.
A rule is as good as the room's door: firmware and network can be made to say
anything.`,
		Example: "  ingot machines rules\n  ingot machines rules --add 'serial=5XK*' --name 'lab 12' --group lab\n  ingot machines rules --rm r-3k2j9x0q1z",
		Args:    cli.Args(0, 0),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, _ []string) error {
			switch {
			case add != "":
				var ok bool
				if rule.Field, rule.Match, ok = strings.Cut(add, "="); !ok {
					return cli.Usage("--add wants FIELD=PATTERN, not %q", add)
				}
				rule.Name = firstOf(rule.Name, add)
				made, err := c.AddRule(ctx, rule)
				if err != nil {
					return err
				}
				return r.app.Print(made, func(w io.Writer) { fmt.Fprintf(w, "rule %s\n", made.ID) })
			case remove != "":
				if err := c.RemoveRule(ctx, remove); err != nil {
					return err
				}
				return r.done([]string{remove}, "removed rule %s; whom it approved stays approved", remove)
			}
			list, err := c.Rules(ctx)
			if err != nil {
				return err
			}
			return r.app.Answer(list, func(w io.Writer) {
				var rows [][]string
				for _, one := range list {
					rows = append(rows, []string{one.ID, one.Name, one.Field + "=" + one.Match, one.Group, moment(one.Made), one.MadeBy})
				}
				table(w, []string{"ID", "NAME", "RULE", "GROUP", "MADE", "BY"}, rows)
			})
		}),
	}
	f := c.Flags()
	f.StringVar(&add, "add", "", "approve machines with `FIELD=PATTERN`")
	f.StringVar(&rule.Name, "name", "", "what the rule is called")
	f.StringVar(&rule.Group, "group", "", "`group` that such machines join")
	f.StringVar(&remove, "rm", "", "remove the rule with this `ID`")
	c.MarkFlagsMutuallyExclusive("add", "rm")
	return c
}
