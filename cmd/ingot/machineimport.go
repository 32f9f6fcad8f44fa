package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
)

func (r *remote) machinesImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "make machines known, and approve them, from a table",
		Long: `Import reads a table of CSV, - for standard input. Its first line names the columns:
at least one of serial, mac, uuid and asset; then maker, name, group, hostname. Any
other column is a value for placeholders of profiles. Machines are approved before they
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
