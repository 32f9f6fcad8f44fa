package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
)

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
