package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/trust"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// remote are the commands that work on a server, and the flags that name it. A token
// is never a flag: others see command lines.
type remote struct {
	app         *cli.App
	server      string
	fingerprint string
	tokenFile   string
	commands    map[*cobra.Command]bool // that work on a server
}

// group are the commands that only work on a server.
func (r *remote) group(a *cli.App) cli.Group {
	r.app = a
	commands := []*cobra.Command{
		r.loginCommand(), r.machinesCommand(), r.jobsCommand(), r.profilesCommand(),
		r.usersCommand(), r.tokensCommand(), r.auditCommand(), r.bootsCommand(),
	}
	return cli.Group{Title: "On a server:", Commands: commands}
}

// adjust adds the flags that name a server, and lets 'images' list a server's.
func (r *remote) adjust(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&r.server, "server", "", "`URL` of the server to work on (INGOT_SERVER; default: the last 'ingot login')")
	f.StringVar(&r.fingerprint, "fingerprint", "", "of the server's certificate, `sha256:...` (INGOT_FINGERPRINT; default: as at 'ingot login')")
	f.StringVar(&r.tokenFile, "token-file", "", "`file` with a token for the server (INGOT_TOKEN; default: as at 'ingot login')")
	for _, c := range root.Commands() {
		if c.Name() == "images" {
			r.extendImages(c)
		}
		if c.GroupID == "On a server:" || c.Name() == "images" {
			r.mark(c)
		}
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if root.PersistentFlags().Changed("server") && !r.commands[cmd] {
			return fmt.Errorf("'%s' works on this machine; --server is for the commands of a server, such as 'ingot jobs'", cmd.CommandPath())
		}
		return nil
	}
}

func (r *remote) mark(c *cobra.Command) {
	if r.commands == nil {
		r.commands = map[*cobra.Command]bool{}
	}
	r.commands[c] = true
	for _, below := range c.Commands() {
		r.mark(below)
	}
}

// named is the address of the server that the command line or the environment names,
// "" for none.
func (r *remote) named() string {
	if r.server != "" {
		return r.server
	}
	return os.Getenv("INGOT_SERVER")
}

// choose finds out which server is meant, and how to talk to it.
func (r *remote) choose() (apiclient.Server, error) {
	file, err := apiclient.ServersFile()
	if err != nil {
		return apiclient.Server{}, err
	}
	known, err := apiclient.ReadServers(file)
	if err != nil {
		return apiclient.Server{}, err
	}
	address := r.named()
	if address == "" {
		address = known.Default
	}
	if address == "" {
		return apiclient.Server{}, cli.Usage("which server? Log in with 'ingot login URL', or name one with --server or INGOT_SERVER")
	}
	if address, err = apiclient.ParseURL(address); err != nil {
		return apiclient.Server{}, cli.Usage("%w", err)
	}
	s, _ := known.Find(address)
	s.URL = address
	if f := firstOf(r.fingerprint, fingerprintVariable()); f != "" {
		s.Fingerprint = f
	}
	token, err := r.givenToken()
	if err != nil {
		return apiclient.Server{}, err
	}
	if token != "" {
		s.Token = token
	}
	if s.Token == "" {
		return apiclient.Server{}, cli.Refuse("no token for %s is known; log in with 'ingot login %s', or give one with --token-file or INGOT_TOKEN", address, address)
	}
	return s, nil
}

// givenToken is the token that was given for this run, "" for none.
func (r *remote) givenToken() (string, error) {
	if r.tokenFile == "" {
		return strings.TrimSpace(os.Getenv("INGOT_TOKEN")), nil
	}
	text, err := os.ReadFile(r.tokenFile)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	if token := strings.TrimSpace(string(text)); token != "" {
		return token, nil
	}
	return "", cli.Refuse("%s holds no token", r.tokenFile)
}

func fingerprintVariable() string { return os.Getenv("INGOT_FINGERPRINT") }

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// call is what a command does with a server.
type call func(ctx context.Context, c *apiclient.Client, args []string) error

// run lets a command do something with the server that is meant.
func (r *remote) run(f call) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		server, err := r.choose()
		if err != nil {
			return err
		}
		c, err := apiclient.New(server)
		if err != nil {
			return cli.Usage("%w", err)
		}
		defer c.Close()
		return r.explain(f(cmd.Context(), c, args))
	}
}

// explain gives an error of a server its exit code, and says what to do about it.
func (r *remote) explain(err error) error {
	var problem *message.Problem
	var unreachable *apiclient.UnreachableError
	var other *trust.MismatchError
	switch {
	case errors.As(err, &problem):
		return &cli.CodedError{Err: err, Code: codeOf(problem.Status), Hints: hintsOf(problem)}
	case errors.As(err, &other):
		return &cli.CodedError{Err: err, Code: wire.ExitRefused, Hints: []string{"If it was set up anew, 'ingot login' with the new --fingerprint makes it known."}}
	case errors.As(err, &unreachable):
		return &cli.CodedError{Err: err, Code: wire.ExitFailed, Hints: []string{"Does 'ingot serve' run there, and is the address right?"}}
	}
	return err
}

// codeOf is the exit code for a problem.
func codeOf(status int) int {
	switch status {
	case http.StatusNotFound:
		return wire.ExitNotFound
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusRequestEntityTooLarge:
		return wire.ExitRefused
	}
	return wire.ExitFailed
}

func hintsOf(p *message.Problem) []string {
	switch p.Type {
	case message.TypeUnauthenticated:
		return []string{"The token is not known there, has expired or was removed: 'ingot login' takes a new one."}
	case message.TypeForbidden:
		return []string{"A token with a higher role can be made by an administrator: 'ingot tokens add'."}
	}
	return nil
}
