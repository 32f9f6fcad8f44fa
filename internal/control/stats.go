package control

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Stats are numbers of a server.
type Stats struct {
	Machines map[wire.State]int     `json:"machines"`
	Online   int                    `json:"online"`
	Jobs     map[fleet.JobState]int `json:"jobs"`
	Batches  int                    `json:"batches"` // that have not ended
	// Rate is what all running jobs move now, bytes a second, by their own word.
	Rate int64 `json:"rate"`
	// Refused counts, since the start, what was refused by reason: "login", "session",
	// "job-token", "enrol-secret", "hello", "foreign-job", "profile", "token", "role".
	Refused map[string]int64 `json:"refused"`
	// Ended counts jobs that ended since the start, by state.
	Ended   map[fleet.JobState]int64 `json:"ended"`
	Written int64                    `json:"written"` // bytes, by jobs whose agents said how they ended since the start
}

// Stats are numbers of the server as it is. They name nobody: the overview and
// /metrics show them.
func (c *Control) Stats(ctx context.Context) (Stats, error) {
	machines, err := c.records.MachineCounts(ctx, c.now().Add(-fleet.OnlineFor))
	if err != nil {
		return Stats{}, err
	}
	jobs, err := c.records.JobCounts(ctx)
	if err != nil {
		return Stats{}, err
	}
	_, open, err := c.records.Batches(ctx, BatchFilter{Open: true, Limit: 1})
	if err != nil {
		return Stats{}, err
	}
	ended, written := c.tally.sum()
	return Stats{
		Machines: machines.State, Online: machines.Online, Jobs: jobs, Batches: open, Rate: c.live.rate(),
		Refused: c.refusals.all(), Ended: ended, Written: written,
	}, nil
}

// tally counts what happened since the start.
type tally struct {
	mu      sync.Mutex
	jobs    map[fleet.JobState]int64
	written int64
	tidied  time.Time
}

func newTally() *tally { return &tally{jobs: map[fleet.JobState]int64{}} }

func (t *tally) ended(j fleet.Job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if j.State.Ended() {
		t.jobs[j.State]++
	}
	t.written += j.Progress.Written
}

func (t *tally) sum() (map[fleet.JobState]int64, int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.jobs), t.written
}

// tidies reports whether it is time to tidy up.
func (t *tally) tidies(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.tidied) < tidyEvery {
		return false
	}
	t.tidied = now
	return true
}
