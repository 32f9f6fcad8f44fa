package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// submission is work that is asked for on the command line.
type submission struct {
	spec     message.Spec
	hostname string
	at       string
	rate     string
	then     string
	method   string
	yes      bool
	dryRun   bool
	wait     bool
}

// verb is a kind of work as a command.
type verb struct {
	kind    wire.Kind
	use     string // "deploy IMAGE"
	short   string
	example string
	flags   func(c *cobra.Command, s *submission)
}

func verbs() []verb {
	return []verb{
		{wire.Deploy, "deploy IMAGE", "put an image on machines' disks", "  ingot jobs deploy lab-pc --group lab --profile lab --wait\n  ingot jobs deploy lab-pc:v3 --on lab-01,lab-02 --at 22:00 --wake --then shutdown", deployFlags},
		{wire.Capture, "capture NAME[:TAG]", "make an image of a machine's disk", "  ingot jobs capture lab-pc --on ref-pc --wait", captureFlags},
		{wire.Verify, "verify IMAGE", "compare machines' disks with an image", "  ingot jobs verify lab-pc:v3 --group lab", nil},
		{wire.Wipe, "wipe", "make machines' disks forget what they hold", "  ingot jobs wipe --on lab-07 --method overwrite --wait", wipeFlags},
		{wire.Look, "inventory", "read machines' inventory again", "  ingot jobs inventory --group lab", nil},
		{fleet.RebootKind, "reboot", "restart machines", "  ingot jobs reboot --on lab-07", nil},
		{fleet.ShutdownKind, "shutdown", "turn machines off", "  ingot jobs shutdown --group lab", nil},
		{fleet.LocalBootKind, "local-boot", "restart machines from their own disks", "  ingot jobs local-boot --group lab", nil},
	}
}

func (r *remote) submitCommands() []*cobra.Command {
	var commands []*cobra.Command
	for _, v := range verbs() {
		s := &submission{spec: message.Spec{Kind: v.kind}}
		least := len(strings.Fields(v.use)) - 1
		c := &cobra.Command{
			Use: v.use, Short: v.short, Example: v.example, Args: cli.Args(least, least),
			RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
				if err := s.complete(args, time.Now()); err != nil {
					return err
				}
				return r.submit(ctx, c, *s)
			}),
		}
		s.flags(c)
		if v.flags != nil {
			v.flags(c, s)
		}
		commands = append(commands, c)
	}
	return commands
}

// flags are those of every verb.
func (s *submission) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringSliceVar(&s.spec.Machines, "on", nil, "`MACHINES`, with commas, in the order in which they start")
	f.StringVar(&s.spec.Group, "group", "", "all approved machines of a `GROUP`")
	f.StringVar(&s.at, "at", "", "not before this `TIME`: 22:00, '2026-12-24 22:00', or 90m from now")
	f.BoolVar(&s.spec.Wake, "wake", false, "wake machines by wake-on-LAN")
	f.IntVar(&s.spec.Limit, "limit", 0, "how `many` machines at a time (default: all)")
	f.StringVar(&s.spec.Notes, "note", "", "what it is for")
	f.BoolVar(&s.yes, "yes", false, "do not ask")
	f.BoolVar(&s.dryRun, "dry-run", false, "show the plan and start nothing")
	f.BoolVar(&s.wait, "wait", false, "follow it to the end")
	switch s.spec.Kind {
	case wire.Deploy, wire.Capture, wire.Verify, wire.Wipe:
		f.StringVar(&s.spec.Disk, "disk", "", "`WHICH` disk: a path, a serial number, largest, smallest, first nvme (default: a machine's only internal one)")
		f.StringVar(&s.rate, "rate", "", "at most so many `BYTES` a second for all of it together, as 50M")
		f.StringVar(&s.then, "then", "", "when it is done: `stay|reboot|shutdown|local-boot` (default: reboot after a deploy, else stay)")
	}
}

