package fleet

import (
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Batch is work that was asked for at once, for one machine or many: one Job each.
type Batch struct {
	ID        string           `json:"id"` // "b-..."
	Spec      BatchSpec        `json:"spec"`
	MadeBy    string           `json:"madeBy"`
	Made      time.Time        `json:"made"`
	Cancelled bool             `json:"cancelled"`
	Counts    map[JobState]int `json:"counts"` // of its jobs
	Bytes     int64            `json:"bytes"`  // written or stored by its jobs so far
	Ended     time.Time        `json:"ended,omitzero"`
}

// BatchSpec is what somebody asks for.
type BatchSpec struct {
	Kind     wire.Kind           `json:"kind"`
	Machines []string            `json:"machines"`        // IDs, in the order in which they start
	Group    string              `json:"group,omitempty"` // all approved machines of it, as well
	Image    string              `json:"image,omitempty"` // a reference; a Batch holds "name:tag", and ImageID the image
	ImageID  string              `json:"imageID,omitempty"`
	Profile  string              `json:"profile,omitempty"` // a name
	Disk     string              `json:"disk,omitempty"`
	Deploy   wire.DeployOptions  `json:"deploy,omitzero"`
	Capture  wire.CaptureOptions `json:"capture,omitzero"`
	Wipe     wire.WipeMethod     `json:"wipe,omitempty"`
	Then     wire.Then           `json:"then,omitempty"`     // reboot when "" for a deploy, stay for others
	At       time.Time           `json:"at,omitzero"`        // not before
	Wake     bool                `json:"wake,omitempty"`     // by wake-on-LAN
	Limit    int                 `json:"limit,omitempty"`    // how many at a time; 0: all
	Rate     int64               `json:"rate,omitempty"`     // bytes per second for all of it together; 0: no cap
	Attempts int                 `json:"attempts,omitempty"` // at most, when a retry is worth it; 0: 3
	Notes    string              `json:"notes,omitempty"`
}

// Kinds of work that need no agent's job: the agent is told what to do next.
const (
	RebootKind    wire.Kind = "reboot"
	ShutdownKind  wire.Kind = "shutdown"
	LocalBootKind wire.Kind = "local-boot"
)

// JobState is where a job is.
type JobState string

// States of a job. The last four are final.
const (
	Scheduled JobState = "scheduled" // its time has not come
	Queued    JobState = "queued"    // waits for its machine, or for its turn
	Running   JobState = "running"   // an agent has its lease
	Stopping  JobState = "stopping"  // somebody cancelled it; its agent has not said so yet
	Done      JobState = "done"      // its agent said that every byte was verified
	Failed    JobState = "failed"
	Cancelled JobState = "cancelled"
)

// Job is one piece of work for one machine.
type Job struct {
	ID        string        `json:"id"` // "j-..."
	Batch     string        `json:"batch"`
	Machine   string        `json:"machine"` // its ID
	Name      string        `json:"name"`    // the machine's, when the job was made
	Kind      wire.Kind     `json:"kind"`
	Order     int           `json:"order"` // in its batch, from 0
	State     JobState      `json:"state"`
	Why       string        `json:"why"`                // it is in this state, for people: "waits for the machine to start", "lost: no word for 90 s"
	Hostname  string        `json:"hostname,omitempty"` // that it gives
	Counter   int           `json:"counter,omitempty"`
	Attempt   int           `json:"attempt"`            // that runs or ran last; 0 before the first
	Boot      string        `json:"boot,omitempty"`     // of the agent that has it
	Lease     time.Time     `json:"lease,omitzero"`     // when it ends without another report
	NotBefore time.Time     `json:"notBefore,omitzero"` // a retry waits
	Seq       int64         `json:"seq"`
	Progress  wire.Progress `json:"progress"`
	Result    *wire.Result  `json:"result,omitempty"`   // of the last attempt that ended; without its log
	Disk      string        `json:"disk,omitempty"`     // of the machine, as chosen when the job was made: a serial number, a WWN or a path
	DiskSize  int64         `json:"diskSize,omitempty"` // bytes, of that disk then; 0: none was chosen yet
	Woken     int           `json:"woken,omitempty"`    // how many times, for this attempt
	WakeAt    time.Time     `json:"wakeAt,omitzero"`    // when to wake it (again); zero: never
	TokenHash []byte        `json:"-"`                  // SHA-256 of what its agent shows to the store
	Told      bool          `json:"told,omitempty"`     // the agent was told to stop, or (for kinds without work) what to do
	Made      time.Time     `json:"made"`
	Started   time.Time     `json:"started,omitzero"`
	Ended     time.Time     `json:"ended,omitzero"`
}
