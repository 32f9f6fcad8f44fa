package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/report"
)

// inspected is a disk in depth.
type inspected struct {
	described
	Refused []string `json:"captureRefused,omitempty"` // why a capture would not be done as things are
	Takes   []taken  `json:"captureTakes,omitempty"`   // else what it would take

	plan *capture.Plan
}

func (a *App) inspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect SOURCE",
		Short: "everything about one disk, partition or raw image file",
		Long: `Inspect shows the partition table with its IDs and what was found wrong with it,
each volume with its used map, the space between partitions, and what a capture
would take, or why it would be refused. It only reads.`,
		Example: "  ingot inspect /dev/sda\n  ingot inspect /dev/sda2\n  ingot inspect disk.img --json",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inspect(cmd.Context(), args[0])
		},
	}
}

func (a *App) inspect(ctx context.Context, path string) error {
	src, err := host.OpenSource(path, host.SourceOptions{})
	if err != nil {
		return err
	}
	defer src.Close()
	out := inspected{described: describeHardware(src.Describe())}
	disk, err := out.look(ctx, src, true)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, err := range []error{refuseUsed(path), refuseUnfinished(src)} {
		if err != nil {
			out.Refused = append(out.Refused, err.Error())
		}
	}
	plan, err := capture.NewPlan(ctx, src, describeSource(src, disk), disk, capture.Options{})
	var refused *capture.RefusedError
	switch {
	case errors.As(err, &refused):
		out.Refused = append(out.Refused, refused.Reasons...)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	default:
		out.plan, out.Takes = plan, takeReport(plan)
	}
	return a.Answer(out, out.text)
}

func (i inspected) text(w io.Writer) {
	i.inDepth(w)
	for _, v := range i.Volumes {
		v.inDepth(w)
	}
	for _, g := range i.Gaps {
		fmt.Fprintf(w, "\nspace between partitions at %#x: %s\n", g.Start, exactly(g.Length))
	}
	fmt.Fprintln(w)
	if len(i.Refused) > 0 {
		fmt.Fprintln(w, "A capture is refused:")
		for _, why := range i.Refused {
			fmt.Fprintf(w, "  %s\n", why)
		}
		return
	}
	writeTake(w, i.plan)
	for _, n := range i.plan.Notes() {
		fmt.Fprintf(w, "  %s\n", n)
	}
}

// field prints one line of a description, nothing when there is nothing to say.
func field(w io.Writer, name, format string, args ...any) {
	if text := strings.TrimSpace(fmt.Sprintf(format, args...)); text != "" {
		fmt.Fprintf(w, "  %-9s %s\n", name, text)
	}
}

func (d described) inDepth(w io.Writer) {
	fmt.Fprintln(w, d.Path)
	field(w, "is", "%s", identity(host.Disk{Vendor: d.Vendor, Model: d.Model, Serial: d.Serial}))
	field(w, "WWN", "%s", d.WWN)
	field(w, "behind it", "%s", d.Backing)
	field(w, "size", "%s in sectors of %d (physically %d)", exactly(d.Size), d.Sector, d.PhysicalSector)
	field(w, "table", "%s %s", d.tableName(), d.TableID)
	for _, f := range d.Findings {
		field(w, "finding", "%s", f)
	}
	for _, u := range d.Uses {
		field(w, "in use", "%s", u)
	}
	if d.Unfinished != "" {
		field(w, "holds", "an unfinished deploy of %s; the same deploy again finishes it", d.Unfinished)
	}
}

func (v describedVolume) inDepth(w io.Writer) {
	title := "the whole disk"
	if v.Partition > 0 {
		title = fmt.Sprintf("partition %d", v.Partition)
	}
	fmt.Fprintf(w, "\n%s, %s\n", title, v.kind())
	field(w, "place", "at %#x, %s", v.Start, exactly(v.Size))
	field(w, "type", "%s", v.Type)
	field(w, "ID", "%s", v.ID)
	if v.Name != "" {
		field(w, "name", "%q", v.Name)
	}
	if v.Flags != 0 {
		field(w, "flags", "%#x", v.Flags)
	}
	field(w, "UUID", "%s", v.UUID)
	if v.BlockSize > 0 {
		field(w, "volume", "%s in blocks of %d", exactly(v.Holds), v.BlockSize)
	}
	if v.Used != nil {
		field(w, "used", "%s in %d extents", exactly(*v.Used), v.Extents)
	}
	for _, o := range v.Omitted {
		field(w, "left out", "%s, %s", o.Name, report.Bytes(o.Bytes))
	}
	field(w, "damage", "%s", v.Damage)
	for _, r := range v.Refusals {
		field(w, "not clean", "%s. %s", r.What, r.Do)
	}
	if v.Clean {
		field(w, "state", "clean")
	}
	for _, c := range v.Children {
		field(w, "contains", "%s: %s, %s %s", c.Name, c.kind(), report.Bytes(c.Holds), c.used())
	}
	for _, n := range v.Notes {
		field(w, "note", "%s", n)
	}
}

// exactly is n in units and in bytes.
func exactly(n int64) string { return fmt.Sprintf("%s (%d bytes)", report.Bytes(n), n) }
