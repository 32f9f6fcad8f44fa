package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/report"
)

func (a *App) disksCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "disks",
		Short: "what disks are here, and what is on them",
		Long: `Disks lists the machine's disks with model, serial number and size, and for each
volume on them: its kind, its label, how much of it is used, and whether it is
clean, in use, or why it would not be captured. It only reads.`,
		Example: "  ingot disks\n  ingot disks --json",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.disks(cmd.Context())
		},
	}
}

func (a *App) disks(ctx context.Context) error {
	list, err := host.List()
	if err != nil {
		return err
	}
	disks := []described{}
	for _, d := range list {
		disks = append(disks, describe(ctx, d))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if os.Geteuid() != 0 {
		a.Note("only root may look into disks; this shows the rest")
	}
	return a.Answer(disks, func(w io.Writer) {
		for _, d := range disks {
			d.brief(w)
		}
		if len(disks) == 0 {
			fmt.Fprintln(w, "no disks")
		}
	})
}

// brief prints a disk in a line, and its volumes in one each.
func (d described) brief(w io.Writer) {
	fmt.Fprintf(w, "%s  %s\n", d.Path, d.hardware())
	if d.Error != "" {
		fmt.Fprintf(w, "   cannot be read: %s\n", d.Error)
		return
	}
	if d.Unfinished != "" {
		fmt.Fprintf(w, "   holds an unfinished deploy of %s; the same deploy again finishes it\n", d.Unfinished)
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range d.Volumes {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", v.number(), v.kind(), report.Bytes(v.Size), v.used(), v.state())
	}
	t.Flush()
}

// hardware is what a disk is, in a line.
func (d described) hardware() string {
	words := []string{identity(host.Disk{Vendor: d.Vendor, Model: d.Model, Serial: d.Serial}), report.Bytes(d.Size)}
	for _, w := range []string{d.Transport, d.Backing, d.tableName()} {
		if w != "" && w != "file" && w != "loop" {
			words = append(words, w)
		}
	}
	return strings.Join(words, ", ")
}

func (d described) tableName() string {
	switch d.Table {
	case part.GPT, part.MBR:
		return strings.ToUpper(string(d.Table))
	case part.None:
		return "no partition table"
	}
	return ""
}

func (v describedVolume) number() string {
	if v.Partition == 0 {
		return "-"
	}
	return fmt.Sprint(v.Partition)
}

func (v describedVolume) kind() string {
	if v.Label == "" {
		return v.Kind
	}
	return fmt.Sprintf("%s %q", v.Kind, v.Label)
}

func (v describedVolume) used() string {
	if v.Used == nil {
		return ""
	}
	return report.Bytes(*v.Used) + " used"
}

// state is the one thing worth knowing before a capture.
func (v describedVolume) state() string {
	switch {
	case len(v.Uses) > 0:
		return strings.Join(v.Uses, "; ")
	case v.Damage != "":
		return "damaged: " + v.Damage
	case len(v.Refusals) > 0:
		return "not clean: " + v.Refusals[0].What
	}
	return "clean"
}
