package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/verify"
)

// proved is the result of a verification that found nothing wrong.
type proved struct {
	What    string  `json:"what"`
	Intact  bool    `json:"intact"`
	Seconds float64 `json:"seconds"`
}

func (a *App) verifyCommand() *cobra.Command {
	var deep bool
	cmd := &cobra.Command{
		Use:   "verify IMAGE",
		Short: "is an image intact?",
		Long: `Verify reads every byte in the store that IMAGE needs and checks it against its
hash. With --deep every chunk is unpacked too, as a deploy would.`,
		Example:           "  ingot verify lab-pc\n  ingot verify lab-pc:v2 --deep",
		Args:              exactArgs(1),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.verify(cmd.Context(), args[0], deep)
		},
	}
	cmd.Flags().BoolVar(&deep, "deep", false, "unpack every chunk and check it against its own hash")
	return cmd
}

func (a *App) verify(ctx context.Context, ref string, deep bool) error {
	s, img, err := a.openImage(ctx, ref)
	if err != nil {
		return err
	}
	started := time.Now()
	work := a.work("verify")
	stop := a.show(work)
	err = verify.Image(ctx, s, "image "+img.Name(), img.Manifest, deep, work)
	stop()
	if err != nil {
		return err
	}
	return a.proved("image "+img.Name(), "is intact", started)
}

func (a *App) proved(what, how string, started time.Time) error {
	p := proved{what, true, time.Since(started).Seconds()}
	return a.Print(p, func(w io.Writer) { fmt.Fprintf(w, "%s %s (checked in %s)\n", what, how, report.Seconds(p.Seconds)) })
}

func (a *App) compareCommand() *cobra.Command {
	var partition int
	cmd := &cobra.Command{
		Use:   "compare IMAGE DISK",
		Short: "does a disk equal an image?",
		Long: `Compare reads DISK and checks everything that a deploy of IMAGE would write to it:
the partition table and all used bytes. Free space is not compared.`,
		Example:           "  ingot compare lab-pc /dev/sdb\n  ingot compare lab-pc /dev/sdb2 --partition 2",
		Args:              exactArgs(2),
		ValidArgsFunction: a.completeImageThenFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.compare(cmd.Context(), args[0], args[1], partition)
		},
	}
	cmd.Flags().IntVar(&partition, "partition", 0, "compare one partition of the image, by `number`, with a partition or bare disk")
	return cmd
}

func (a *App) compare(ctx context.Context, ref, path string, partition int) error {
	s, img, err := a.openImage(ctx, ref)
	if err != nil {
		return err
	}
	m := img.Manifest
	if err := refuseFiles(m, img.Name()); err != nil {
		return err
	}
	disk, err := host.OpenSource(path, host.SourceOptions{SectorSize: m.Disk.SectorSize})
	if err != nil {
		return err
	}
	defer disk.Close()
	if err := refuseUsed(path); err != nil {
		a.Note("warning: it may change while it is compared: %v", err)
	}
	table, places, err := expected(m, partition, disk.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	started := time.Now()
	work := a.work("compare")
	stop := a.show(work)
	err = verify.Disk(ctx, content.NewStored(s, m), table, places, disk, work)
	stop()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return a.proved(path, "equals image "+img.Name(), started)
}

// expected is what a disk of the given size holds after a deploy.
func expected(m *image.Manifest, partition int, size int64) (*part.Table, []content.Place, error) {
	if partition > 0 {
		i, err := regionOf(m.Regions, partition)
		if err != nil {
			return nil, nil, err
		}
		return nil, []content.Place{{Region: i, Size: min(m.Regions[i].Size, size)}}, nil
	}
	var places []content.Place
	for i, r := range m.Regions {
		at := r.Start
		if m.Table == nil {
			at = 0
		}
		if end := at + r.Size; end > size && r.Volume != nil {
			return nil, nil, &verify.DifferenceError{Differences: []verify.Difference{{Where: r.Title() + ", which the disk has no room for", Bytes: end - size, First: size}}}
		} else if end > size {
			continue // unpartitioned space that a smaller disk does not have
		}
		places = append(places, content.Place{Region: i, At: at, Size: r.Size})
	}
	return m.Table, places, nil
}
