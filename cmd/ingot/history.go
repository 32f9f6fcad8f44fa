package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/control"
)

// pageFlags are the flags of lists that only grow.
func pageFlags(c *cobra.Command, p *control.Page) {
	c.Flags().IntVar(&p.Limit, "limit", 100, "how `many` at most, up to 1000")
	c.Flags().Int64Var(&p.Before, "before", 0, "only those with a smaller `ID`")
}

func (r *remote) auditCommand() *cobra.Command {
	var p control.Page
	c := &cobra.Command{
		Use:     "audit [TEXT]",
		Short:   "what was done on a server, and by whom",
		Long:    "Audit lists what people, programs and machines did or tried to do, newest first; with\nTEXT what has it in any of its words.",
		Example: "  ingot audit\n  ingot audit lab-07 --limit 20",
		Args:    cli.Args(0, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			p.Match = strings.Join(args, "")
			page, err := c.Audit(ctx, p)
			if err != nil {
				return err
			}
			return r.app.Answer(page, func(w io.Writer) {
				var rows [][]string
				for _, e := range page.Items {
					rows = append(rows, []string{moment(e.At), e.Actor.Name, e.Actor.Addr, e.Action, e.Object, e.Result, e.Detail})
				}
				table(w, []string{"AT", "WHO", "FROM", "ACTION", "OBJECT", "RESULT", "DETAIL"}, rows)
				r.more(page.Next)
			})
		}),
	}
	pageFlags(c, &p)
	return c
}

func (r *remote) bootsCommand() *cobra.Command {
	var p control.Page
	c := &cobra.Command{
		Use:     "boots [TEXT]",
		Short:   "what machines asked for on their way to the agent",
		Long:    "Boots lists what machines asked a server for when they started from the network, what\nthey were offered and why, newest first; with TEXT what has it in any of its words.",
		Example: "  ingot boots\n  ingot boots 52:54:00:12:34:56",
		Args:    cli.Args(0, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			p.Match = strings.Join(args, "")
			page, err := c.Boots(ctx, p)
			if err != nil {
				return err
			}
			return r.app.Answer(page, func(w io.Writer) {
				var rows [][]string
				for _, b := range page.Items {
					rows = append(rows, []string{b.At.Local().Format("01-02 15:04:05"), b.MAC, b.Arch, b.Protocol, b.Asked, b.Offered, b.Why})
				}
				table(w, []string{"AT", "MAC", "FIRMWARE", "BY", "ASKED FOR", "OFFERED", "WHY"}, rows)
				r.more(page.Next)
			})
		}),
	}
	pageFlags(c, &p)
	return c
}

// more tells that a list goes on.
func (r *remote) more(next int64) {
	if next > 0 {
		r.app.Note("%s", fmt.Sprintf("older ones: --before %d", next))
	}
}
