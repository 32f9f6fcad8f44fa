// Package wire is what an agent and its server say to each other: values that are
// sent as JSON over HTTPS, and the paths they are sent to.
//
// It owns names, units and limits of the protocol, and no I/O. The agent asks, the
// server answers; every request may be repeated, and a repetition changes nothing:
//
//	POST Hello    who I am, with the secret of this boot    -> Welcome with a session
//	POST Next     is there work? waits up to NextWait       -> Order
//	POST Report   how far the job is; renews its lease      -> Reply
//	POST Finish   how the job ended                         -> Reply
//	GET  Profile  the profile's folder of a job, as tar
//
// All but Hello carry "Authorization: Bearer <session>". Objects of the store are
// fetched and put with the job's own token, see Job.Token.
package wire

import "time"

// Version is the version of the protocol. A server refuses agents of another one,
// with words that name both.
const Version = 1

// Paths of the protocol. {job} is a Job's ID.
const (
	HelloPath   = "/agent/v1/hello"
	NextPath    = "/agent/v1/next"
	ReportPath  = "/agent/v1/jobs/{job}/report"
	FinishPath  = "/agent/v1/jobs/{job}/finish"
	ProfilePath = "/agent/v1/jobs/{job}/profile"
	// StorePath is followed by the key of an object.
	StorePath = "/store/v1/"
)

const (
	// NextWait is how long a server keeps a Next without work open at most.
	NextWait = 25 * time.Second
	// Lease is how long a job belongs to an agent after its last report.
	Lease = 90 * time.Second
	// ReportEvery is how often a running job is reported, and at every new phase.
	ReportEvery = 2 * time.Second
	// MaxBody bounds a request to the protocol, bytes.
	MaxBody = 4 << 20
	// MaxLog bounds the lines of one report; what is left comes with the next.
	MaxLog = 500
	// MaxLint bounds Result.Lint, bytes.
	MaxLint = 256_000
)

// State is what a server thinks of a machine.
type State string

// States of a machine. Only an approved one gets jobs.
const (
	Pending  State = "pending"  // somebody has to look at it
	Approved State = "approved" //
	Rejected State = "rejected" // it stays known, so that it does not come back as pending
)

// Hello is the first thing an agent says, and what it says again when its session
// is gone.
type Hello struct {
	Protocol  int       `json:"protocol"`
	Agent     string    `json:"agent"`  // version of the program
	Secret    string    `json:"secret"` // of this boot, "" on a stick that knows none
	Boot      string    `json:"boot"`   // random, made once a boot
	Inventory Inventory `json:"inventory"`
	// Running is the job that an agent works on which lost its session; "" for none.
	Running string `json:"running,omitempty"`
}

// Welcome is the answer to Hello.
type Welcome struct {
	Machine string    `json:"machine"` // its ID
	Name    string    `json:"name"`    // for people, on the console
	State   State     `json:"state"`
	Session string    `json:"session"` // a bearer token of this boot
	Now     time.Time `json:"now"`     // the server's clock
	Server  string    `json:"server"`  // its version
}

// Order is the answer to Next. At most one of Job and Then is set; with none the
// agent asks again.
type Order struct {
	State State  `json:"state"`
	Name  string `json:"name"`
	Job   *Job   `json:"job,omitempty"`
	Then  Then   `json:"then,omitempty"` // nothing is left to do here
	Again int    `json:"againSeconds"`   // how long to wait before the next Next
}

// Then is what a machine does when its work is done.
type Then string

// What a machine does next. LocalBoot is a restart during which the server tells
// the machine's firmware to start from its own disk.
const (
	Stay      Then = "stay"
	Reboot    Then = "reboot"
	Shutdown  Then = "shutdown"
	LocalBoot Then = "local-boot"
)

// Report is how far a job is.
type Report struct {
	Attempt  int       `json:"attempt"`
	Seq      int64     `json:"seq"` // counts up in an attempt; older ones that come late are dropped
	Progress Progress  `json:"progress"`
	Log      []LogLine `json:"log,omitempty"`
}

// Progress is what a job page shows of a running job.
type Progress struct {
	Phase string `json:"phase"` // "planning", "deploy", "checking /"; words for people
	Done  int64  `json:"done"`  // bytes, of Total
	Total int64  `json:"total"` // bytes; 0: not known yet
	Rate  int64  `json:"rate"`  // bytes per second, lately
	Left  int    `json:"left"`  // seconds, -1 when nobody knows
	// Fetched, Written and Same are bytes: over the network, to the disk, and what was
	// on the disk already.
	Fetched int64 `json:"fetched"`
	Written int64 `json:"written"`
	Same    int64 `json:"same"`
}

// LogLine is a line of a job's log.
type LogLine struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Reply is the answer to Report and Finish.
type Reply struct {
	// Stop asks the agent to end the job in good order and to report it Cancelled. A
	// job that is not the agent's any more is Lost instead: end it, report nothing.
	Stop bool   `json:"stop,omitempty"`
	Lost bool   `json:"lost,omitempty"`
	Why  string `json:"why,omitempty"`
}

// EnrolFile is put into the boot environment for one boot of one machine: an Enrol
// as JSON.
const EnrolFile = "etc/ingot/enrol.json"

// Enrol is what an agent is told of its server.
type Enrol struct {
	Server      string `json:"server"`      // "https://10.0.0.1:8443"
	Fingerprint string `json:"fingerprint"` // of the authority of its certificate, "sha256:..."
	Secret      string `json:"secret"`      // of this boot
}
