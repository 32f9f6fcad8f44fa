package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

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
