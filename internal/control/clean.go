package control

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Bounds of what people and agents say.
const (
	maxName   = 128     // characters
	maxText   = 1000    // characters
	maxNotes  = 10_000  // characters
	maxDetail = 256_000 // bytes of JSON
	maxBytes  = 1 << 60 // that a disk could have
)

// clean is text as it may be kept and shown.
func clean(s string, most int) string { return fleet.Text(s, most) }

// cleanNotes is clean for several lines.
func cleanNotes(s string) string {
	var lines []string
	for line := range strings.Lines(s[:min(len(s), 4*maxNotes)]) {
		lines = append(lines, fleet.Text(line, maxText))
	}
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	return strings.ToValidUTF8(text[:min(len(text), 4*maxNotes)], "")
}

func bounded(n, limit int64) int64 { return min(max(n, 0), limit) }

// cleanProgress is how far a job is, as it is kept.
func cleanProgress(p wire.Progress) wire.Progress {
	p.Phase = clean(p.Phase, maxName)
	for _, n := range []*int64{&p.Done, &p.Total, &p.Rate, &p.Fetched, &p.Written, &p.Same} {
		*n = bounded(*n, maxBytes)
	}
	p.Left = min(max(p.Left, -1), 1<<30)
	return p
}

// cleanLog are lines of a log as they are kept.
func cleanLog(lines []wire.LogLine) []wire.LogLine {
	var out []wire.LogLine
	for _, l := range lines[:min(len(lines), wire.MaxLog)] {
		out = append(out, wire.LogLine{At: l.At.UTC(), Text: clean(l.Text, maxText)})
	}
	return out
}

// cleanResult is an agent's word on how a job ended, as it is kept. A job that is
// said to be done and to have failed has failed.
func cleanResult(r wire.Result, kind wire.Kind) wire.Result {
	for _, s := range []*string{&r.Error, &r.Hint} {
		*s = clean(*s, maxText)
	}
	r.Image, r.Name = clean(r.Image, maxName), clean(r.Name, 2*maxName)
	r.Progress = cleanProgress(r.Progress)
	r.Exit = int(bounded(int64(r.Exit), 255))
	for _, seconds := range []*float64{&r.Time.Total, &r.Time.Network, &r.Time.Disk, &r.Time.CPU} {
		if math.IsNaN(*seconds) || *seconds < 0 || *seconds > 1e9 {
			*seconds = 0
		}
	}
	if len(r.Detail) > maxDetail || !json.Valid(r.Detail) {
		r.Detail = nil
	}
	if kind != wire.Capture || len(r.Lint) > wire.MaxLint || !json.Valid(r.Lint) {
		r.Lint = nil
	}
	if r.Target != wire.Untouched && r.Target != wire.Unfinished && r.Target != wire.Complete {
		r.Target = ""
	}
	switch {
	case r.Outcome == wire.Cancelled || r.Outcome == wire.Failed:
	case r.Outcome != wire.Done:
		r.Outcome, r.Error = wire.Failed, "the agent did not say how it ended"
	case r.Exit != 0:
		r.Outcome = wire.Failed
	case fleet.Writes(kind) && r.Target != wire.Complete:
		r.Outcome = wire.Failed
	}
	if r.Outcome == wire.Failed && r.Error == "" {
		r.Error = "the agent gave no reason; the job's log may have it"
	}
	return r
}
