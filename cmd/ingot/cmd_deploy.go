package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/report"
)

// deployFlags are the flags of deploy and clone.
type deployFlags struct {
	deploy.Options
	free      string
	partition string
	dryRun    bool
	yes       bool
}

func (fl *deployFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&fl.dryRun, "dry-run", false, "show the plan and touch nothing")
	f.BoolVar(&fl.yes, "yes", false, "do not ask before overwriting a target that holds data")
	f.StringVar(&fl.partition, "partition", "", "put one partition onto a partition or bare disk, as `N=TARGET`")
	f.BoolVar(&fl.Full, "full", false, "write everything, without looking what the target holds already")
	f.StringVar(&fl.free, "free", "", "what to do with unused space: `discard|zero|keep` (default: discard where the target can)")
	f.BoolVar(&fl.Readback, "readback", false, "read everything back from the medium and compare")
	f.BoolVar(&fl.NewIDs, "new-ids", false, "give the disk and its partitions new GUIDs")
}

// check completes the options after parsing. It returns the partition that is
// put onto a bare target, 0 for a whole disk, and the target's path.
func (fl *deployFlags) check(args []string) (partition int, target string, err error) {
	fl.Free = deploy.FreeSpace(fl.free)
	switch fl.Free {
	case "", deploy.Discard, deploy.Zero, deploy.Keep:
	default:
		return 0, "", usageError{fmt.Errorf("--free is discard, zero or keep, not %q", fl.free)}
	}
	if fl.partition == "" {
		if len(args) != 1 {
			return 0, "", usageError{errors.New("name the target: the disk to overwrite, or --partition N=TARGET")}
		}
		return 0, args[0], nil
	}
	number, target, given := strings.Cut(fl.partition, "=")
	partition, err = strconv.Atoi(number)
	if err != nil || partition < 1 || given == (len(args) == 1) {
		return 0, "", usageError{fmt.Errorf("--partition wants N=TARGET, as in --partition 2=/dev/sdb2, and no other target; got %q", fl.partition)}
	}
	if !given {
		target = args[0]
	}
	return partition, target, nil
}

func (a *app) deployCommand() *cobra.Command {
	var fl deployFlags
	cmd := &cobra.Command{
		Use:   "deploy IMAGE TARGET",
		Short: "put an image onto a disk",
		Long: `Deploy overwrites TARGET, a disk or raw image file, with IMAGE. When TARGET holds
something already, what is there is looked at and only what differs is written.
An interrupted deploy is finished by running it again.

TARGET that holds data is overwritten after its name was typed, or with --yes.
A path that does not exist becomes a raw image file.`,
		Example: "  ingot deploy lab-pc /dev/sdb\n  ingot deploy lab-pc:v2 /dev/sdb --dry-run\n  ingot deploy lab-pc --partition 2=/dev/sdb2",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			partition, target, err := fl.check(args[1:])
			if err != nil {
				return err
			}
			return a.deploy(cmd.Context(), args[0], partition, target, fl)
		},
	}
	fl.add(cmd)
	return cmd
}

func (a *app) deploy(ctx context.Context, ref string, partition int, path string, fl deployFlags) error {
	s, err := a.openStore(ctx, false)
	if err != nil {
		return err
	}
	img, err := catalog.Find(ctx, s, ref)
	if err != nil {
		return err
	}
	m := img.Manifest
	what := fmt.Sprintf("%s (%s)", img.Name(), img.ID.Short())
	job := deployJob{what: what, disk: m.Disk.Size, sector: m.Disk.SectorSize, content: content.NewStored(s, m), fl: fl}
	job.plan = func(t deploy.Target) (*deploy.Plan, error) {
		if partition == 0 {
			return deploy.NewPlan(what, m.Table, m.Regions, m.Disk.SectorSize, t, fl.Options)
		}
		i := indexOf(m.Regions, partition)
		if i < 0 {
			return nil, &capture.PartitionError{Number: partition, Have: numbers(m.Regions)}
		}
		return deploy.NewVolumePlan(what, m.Regions[i], i, m.Disk.SectorSize, t, fl.Options)
	}
	if partition > 0 && indexOf(m.Regions, partition) >= 0 {
		job.disk = m.Region(partition).Size
	}
	return a.put(ctx, path, job)
}

func indexOf(regions []image.Region, partition int) int {
	for i, r := range regions {
		if r.Partition == partition && r.Volume != nil {
			return i
		}
	}
	return -1
}

func numbers(regions []image.Region) (have []int) {
	for _, r := range regions {
		if r.Volume != nil {
			have = append(have, r.Partition)
		}
	}
	return have
}

// deployJob is what deploy and clone share: some content and how it is planned.
type deployJob struct {
	what    string
	disk    int64 // size of a raw image file that is made for it
	sector  int
	content content.Source
	plan    func(deploy.Target) (*deploy.Plan, error)
	fl      deployFlags
}

// deployed is the result of a deploy or a clone.
type deployed struct {
	What    string  `json:"what"`
	Target  string  `json:"target"`
	Data    int64   `json:"dataBytes"`
	Written int64   `json:"writtenBytes"`
	Same    int64   `json:"sameBytes"`
	Seconds float64 `json:"seconds"`
}

// put plans, shows, asks and runs.
func (a *app) put(ctx context.Context, path string, job deployJob) error {
	target, err := a.lookAt(ctx, path, job)
	if err != nil {
		return err
	}
	plan, err := job.plan(target.Target)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if job.fl.dryRun {
		return a.print(planReport(plan, target), func(w io.Writer) { writePlan(w, plan, target) })
	}
	if !a.quiet && !a.json {
		writePlan(a.stderr, plan, target)
	}
	if err := a.confirm(path, target, job.fl.yes); err != nil {
		return err
	}
	opts := host.TargetOptions{SectorSize: job.sector}
	if target.missing {
		opts.CreateSize = job.disk
	}
	disk, err := host.OpenTarget(path, opts)
	if err != nil {
		return err
	}
	started := time.Now()
	work := &progress.Work{Verb: "deploy"}
	stop := a.show(work)
	err = plan.Run(ctx, job.content, disk, work)
	stop()
	if cerr := disk.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("%w\n%s is NOT complete; run the same command again to finish it", err, path)
	}
	result := deployed{job.what, path, plan.Bytes(), work.Written.Load(), work.Same.Load(), time.Since(started).Seconds()}
	return a.print(result, result.text)
}

func (r deployed) text(w io.Writer) {
	fmt.Fprintf(w, "deployed %s to %s in %s: %s written, %s were there already\n",
		r.What, r.Target, report.Seconds(r.Seconds), report.Bytes(r.Written), report.Bytes(r.Same))
}

// confirm asks for the target's name when it holds data.
func (a *app) confirm(path string, t targetLook, yes bool) error {
	if yes || t.Blank || t.missing {
		return nil
	}
	name := t.name
	fmt.Fprintf(a.stderr, "Everything on %s will be overwritten. Type %s to go on: ", path, name)
	answer, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	if strings.TrimSpace(answer) != name {
		return &deploy.RefusedError{Why: fmt.Sprintf("%s holds data and was not confirmed by typing %q; nothing was written (--yes does not ask)", path, name)}
	}
	return nil
}

func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, os.ErrNotExist)
}
