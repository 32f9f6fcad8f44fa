package control

import "github.com/ingot-imaging/ingot/internal/fleet"

// Grant is what a job's token allows.
type Grant struct {
	Job   fleet.Job
	Image string // that may be read: its ID; "" for captures, which may read what they need to add to the store
	Write bool   // objects may be added
	Rate  *Rate  // of the whole batch; nil: no cap
}
