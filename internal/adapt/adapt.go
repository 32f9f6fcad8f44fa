// Package adapt makes the content of an image fit another disk, and one machine.
//
// It owns the order of things: measure and plan, show, then grow, shrink, move and
// edit volumes in copy-on-write views, make anew on the target what cannot be had
// otherwise, and hand the result to a deploy as its content. Where a partition
// lands is package fit's to say, how a file system changes its size is resize's,
// what is edited in a system is customise's. It never writes to the source, and to
// the target only where a file system is made anew.
//
// Open, Plan, Layout, then Prepare; doc/decisions/0005 says why.
package adapt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/system"
	"github.com/ingot-imaging/ingot/internal/view"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Source is content that can also be read at any place.
type Source interface {
	content.Source
	content.Opener
}

// Job is what is put on a target.
type Job struct {
	Table   *part.Table // of the source's disk; nil: one volume without a table
	Sector  int         // logical sector size of the source, bytes
	Source  Source
	Formats []volume.Format
	Scratch string             // folder for what is changed, and for mounts
	Say     func(doing string) // tells the user what takes time now; may be nil
	Work    *progress.Work     // counts files that are made anew; may be nil
	Read    bool               // compare every file that is made anew, as it is read from the target
	// Place is files.WalkOptions.Place: files are read in the order of the disk.
	Place func(fd int) (int64, bool)
}

// Session is a job whose volumes are shown as files. It belongs to one goroutine.
type Session struct {
	job     Job
	dir     string // where volumes are shown; below it nothing else
	server  *view.Server
	volumes []*shown
	trees   []tree
	found   system.Kind // by Plan
}

// shown is a volume of the source under a layer.
type shown struct {
	index  int // of its region in the source
	region image.Region
	base   content.Random
	layer  *view.Layer
}

// tree is a volume of the source that was captured file by file.
type tree struct {
	partition         int
	listing, contents int // regions
	region            image.Region
}

// Open shows the volumes of a job. Nothing is measured or changed yet.
func Open(ctx context.Context, job Job) (*Session, error) {
	if job.Work == nil {
		job.Work = &progress.Work{}
	}
	if job.Say == nil {
		job.Say = func(string) {}
	}
	s := &Session{job: job}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Session) open(ctx context.Context) error {
	layers := map[string]*view.Layer{}
	for i, r := range s.job.Source.Regions() {
		switch {
		case r.Volume == nil:
		case r.Role == image.Listing:
			s.addTree(i, r)
		case r.Role == image.Blocks:
			v, err := s.show(ctx, i, r)
			if err != nil {
				return err
			}
			layers[v.name()] = v.layer
		}
	}
	var err error
	if s.dir, err = os.MkdirTemp(s.job.Scratch, "ingot-volumes-"); err != nil {
		return err
	}
	s.server, err = view.Serve(s.dir, layers)
	return err
}

func (s *Session) addTree(i int, r image.Region) {
	contents := slices.IndexFunc(s.job.Source.Regions(), func(c image.Region) bool {
		return c.Role == image.Contents && c.Partition == r.Partition
	})
	s.trees = append(s.trees, tree{r.Partition, i, contents, r})
}

// show puts an empty layer on region i.
func (s *Session) show(ctx context.Context, i int, r image.Region) (*shown, error) {
	base, err := s.job.Source.Open(ctx, i)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Title(), err)
	}
	v := &shown{index: i, region: r, base: base}
	s.volumes = append(s.volumes, v)
	v.layer, err = view.NewLayer(base, r.Size, s.job.Scratch)
	return v, err
}

// name is the volume's file.
func (v *shown) name() string { return fmt.Sprintf("partition-%d", v.region.Partition) }

func (s *Session) path(v *shown) string { return s.server.Path(v.name()) }

// volume returns the shown volume of a partition, nil when there is none.
func (s *Session) volume(partition int) *shown {
	i := slices.IndexFunc(s.volumes, func(v *shown) bool { return v.region.Partition == partition })
	if i < 0 {
		return nil
	}
	return s.volumes[i]
}

func (s *Session) tree(partition int) *tree {
	i := slices.IndexFunc(s.trees, func(t tree) bool { return t.partition == partition })
	if i < 0 {
		return nil
	}
	return &s.trees[i]
}

// held is what a partition held, nil when nothing is known of it.
func (s *Session) held(partition int) *image.Volume {
	if v := s.volume(partition); v != nil {
		return v.region.Volume
	}
	if t := s.tree(partition); t != nil {
		return t.region.Volume
	}
	return nil
}

// Close drops the views and everything that was changed in them.
func (s *Session) Close() error {
	var err error
	if s.server != nil {
		err = s.server.Close()
	}
	for _, v := range s.volumes {
		if v.layer != nil {
			err = errors.Join(err, v.layer.Close())
		}
		err = errors.Join(err, v.base.Close())
	}
	if s.dir != "" {
		err = errors.Join(err, os.Remove(s.dir))
	}
	s.server, s.volumes, s.dir = nil, nil, ""
	return err
}

// fault is the reason behind an error of a tool or a mount that worked on v: a
// file in user space can only say that it failed.
func (v *shown) fault(err error) error {
	if err == nil || v.layer.Err() == nil {
		return err
	}
	return fmt.Errorf("%w (%w)", err, v.layer.Err())
}
