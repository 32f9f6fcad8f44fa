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
	"slices"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/system"
	"github.com/ingot-imaging/ingot/internal/view/volumes"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Job is what is put on a target.
type Job struct {
	Table   *part.Table // of the source's disk; nil: one volume without a table
	Sector  int         // logical sector size of the source, bytes
	Source  content.RandomSource
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
	volumes *volumes.Volumes
	trees   []tree
	found   system.Kind // by Plan
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
	shown, err := volumes.Show(ctx, job.Source, job.Scratch, func(image.Region) bool { return true })
	if err != nil {
		return nil, err
	}
	s := &Session{job: job, volumes: shown}
	for i, r := range job.Source.Regions() {
		if r.Role == image.Listing && r.Volume != nil {
			s.addTree(i, r)
		}
	}
	return s, nil
}

func (s *Session) addTree(i int, r image.Region) {
	contents := slices.IndexFunc(s.job.Source.Regions(), func(c image.Region) bool {
		return c.Role == image.Contents && c.Partition == r.Partition
	})
	s.trees = append(s.trees, tree{r.Partition, i, contents, r})
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
	if v := s.volumes.Of(partition); v != nil {
		return v.Region.Volume
	}
	if t := s.tree(partition); t != nil {
		return t.region.Volume
	}
	return nil
}

// Close drops the views and everything that was changed in them.
func (s *Session) Close() error { return s.volumes.Close() }
