package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/ingot-imaging/ingot/internal/adapt"
	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/machine"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// adapted is content that is made to fit a target and its machine on the way.
type adapted struct {
	session *adapt.Session
	fit     *fit.Plan
	layout  adapt.Layout
	target  adapt.Target
	custom  adapt.Custom
	newIDs  map[string]string
	report  *adapt.Report // when it was prepared
}

// wantsAdapting reports whether a job cannot go onto a target as it is.
func (j *deployJob) wantsAdapting(t deploy.Target) bool {
	switch {
	case j.partition > 0:
		return false
	case j.fl.customises(), len(j.fl.fs) > 0, image.ByFiles(j.regions):
		return true
	case j.fl.grow == "none" && t.Size >= j.size && t.SectorSize == j.sector:
		return false
	}
	return t.Size != j.size || t.SectorSize != j.sector || j.fl.NewIDs && os.Geteuid() == 0
}

// adapt plans how a job's content is made to fit its target, and turns the job
// into one that puts the result there. It is nil when nothing is to be done.
func (a *App) adapt(ctx context.Context, job *deployJob, t deploy.Target, work *progress.Work) (*adapted, error) {
	if !job.wantsAdapting(t) {
		return nil, nil
	}
	if job.table == nil && image.ByFiles(job.regions) {
		return nil, refuse("%s is a tree of files without a partition table: it makes no disk. 'ingot extract %s / FOLDER' puts its files into a folder", job.what, job.name)
	}
	document, facts, err := a.wishes(job.fl)
	if err != nil {
		return nil, err
	}
	src, ok := job.content.(content.RandomSource)
	if !ok {
		return nil, fmt.Errorf("%s cannot be fitted", job.what)
	}
	if err := a.privateMounts("fitting an image to a disk mounts its file systems"); err != nil {
		return nil, err
	}
	session, err := adapt.Open(ctx, adapt.Job{
		Table: job.table, Sector: job.sector, Source: src, Formats: all.Formats(),
		Scratch: job.fl.scratchFolder(), Read: job.fl.Readback, Place: host.FirstPlace, Work: work, Say: func(doing string) { a.Note("%s", doing) },
	})
	if err != nil {
		return nil, err
	}
	ad := &adapted{session: session, target: adapt.Target{Path: t.Path, SectorSize: t.SectorSize}}
	if err := ad.plan(ctx, job, t, document, facts); err != nil {
		return nil, errors.Join(err, session.Close())
	}
	return ad, nil
}

// plan decides everything, and rewrites the job.
func (ad *adapted) plan(ctx context.Context, job *deployJob, t deploy.Target, document *profile.Document, facts profile.Facts) error {
	wishes := adapt.Wishes{Grow: job.fl.grow, FileSystems: job.fl.fs}
	if document != nil {
		wishes = wishes.Or(document.Profile.Disk)
	}
	var err error
	if ad.fit, err = ad.session.Plan(ctx, fit.Target{Size: t.Size, SectorSize: t.SectorSize}, wishes); err != nil {
		return err
	}
	if job.fl.NewIDs {
		if ad.fit.Table, ad.newIDs, err = tables.NewIDs(ad.fit.Table, rand.Reader); err != nil {
			return err
		}
		job.fl.NewIDs = false
	}
	ad.custom.Job = customise.Job{Facts: facts, Machines: job.fl.machines, Rand: rand.Reader, Started: job.what}
	if document != nil {
		overrides := profile.Overrides{Hostname: job.fl.hostname, Counter: job.fl.counter, Values: job.fl.values}
		if ad.custom.Settings, err = document.Settings(facts, profile.OS(ad.session.System()), overrides); err != nil {
			return err
		}
		if ad.custom.Drivers, err = ad.session.Drivers(ctx, facts, ad.custom.Settings.Drivers); err != nil {
			return err
		}
	}
	ad.layout = ad.session.Layout(ad.fit)
	if job.table != nil {
		job.table = &ad.fit.Table
	}
	job.regions, job.sector, job.fl.Made = ad.layout.Regions, t.SectorSize, ad.layout.Made
	return nil
}

// wishes reads the profile and the facts of the machine. Without a profile, but
// with a host name, there is an empty one.
func (a *App) wishes(fl deployFlags) (*profile.Document, profile.Facts, error) {
	var facts profile.Facts
	if !fl.customises() {
		return nil, facts, nil
	}
	facts, err := factsOf(fl.machine)
	if err != nil {
		return nil, facts, err
	}
	if fl.profile == "" {
		document, err := profile.Parse("(command line)", []byte("{}"), ".")
		return document, facts, err
	}
	document, err := profile.Load(fl.profile)
	return document, facts, err
}

// factsOf reads the facts of a machine from a file; "" is this machine.
func factsOf(file string) (profile.Facts, error) {
	if file == "" {
		return machine.Read(os.DirFS("/"))
	}
	var facts profile.Facts
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &facts)
	}
	if err != nil {
		err = usageError{fmt.Errorf("facts of a machine: %s: %w", file, err)}
	}
	return facts, err
}

// runner returns what carries a plan out. File systems that are made anew are made
// on the target, when its old content is gone; everything else is done here,
// before anything is written.
func (ad *adapted) runner(ctx context.Context, plan *deploy.Plan, work *progress.Work) (func(context.Context, *host.Target) error, error) {
	prepare := func(ctx context.Context) (src content.Source, err error) {
		src, ad.report, err = ad.session.Prepare(ctx, ad.fit, ad.layout, ad.target, ad.custom)
		if err == nil {
			plan.Last(ad.report.Writes...)
		}
		return src, err
	}
	if adapt.Rebuilds(ad.fit) {
		return func(ctx context.Context, disk *host.Target) error { return plan.RunWith(ctx, prepare, disk, work) }, nil
	}
	src, err := prepare(ctx)
	return func(ctx context.Context, disk *host.Target) error { return plan.Run(ctx, src, disk, work) }, err
}
