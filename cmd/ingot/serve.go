package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/server"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
)

// serverGroup are the commands of a server.
func serverGroup(a *cli.App) cli.Group {
	return cli.Group{Title: "A room of PCs:", Commands: []*cobra.Command{serveCommand(a), bootenvCommand(a)}}
}

// serveFlags are the flags of serve.
type serveFlags struct {
	server.Config
	folder    string
	netboot   string
	dhcpRange string
	logJSON   bool
}

func serveCommand(a *cli.App) *cobra.Command {
	var fl serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "be an imaging server",
		Long: `Serve is a whole imaging server in one process: pages, API, images and, with
--netboot, everything that PCs need to start from the network. All that it keeps
is in one folder. The first start prints a link that makes the administrator.

--netboot works beside the DHCP server that is there and changes nothing about it.
--dhcp-range is for a network without one: addresses are then given out as well.

'ingot bootenv build' makes what PCs start. See doc/server.md and doc/netboot.md.`,
		Example: `  ingot serve
  ingot serve --netboot eth1
  ingot serve --netboot eth1 --dhcp-range 10.9.0.50-10.9.0.199
  ingot serve --data /srv/ingot --db postgres://ingot@db/ingot --name images.example.org`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), a, fl) },
	}
	f := cmd.Flags()
	f.StringVar(&fl.folder, "data", "/var/lib/ingot", "`folder` in which everything is kept")
	f.StringVar(&fl.Listen, "listen", "", "`address` for HTTPS (default: port "+server.DefaultPort+" of every address)")
	f.StringVar(&fl.Database, "db", "", "`postgres://...`, instead of SQLite in the folder (INGOT_DB, where others do not see a password)")
	f.StringSliceVar(&fl.Names, "name", nil, "host `name` by which the server is known, may be given several times")
	f.StringVar(&fl.Certificate, "tls-cert", "", "`file` with a certificate of your own and its chain, instead of one by the server's own authority")
	f.StringVar(&fl.Key, "tls-key", "", "`file` with its key")
	f.StringVar(&fl.netboot, "netboot", "", "network `interface` from which PCs may start")
	f.StringVar(&fl.dhcpRange, "dhcp-range", "", "give out addresses, `FIRST-LAST`, in a network that has no DHCP server")
	f.BoolVar(&fl.logJSON, "log-json", false, "write the log as JSON")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	return cmd
}

func serve(ctx context.Context, a *cli.App, fl serveFlags) error {
	config := fl.Config
	folder, err := filepath.Abs(fl.folder)
	if err != nil {
		return err
	}
	if config.Database == "" {
		config.Database = os.Getenv("INGOT_DB")
	}
	config.Folder, config.Version, config.Log = server.Folder(folder), cli.Version(), logger(a, fl.logJSON)
	if config.Netboot, err = netbootOf(fl); err != nil {
		return err
	}
	backend, err := local.Open(config.Folder.Store())
	if err != nil {
		return fmt.Errorf("store of the server: %w", err)
	}
	if config.Store, err = store.OpenOrCreate(ctx, backend); err != nil {
		return fmt.Errorf("store of the server: %w", err)
	}
	config.Lint = func(ctx context.Context, id string) (json.RawMessage, error) {
		report, err := a.LintElsewhere(ctx, config.Folder.Store(), id)
		return report, forRoot(err, config.Folder.Store(), id)
	}
	config.Ready = func(r server.Ready) { a.Print(r, func(w io.Writer) { greet(w, r) }) }
	return server.Run(ctx, config)
}

// forRoot says what to do where a server that does not run as root cannot look an
// image over, which is no trouble of its own.
func forRoot(err error, store, id string) error {
	var root *cli.RootError
	if !errors.As(err, &root) {
		return err
	}
	return &control.ConflictError{Message: fmt.Sprintf(
		"what was captured by blocks is looked over by mounting it, which this server may not, since it does not run as root: captures look their images over by themselves, and for this one run 'ingot lint %s --store %s' as root on the server",
		id[:min(len(id), 12)], store)}
}

// netbootOf is what --netboot and --dhcp-range ask for; nil for nothing.
func netbootOf(fl serveFlags) (*server.Netboot, error) {
	if fl.netboot == "" {
		if fl.dhcpRange != "" {
			return nil, cli.Usage("--dhcp-range is for --netboot")
		}
		return nil, nil
	}
	n := &server.Netboot{Interface: fl.netboot}
	if fl.dhcpRange == "" {
		return n, nil
	}
	var ok bool
	if n.First, n.Last, ok = parseRange(fl.dhcpRange); !ok {
		return nil, cli.Usage("--dhcp-range wants two IPv4 addresses, as in 10.9.0.50-10.9.0.199, not %q", fl.dhcpRange)
	}
	return n, nil
}

func parseRange(s string) (first, last netip.Addr, ok bool) {
	for i := range s {
		if s[i] != '-' {
			continue
		}
		first, err1 := netip.ParseAddr(s[:i])
		last, err2 := netip.ParseAddr(s[i+1:])
		return first, last, err1 == nil && err2 == nil && first.Is4() && last.Is4() && first.Compare(last) <= 0
	}
	return first, last, false
}

// greet says what to do first. A journal keeps what it is told, so it is not told
// the link.
func greet(w io.Writer, r server.Ready) {
	fmt.Fprintf(w, "ingot serves %s\n  fingerprint %s\n", r.URL, r.Fingerprint)
	switch {
	case r.Setup == "":
	case os.Getenv("JOURNAL_STREAM") != "":
		fmt.Fprintf(w, "  make the administrator with the link in %s\n", r.SetupFile)
	default:
		fmt.Fprintf(w, "  make the administrator here, once: %s\n", r.Setup)
	}
}

// logger writes what happens to stderr.
func logger(a *cli.App, asJSON bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if a.Verbose() {
		options.Level = slog.LevelDebug
	}
	if asJSON {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}
