package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
)

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
