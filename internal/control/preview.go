package control

import (
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Preview is what Submit would do.
type Preview struct {
	// Spec is as a batch would keep it: the image named whole, machines of the group
	// among the machines, defaults filled in.
	Spec     fleet.BatchSpec `json:"spec"`
	Image    *Image          `json:"image,omitempty"`
	Machines []Planned       `json:"machines"`
	Problems InvalidErrors   `json:"problems,omitempty"` // with all of it; those of a machine are with it
	Warnings []string        `json:"warnings,omitempty"`
}

// Planned is what one machine would get.
type Planned struct {
	Machine  string     `json:"machine"` // ID
	Name     string     `json:"name"`
	Online   bool       `json:"online"`
	Hostname string     `json:"hostname,omitempty"`
	Counter  int        `json:"counter,omitempty"`
	Disk     *wire.Disk `json:"disk,omitempty"` // that would be used; its Holds is what is lost
	Problems []string   `json:"problems,omitempty"`
	Warnings []string   `json:"warnings,omitempty"`
}

// Stops reports whether anything stops it.
func (p Preview) Stops() bool {
	for _, m := range p.Machines {
		if len(m.Problems) > 0 {
			return true
		}
	}
	return len(p.Problems) > 0
}
