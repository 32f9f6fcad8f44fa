package wire

import "encoding/json"

// Kind is a kind of work.
type Kind string

// Kinds of jobs.
const (
	Capture Kind = "capture"
	Deploy  Kind = "deploy"
	Verify  Kind = "verify" // compare a disk with an image
	Wipe    Kind = "wipe"
	Look    Kind = "inventory" // read the inventory again
)

// Job is one piece of work for one machine.
type Job struct {
	ID      string `json:"id"`
	Kind    Kind   `json:"kind"`
	Attempt int    `json:"attempt"` // from 1
	Disk    string `json:"disk"`    // of the machine: a path, a serial number, a WWN, or "" for its only internal disk
	// DiskSize is what that disk has, bytes; a disk of another size is another disk. 0: any.
	DiskSize int64 `json:"diskSize,omitempty"`

	Image   string          `json:"image,omitempty"` // its ID (deploy, verify); name or name:tag (capture)
	Title   string          `json:"title,omitempty"` // of the image, for people: "lab-pc:v3"
	Deploy  *DeployOptions  `json:"deploy,omitempty"`
	Capture *CaptureOptions `json:"capture,omitempty"`
	Wipe    WipeMethod      `json:"wipe,omitempty"`

	Then  Then   `json:"then"`  // when it is done; a job that fails stays
	Token string `json:"token"` // for objects of the store, as far as this job needs them
}

// DeployOptions are the flags of 'ingot deploy' that a job can have.
type DeployOptions struct {
	Profile     bool              `json:"profile,omitempty"` // there is one at ProfilePath; its file is profile.yaml
	Hostname    string            `json:"hostname,omitempty"`
	Counter     int               `json:"counter,omitempty"`
	Values      map[string]string `json:"values,omitempty"`
	Machines    int               `json:"machines,omitempty"` // of the whole batch: duplicates of a Windows that is not generalized are refused
	Grow        string            `json:"grow,omitempty"`
	FileSystems map[string]string `json:"fileSystems,omitempty"`
	Free        string            `json:"free,omitempty"`
	Full        bool              `json:"full,omitempty"`
	Readback    bool              `json:"readback,omitempty"`
	NewIDs      bool              `json:"newIDs,omitempty"`
}

// CaptureOptions are the flags of 'ingot capture' that a job can have.
type CaptureOptions struct {
	Files   bool     `json:"files,omitempty"`
	Raw     bool     `json:"raw,omitempty"`
	Exclude []string `json:"exclude,omitempty"` // with Files
}

// WipeMethod is how a disk is wiped.
type WipeMethod string

// Ways to wipe a disk. Discard is quick, and as good as the disk's firmware.
const (
	WipeDiscard   WipeMethod = "discard"
	WipeOverwrite WipeMethod = "overwrite"
)

// Outcome is how a job ended.
type Outcome string

// Ways to end.
const (
	Done      Outcome = "done" // and every byte was verified
	Failed    Outcome = "failed"
	Cancelled Outcome = "cancelled"
)

// TargetState is what a job left on a machine's disk.
type TargetState string

// What a job can leave.
const (
	Untouched  TargetState = "untouched"
	Unfinished TargetState = "unfinished" // it bears the marker of a deploy that did not end, and does not start
	Complete   TargetState = "complete"
)

// Result is how a job ended.
type Result struct {
	Attempt int         `json:"attempt"`
	Outcome Outcome     `json:"outcome"`
	Exit    int         `json:"exit"`            // of 'ingot': 0 done, 3 refused, 4 integrity, ...
	Error   string      `json:"error,omitempty"` // for people
	Hint    string      `json:"hint,omitempty"`  // what to do
	Target  TargetState `json:"target,omitempty"`
	// Retry says that the same job may well end otherwise next time: the network was
	// cut, the server was gone.
	Retry    bool            `json:"retry,omitempty"`
	Progress Progress        `json:"progress"`
	Time     Time            `json:"time"`
	Image    string          `json:"image,omitempty"`  // that a capture made: its ID
	Name     string          `json:"name,omitempty"`   // and its name, "lab-pc:v4"
	Detail   json.RawMessage `json:"detail,omitempty"` // what the command printed with --json
	// Lint is what 'ingot lint --json' printed of the disk that was captured, at most
	// MaxLint bytes; none when it was not looked over.
	Lint json.RawMessage `json:"lint,omitempty"`
	Log  []LogLine       `json:"log,omitempty"`
}

// Time is where the time of a job went, in seconds. Network, Disk and CPU overlap.
type Time struct {
	Total   float64 `json:"total"`
	Network float64 `json:"network"` // waited for the store
	Disk    float64 `json:"disk"`    // waited for the disk
	CPU     float64 `json:"cpu"`     // of all cores
}
