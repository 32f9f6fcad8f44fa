package control

import (
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Stats are numbers of a server.
type Stats struct {
	Machines map[wire.State]int     `json:"machines"`
	Online   int                    `json:"online"`
	Jobs     map[fleet.JobState]int `json:"jobs"`
	Batches  int                    `json:"batches"` // that have not ended
	// Rate is what all running jobs fetch or store now, bytes a second, by their own
	// word.
	Rate int64 `json:"rate"`
	// Refused counts, since the start, what was refused by reason: "login", "session",
	// "job-token", "enrol-secret", "not-approved", "foreign-job", ...
	Refused map[string]int64 `json:"refused"`
	// Ended counts jobs that ended since the start, by state.
	Ended   map[fleet.JobState]int64 `json:"ended"`
	Written int64                    `json:"written"` // bytes, by jobs that ended since the start
}
