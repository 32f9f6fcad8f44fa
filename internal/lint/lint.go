// Package lint looks through an image, or a disk before it is captured, for what
// will matter on the machines that get it: what is not ready to be many, what is
// secret, what fits the reference PC alone.
//
// It owns the list of findings (Kinds), each with what a deploy does about it, and
// the checks that find them. It reads tables, volumes and the files on them, and
// changes nothing. A check that fails is a finding itself and never hides the others.
//
// What an image holds is not trusted: names are resolved inside the image, only
// regular files are read, up to a limit, and every walk has an end. Start at Look.
package lint

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/system"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Severity says how much a finding matters. Part of the JSON output, so never renamed.
type Severity string

const (
	Serious Severity = "serious" // machines will not work, will damage data, or give secrets away
	Warning Severity = "warning" // something to look at before many machines get it
	Info    Severity = "info"    // worth knowing; normal, or small
)

// severities in the order of a report.
var severities = []Severity{Serious, Warning, Info}

// Finding is one thing that was found.
type Finding struct {
	ID        ID       `json:"id"`
	Severity  Severity `json:"severity"`
	Partition int      `json:"partition"`       // 0: the disk as a whole, or its one volume
	Path      string   `json:"path,omitempty"`  // in the system, or on the partition, of the first of several
	Bytes     int64    `json:"bytes,omitempty"` // how much it is, where that is what matters
	What      string   `json:"what"`            // what was found, as a sentence
	Why       string   `json:"why"`             // why it matters
	Plain     string   `json:"deploy"`          // what a deploy does about it
	Profiled  string   `json:"deployWithProfile"`
	Do        string   `json:"do"` // what the user can do
}

// Report is what Look found.
type Report struct {
	Systems  []Found   `json:"systems"`
	Findings []Finding `json:"findings"` // the worst first
}

// Found is a system that was looked at.
type Found struct {
	Partition int         `json:"partition"`
	Kind      system.Kind `json:"kind"`
	Name      string      `json:"name,omitempty"` // as it calls itself
}

// Count is the number of findings of a severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Job is what is looked at.
type Job struct {
	Source   content.RandomSource
	Manifest *image.Manifest // what Source is
	Live     bool            // it is a disk that may be captured yet
	Formats  []volume.Format
	Scratch  string // folder for mounts
}

// Look looks at an image or a disk. The error is ctx's, or says that the image
// itself is damaged; the Report holds what was found all the same.
func Look(ctx context.Context, job Job) (*Report, error) {
	img := browse.New(job.Source, job.Manifest, job.Scratch)
	s, r := &subject{job: job}, &Report{Systems: []Found{}, Findings: []Finding{}}
	r.Findings = append(r.Findings, s.open(ctx, img)...)
	for _, c := range checks {
		if ctx.Err() != nil {
			break
		}
		found, err := c.look(ctx, s)
		r.Findings = append(r.Findings, found...)
		if err != nil && ctx.Err() == nil {
			r.Findings = append(r.Findings, unseen(0, "", c.about, err))
		}
	}
	for _, sys := range s.systems {
		r.Systems = append(r.Systems, Found{sys.partition, sys.kind, sys.name()})
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity))
	})
	return r, errors.Join(img.Close(), ctx.Err())
}
