package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

const rolesHelp = `Roles: viewer looks at everything but secrets; operator approves machines and runs
jobs too; admin does everything.`

func (r *remote) usersCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "users",
		Short:   "who may log in to a server",
		Long:    "Users are those who may log in to a server's pages.\n\n" + rolesHelp,
		Example: "  ingot users list\n  ingot users add anna --role operator\n  ingot users role anna admin",
	}
	return cli.Family(c, append([]*cobra.Command{r.usersListCommand(), r.usersAddCommand(), r.usersPasswordCommand(), r.usersRoleCommand()}, r.usersSwitches()...)...)
}

func (r *remote) usersListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "list users", Example: "  ingot users list", Args: cli.Args(0, 0),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, _ []string) error {
			list, err := c.Users(ctx)
			if err != nil {
				return err
			}
			return r.app.Answer(list, func(w io.Writer) {
				var rows [][]string
				for _, u := range list {
					rows = append(rows, []string{u.Name, string(u.Role), yes(u.Disabled), moment(u.Made), moment(u.LastLogin)})
				}
				table(w, []string{"NAME", "ROLE", "DISABLED", "MADE", "LAST LOGIN"}, rows)
			})
		}),
	}
}

func (r *remote) usersAddCommand() *cobra.Command {
	role := string(fleet.Viewer)
	c := &cobra.Command{
		Use: "add NAME", Short: "make a user", Args: cli.Args(1, 1),
		Long:    "Add makes a user, and asks for the password; it is read from standard input.\n\n" + rolesHelp,
		Example: "  ingot users add anna --role operator",
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			password, err := r.app.AskSecret(ctx, "Password of "+args[0]+": ")
			if err != nil {
				return err
			}
			u, err := c.AddUser(ctx, args[0], fleet.Role(role), password)
			if err != nil {
				return err
			}
			return r.app.Print(u, func(w io.Writer) { fmt.Fprintf(w, "%s may log in as %s\n", u.Name, u.Role) })
		}),
	}
	c.Flags().StringVar(&role, "role", role, "`viewer|operator|admin`")
	return c
}

func (r *remote) usersPasswordCommand() *cobra.Command {
	return &cobra.Command{
		Use: "password NAME", Short: "give a user another password, which ends their sessions", Example: "  ingot users password anna", Args: cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			password, err := r.app.AskSecret(ctx, "New password of "+args[0]+": ")
			if err != nil {
				return err
			}
			if err := c.SetPassword(ctx, args[0], password); err != nil {
				return err
			}
			return r.done(args, "%s has a new password", args[0])
		}),
	}
}

func (r *remote) usersRoleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "role NAME ROLE", Short: "give a user another role, which ends their sessions", Long: rolesHelp, Example: "  ingot users role anna admin", Args: cli.Args(2, 2),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			if err := c.SetRole(ctx, args[0], fleet.Role(args[1])); err != nil {
				return err
			}
			return r.done(args[:1], "%s is %s now", args[0], args[1])
		}),
	}
}

// usersSwitches are the commands that need a name alone.
func (r *remote) usersSwitches() []*cobra.Command {
	var commands []*cobra.Command
	for _, o := range []struct {
		name, short, did string
		do               func(ctx context.Context, c *apiclient.Client, user string) error
	}{
		{"disable", "keep a user from logging in", "may not log in any more", func(ctx context.Context, c *apiclient.Client, user string) error {
			return c.SetDisabled(ctx, user, true)
		}},
		{"enable", "let a user log in again", "may log in", func(ctx context.Context, c *apiclient.Client, user string) error {
			return c.SetDisabled(ctx, user, false)
		}},
		{"rm", "remove a user and their sessions", "is removed", func(ctx context.Context, c *apiclient.Client, user string) error { return c.RemoveUser(ctx, user) }},
	} {
		commands = append(commands, &cobra.Command{
			Use: o.name + " NAME", Short: o.short, Example: fmt.Sprintf("  ingot users %s anna", o.name), Args: cli.Args(1, 1),
			RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
				if err := o.do(ctx, c, args[0]); err != nil {
					return err
				}
				return r.done(args, "%s %s", args[0], o.did)
			}),
		})
	}
	return commands
}

func (r *remote) tokensCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "tokens",
		Short:   "credentials of programs on a server",
		Long:    "Tokens are what programs, this one among them, show to a server.\n\n" + rolesHelp,
		Example: "  ingot tokens list\n  ingot tokens add nightly --role operator --for 720h > token",
	}
	return cli.Family(c, r.tokensListCommand(), r.tokensAddCommand(), r.tokensRemoveCommand())
}

func (r *remote) tokensListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "list tokens, without their secrets", Example: "  ingot tokens list", Args: cli.Args(0, 0),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, _ []string) error {
			list, err := c.Tokens(ctx)
			if err != nil {
				return err
			}
			return r.app.Answer(list, func(w io.Writer) {
				var rows [][]string
				for _, t := range list {
					rows = append(rows, []string{t.ID, t.Name, string(t.Role), moment(t.Made), t.MadeBy, firstOf(moment(t.Expires), "never"), ago(t.Seen, time.Now())})
				}
				table(w, []string{"ID", "NAME", "ROLE", "MADE", "BY", "EXPIRES", "USED"}, rows)
			})
		}),
	}
}

func (r *remote) tokensAddCommand() *cobra.Command {
	role, ttl := string(fleet.Viewer), time.Duration(0)
	c := &cobra.Command{
		Use: "add NAME", Short: "make a token, and print it once", Args: cli.Args(1, 1),
		Long:    "Add makes a token. It is printed once and kept nowhere: put it where the program that\nneeds it finds it.\n\n" + rolesHelp,
		Example: "  ingot tokens add nightly --role operator --for 720h > token",
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			s, err := c.AddToken(ctx, args[0], fleet.Role(role), ttl)
			if err != nil {
				return err
			}
			r.app.Note("token %s, %s; it is not shown again", s.Token.ID, s.Token.Role)
			return r.app.Answer(s, func(w io.Writer) { fmt.Fprintln(w, s.Secret) })
		}),
	}
	c.Flags().StringVar(&role, "role", role, "`viewer|operator|admin`")
	c.Flags().DurationVar(&ttl, "for", 0, "how `long` it lasts, as in 720h; 0: until it is removed")
	return c
}

func (r *remote) tokensRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rm ID", Short: "revoke a token", Example: "  ingot tokens rm t-3k2j9x0q1z", Args: cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			if err := c.RemoveToken(ctx, args[0]); err != nil {
				return err
			}
			return r.done(args, "revoked token %s", args[0])
		}),
	}
}
