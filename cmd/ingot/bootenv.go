package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/bootenv"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/report"
)

const bootenvHelp = `The boot environment is what a PC starts to be imaged: Debian's signed kernel,
shim and GRUB, and a RAM disk with ingot's agent. PCs start it from the network
('ingot serve --netboot') or from a stick (ingot.iso, 'ingot bootenv iso').`

func bootenvCommand(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bootenv COMMAND",
		Short: "make what PCs start to be imaged",
		Long:  bootenvHelp,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(buildCommand(a), isoCommand(a), verifyCommand(a))
	return cmd
}

// defaultFolder is where 'ingot serve' looks for the boot environment.
const defaultFolder = "/var/lib/ingot/bootenv"

func buildCommand(a *cli.App) *cobra.Command {
	var c bootenv.Config
	cmd := &cobra.Command{
		Use:   "build",
		Short: "make the boot environment from Debian's packages",
		Long: `Build fetches Debian packages through apt, checks them, and makes kernel, RAM disk,
boot loaders and ingot.iso of them. The same packages make the same bytes. A
folder of packages that a build filled is all that the next one needs: --offline.`,
		Example: "  ingot bootenv build\n  ingot bootenv build --packages /srv/debs --offline --out /srv/bootenv",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return build(cmd.Context(), a, c) },
	}
	f := cmd.Flags()
	f.StringVar(&c.Out, "out", defaultFolder, "`folder` that is made")
	f.StringVar(&c.Packages, "packages", "/var/cache/ingot/debs", "`folder` with Debian packages; what it lacks is fetched into it")
	f.BoolVar(&c.Offline, "offline", false, "fetch nothing")
	f.BoolVar(&c.Update, "update", false, "look for newer packages")
	f.StringVar(&c.Agent, "agent", "", "`file` with the agent (default: ingot-agent, beside this program or in /usr/lib/ingot)")
	f.StringSliceVar(&c.Extra, "firmware", nil, "further `package` with firmware, may be given several times")
	f.StringSliceVar(&c.Modules, "module", nil, "further kernel `module`, may be given several times")
	isoFlags(cmd, &c.ISO)
	return cmd
}

func isoFlags(cmd *cobra.Command, c *bootenv.ISOConfig) {
	cmd.Flags().StringVar(&c.Server, "server", "", "`URL` of the server that the stick works for (default: none, a technician's stick)")
	cmd.Flags().StringVar(&c.Fingerprint, "fingerprint", "", "of that server, as 'ingot serve' prints it")
}

// built is the result of a build.
type built struct {
	Folder string `json:"folder"`
	*bootenv.Result
}

func (b built) text(w io.Writer) {
	for _, n := range b.Notes {
		fmt.Fprintf(w, "Note: %s\n", n)
	}
	fmt.Fprintf(w, "made the boot environment in %s, with kernel %s\n", b.Folder, b.Manifest.Kernel)
	for _, f := range b.Manifest.Files {
		fmt.Fprintf(w, "  %-16s %s\n", f.Name, report.Bytes(f.Size))
	}
}

func build(ctx context.Context, a *cli.App, c bootenv.Config) error {
	if c.Agent == "" {
		var err error
		if c.Agent, err = findAgent(); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(c.Packages, 0o755); err != nil {
		return err
	}
	c.Version = cli.Version()
	c.Progress = func(line string) { a.Note("%s", line) }
	result, err := bootenv.Build(ctx, c)
	if err != nil {
		return err
	}
	b := built{c.Out, result}
	return a.Print(b, b.text)
}

// findAgent looks for the agent's program.
func findAgent() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	for _, path := range []string{filepath.Join(filepath.Dir(self), "ingot-agent"), "/usr/lib/ingot/ingot-agent"} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", cli.Usage("ingot-agent is neither beside this program nor in /usr/lib/ingot; name it with --agent ('make build' makes it)")
}

func isoCommand(a *cli.App) *cobra.Command {
	var c bootenv.ISOConfig
	var folder string
	cmd := &cobra.Command{
		Use:   "iso FILE",
		Short: "make a stick or DVD that starts the boot environment",
		Long: `Iso makes an image for a USB stick or a DVD, which starts by BIOS, UEFI and UEFI with
Secure Boot. Write it to a stick with 'dd if=FILE of=/dev/sdX bs=4M conv=fsync'.`,
		Example: "  ingot bootenv iso stick.iso\n  ingot bootenv iso lab.iso --server https://10.0.0.1:8443 --fingerprint sha256:...",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := bootenv.ISO(cmd.Context(), folder, c, args[0]); err != nil {
				return err
			}
			return a.Print(map[string]string{"file": args[0]}, func(w io.Writer) { fmt.Fprintf(w, "made %s\n", args[0]) })
		},
	}
	cmd.Flags().StringVar(&folder, "from", defaultFolder, "`folder` of the boot environment")
	isoFlags(cmd, &c)
	return cmd
}

func verifyCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:     "verify [FOLDER]",
		Short:   "check that a boot environment is as it was made",
		Example: "  ingot bootenv verify",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder := defaultFolder
			if len(args) == 1 {
				folder = args[0]
			}
			m, err := bootenv.Verify(folder)
			if err != nil {
				return err
			}
			return a.Print(m, func(w io.Writer) {
				fmt.Fprintf(w, "%s is as it was made: %d files, kernel %s, agent %s\n", folder, len(m.Files), m.Kernel, m.Agent)
			})
		},
	}
}
