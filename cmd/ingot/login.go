package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

func (r *remote) loginCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "login URL",
		Short: "make a server known here, with a token",
		Long: `Login asks for a token and keeps it, with the server's address and fingerprint, in
~/.config/ingot/servers.yaml, which only you can read. Commands without --server
then work on that server. Tokens are made on the server's page "Tokens" or with
'ingot tokens add'.

A server whose certificate no authority of this system signed is known by its
fingerprint. Without --fingerprint it is shown, and you are asked: compare it with
what 'ingot serve' printed when it started.`,
		Example: "  ingot login images.example\n  ingot login https://10.0.0.5:8443 --fingerprint sha256:5f0c... --token-file token",
		Args:    cli.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.explain(r.login(cmd.Context(), args[0]))
		},
	}
}

// loggedIn is the result of login.
type loggedIn struct {
	Server      string     `json:"server"`
	Fingerprint string     `json:"fingerprint,omitempty"`
	Token       string     `json:"token"` // its name
	Role        fleet.Role `json:"role"`
	Version     string     `json:"version"`
}

func (r *remote) login(ctx context.Context, typed string) error {
	address, err := apiclient.ParseURL(typed)
	if err != nil {
		return cli.Usage("%w", err)
	}
	file, err := apiclient.ServersFile()
	if err != nil {
		return err
	}
	known, err := apiclient.ReadServers(file)
	if err != nil {
		return err
	}
	server := apiclient.Server{URL: address}
	before, _ := known.Find(address)
	if server.Fingerprint, err = r.trust(ctx, address, before.Fingerprint); err != nil {
		return err
	}
	if server.Token, err = r.givenToken(); err != nil {
		return err
	}
	if server.Token == "" {
		if server.Token, err = r.app.AskSecret(ctx, "Token: "); err != nil {
			return err
		}
	}
	if server.Token == "" {
		return cli.Refuse("no token was given; nothing was kept")
	}
	c, err := apiclient.New(server)
	if err != nil {
		return cli.Usage("%w", err)
	}
	defer c.Close()
	self, err := c.Self(ctx)
	if err != nil {
		return err
	}
	if err := known.With(server).Write(file); err != nil {
		return err
	}
	result := loggedIn{server.URL, server.Fingerprint, self.Actor.Name, self.Actor.Role, self.Version}
	return r.app.Print(result, func(w io.Writer) {
		fmt.Fprintf(w, "logged in to %s with the token %q, as %s\n", result.Server, printable(result.Token), result.Role)
	})
}

// trust finds out by which fingerprint a server is known: one that was given, one
// that was known before, or one that the user is shown.
func (r *remote) trust(ctx context.Context, address, before string) (string, error) {
	if f := firstOf(r.fingerprint, fingerprintVariable()); f != "" {
		return f, nil
	}
	found, err := apiclient.Fingerprint(ctx, address)
	if err != nil || found == "" || found == before {
		return found, err
	}
	if before != "" {
		return "", cli.Refuse("the fingerprint of %s was %s and is %s now.\nEither this is another server, or it was set up anew: compare with what 'ingot serve' printed there, and log in with --fingerprint", address, before, found)
	}
	answer, err := r.app.Ask(ctx, fmt.Sprintf("The fingerprint of %s is\n  %s\nIs it what 'ingot serve' printed there? Type yes to trust it: ", address, found))
	if err != nil {
		return "", err
	}
	if answer != "yes" {
		return "", cli.Refuse("%s is not trusted; nothing was sent to it", address)
	}
	return found, nil
}