func deployFlags(c *cobra.Command, s *submission) {
	f := c.Flags()
	f.StringVar(&s.spec.Profile, "profile", "", "make each system its machine's own, as the profile `NAME` of the server says")
	f.StringVar(&s.hostname, "hostname", "", "the machine's `NAME`, instead of what the profile says; for one machine")
	f.StringToStringVar(&s.spec.Deploy.Values, "set", nil, "a value for a placeholder of the profile, as `KEY=VALUE`")
	f.StringVar(&s.spec.Deploy.Grow, "grow", "", "what grows on larger disks: `auto|none|proportional|N`, N a partition")
	f.StringVar(&s.spec.Deploy.Free, "free", "", "what to do with unused space: `discard|zero|keep`")
	f.BoolVar(&s.spec.Deploy.Full, "full", false, "write everything, without looking what the disks hold already")
	f.BoolVar(&s.spec.Deploy.Readback, "readback", false, "read everything back and compare")
	f.BoolVar(&s.spec.Deploy.NewIDs, "new-ids", false, "give disks and partitions new GUIDs")
}

func captureFlags(c *cobra.Command, s *submission) {
	f := c.Flags()
	f.BoolVar(&s.spec.Capture.Files, "files", false, "capture files instead of blocks, to deploy to any file system")
	f.BoolVar(&s.spec.Capture.Raw, "raw", false, "capture every sector, used or not")
	f.StringSliceVar(&s.spec.Capture.Exclude, "exclude", nil, "with --files, leave out what matches these `PATTERNS`")
}

func wipeFlags(c *cobra.Command, s *submission) {
	c.Flags().StringVar(&s.method, "method", string(wire.WipeDiscard), "`discard|overwrite`: quick, and as good as the disks' firmware; or every sector")
}

// complete fills in what flags and arguments say in words.
func (s *submission) complete(args []string, now time.Time) (err error) {
	if len(s.spec.Machines) == 0 && s.spec.Group == "" {
		return cli.Usage("on which machines? --on names them, --group takes those of a group")
	}
	if len(args) > 0 {
		s.spec.Image = args[0]
	}
	if s.at != "" {
		if s.spec.At, err = parseTime(s.at, now); err != nil {
			return err
		}
	}
	if s.rate != "" {
		if s.spec.Rate, err = parseRate(s.rate); err != nil {
			return err
		}
	}
	if !slices.Contains([]string{"", "stay", "reboot", "shutdown", "local-boot"}, s.then) {
		return cli.Usage("--then is stay, reboot, shutdown or local-boot, not %q", s.then)
	}
	s.spec.Then = wire.Then(s.then)
	if s.spec.Kind == wire.Wipe {
		s.spec.Wipe = wire.WipeMethod(s.method)
		if s.spec.Wipe != wire.WipeDiscard && s.spec.Wipe != wire.WipeOverwrite {
			return cli.Usage("--method is discard or overwrite, not %q", s.method)
		}
	}
	s.spec.Deploy.Hostname = s.hostname
	return nil
}

// submit shows what would be done, asks, and starts it.
func (r *remote) submit(ctx context.Context, c *apiclient.Client, s submission) error {
	preview, err := c.Preview(ctx, s.spec)
	if err != nil {
		return err
	}
	if s.dryRun {
		if err := r.app.Answer(preview, func(w io.Writer) { writePreview(w, preview) }); err != nil {
			return err
		}
		return stopped(preview)
	}
	if !r.app.Quiet() || !s.yes {
		r.app.Show(func(w io.Writer) { writePreview(w, preview) })
	}
	if err := stopped(preview); err != nil {
		return err
	}
	if !s.yes {
		answer, err := r.app.Ask(ctx, question(preview))
		if err != nil {
			return err
		}
		if answer != "yes" {
			return cli.Refuse("it was not confirmed; nothing was started (--yes does not ask)")
		}
	}
	batch, err := c.Submit(ctx, s.spec)
	if err != nil {
		return err
	}
	return r.started(ctx, c, batch, s.wait)
}

// started tells what was started, and follows it when that is wanted.
func (r *remote) started(ctx context.Context, c *apiclient.Client, batch fleet.Batch, wait bool) error {
	if wait {
		return r.follow(ctx, c, batch.ID)
	}
	return r.app.Print(batch, func(w io.Writer) {
		fmt.Fprintf(w, "%s is on its way; 'ingot jobs watch %s' follows it\n", batch.ID, batch.ID)
	})
}
