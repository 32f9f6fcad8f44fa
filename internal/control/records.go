package control

import (
	"context"
	"errors"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Errors of Records. They may be wrapped.
var (
	// ErrNoRecord: there is nothing by this ID, name or hash.
	ErrNoRecord = errors.New("no such record")
	// ErrDuplicate: another record has this name.
	ErrDuplicate = errors.New("another record has this name")
)

// Records keep what a server knows; package db has them in SQLite and PostgreSQL.
//
// Values are whole: Put inserts a record or replaces the one with the same key, and
// what was put is what is read. Times are kept to the microsecond, in UTC. A single
// record that is not there is ErrNoRecord, removing one that is not there too; lists
// are empty then. Whatever is removed takes along what belongs to it alone.
type Records interface {
	// InTx runs f in one transaction: all of what f did with the Records that it is
	// given happens when it returns nil, none of it otherwise. Transactions that read
	// and write the same records happen one after another; f may be run again when they
	// met, so it changes nothing but records and variables that it sets anew. Inside f,
	// only its own Records may be used.
	InTx(ctx context.Context, f func(ctx context.Context, r Records) error) error

	MachineRecords
	GroupRecords
	WorkRecords
	JobLogRecords
	PeopleRecords
	AgentRecords
	HistoryRecords
	NoteRecords
}

// MachineRecords keep machines.
type MachineRecords interface {
	Machine(ctx context.Context, id string) (fleet.Machine, error)
	// MachineNamed finds a machine by its name, in any case.
	MachineNamed(ctx context.Context, name string) (fleet.Machine, error)
	// MachinesLike are all machines that share a UUID, serial, board, disk or MAC with
	// identity, whatever their state, by ID. Empty values are shared with nobody.
	MachinesLike(ctx context.Context, identity fleet.Identity) ([]fleet.Machine, error)
	// Machines are one page of those that a filter lets through, and how many there are
	// on all pages.
	Machines(ctx context.Context, filter MachineFilter) ([]fleet.Machine, int, error)
	// MachineNames are the uses of names (of any case) by machines: as a Name or as a
	// Hostname. Names that nobody uses are left out.
	MachineNames(ctx context.Context, names []string) ([]NameUse, error)
	// MachineCounts counts machines; those that an agent spoke for since count as online.
	MachineCounts(ctx context.Context, since time.Time) (MachineCounts, error)
	// PutMachine keeps a machine and who is in which group. It is ErrDuplicate when
	// another one has its Name, in any case. Groups that do not exist are made.
	PutMachine(ctx context.Context, m fleet.Machine) error
	// TouchMachines sets LastSeen and Addr of machines, and nothing else; machines that
	// are gone are left out.
	TouchMachines(ctx context.Context, seen []Seen) error
	// RemoveMachine forgets a machine with its agent session and its place in groups. Its
	// jobs stay.
	RemoveMachine(ctx context.Context, id string) error
}

// MachineFilter chooses machines. Zero fields let everything through.
type MachineFilter struct {
	Search string // a part, in any case, of name, host name, maker, model, serial, asset tag, MAC, address or notes
	State  wire.State
	Group  string
	Maker  string // whole
	Online *bool
	// Since is the time after which an online machine was seen; Control sets it.
	Since time.Time
	// Sort is a MachineSort, with "-" before it the other way round; "" is "name". Equal
	// ones are sorted by ID.
	Sort   string
	Offset int
	Limit  int // 0: all
}

// MachineSorts are the columns that machines can be sorted by: "seen" and "first"
// are times, and those never seen come first.
func MachineSorts() []string {
	return []string{"name", "state", "maker", "model", "serial", "addr", "seen", "first"}
}

// Seen is a sign of life of a machine.
type Seen struct {
	Machine string // ID
	At      time.Time
	Addr    string
}

// NameUse is a name that a machine has.
type NameUse struct {
	Name    string // lower case
	Machine string // ID
}

// MachineCounts are numbers of machines.
type MachineCounts struct {
	State  map[wire.State]int
	Online int
}

// GroupRecords keep groups of machines and rules that approve machines.
type GroupRecords interface {
	Groups(ctx context.Context) ([]fleet.Group, error) // by name; with how many machines they have
	Group(ctx context.Context, name string) (fleet.Group, error)
	PutGroup(ctx context.Context, g fleet.Group) error // Machines is not kept
	RemoveGroup(ctx context.Context, name string) error

	Rules(ctx context.Context) ([]fleet.Rule, error) // by the time they were made
	PutRule(ctx context.Context, r fleet.Rule) error
	RemoveRule(ctx context.Context, id string) error
}

// WorkRecords keep batches and jobs. Batches and jobs are never removed.
type WorkRecords interface {
	// Batch has its Counts and Bytes (Progress.Written of its jobs) as its jobs are.
	Batch(ctx context.Context, id string) (fleet.Batch, error)
	// Batches are one page, newest first, and how many there are on all pages.
	Batches(ctx context.Context, filter BatchFilter) ([]fleet.Batch, int, error)
	PutBatch(ctx context.Context, b fleet.Batch) error // Counts and Bytes are not kept

	Job(ctx context.Context, id string) (fleet.Job, error)
	// Jobs are one page, and how many there are on all pages: of one batch in the
	// batch's order, otherwise the newest first (Made, then ID).
	Jobs(ctx context.Context, filter JobFilter) ([]fleet.Job, int, error)
	// OpenJobs are those of a machine that have not ended, in the order in which they
	// run: by Made, then batch, then Order.
	OpenJobs(ctx context.Context, machine string) ([]fleet.Job, error)
	// DueJobs are at most limit of those whose Due is set and not after now, the longest
	// due first. fleet.Job.Due is kept beside a job for this.
	DueJobs(ctx context.Context, now time.Time, limit int) ([]fleet.Job, error)
	JobCounts(ctx context.Context) (map[fleet.JobState]int, error)
	PutJob(ctx context.Context, j fleet.Job) error // with its TokenHash
}

// BatchFilter chooses batches.
type BatchFilter struct {
	Open   bool // only those with a zero Ended
	Offset int
	Limit  int // 0: all
}

// JobFilter chooses jobs. Zero fields let everything through.
type JobFilter struct {
	Machine string // ID
	Batch   string
	States  []fleet.JobState
	Offset  int
	Limit   int // 0: all
}

// JobLogRecords keep the log of each job.
type JobLogRecords interface {
	// AddJobLog appends lines, and forgets the oldest ones of the job so that keep are
	// left.
	AddJobLog(ctx context.Context, job string, attempt int, lines []wire.LogLine, keep int) error
	// JobLog are at most limit lines with an ID above after, oldest first. IDs rise.
	JobLog(ctx context.Context, job string, after int64, limit int) ([]LogEntry, error)
}

// LogEntry is a line of a job's log.
type LogEntry struct {
	ID      int64     `json:"id"`
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"`
	Text    string    `json:"text"`
}

// PeopleRecords keep users, their sessions, and tokens of programs.
type PeopleRecords interface {
	User(ctx context.Context, name string) (fleet.User, error)
	Users(ctx context.Context) ([]fleet.User, error) // by name
	PutUser(ctx context.Context, u fleet.User) error
	RemoveUser(ctx context.Context, name string) error // with its sessions

	SessionByHash(ctx context.Context, hash []byte) (fleet.Session, error)
	Sessions(ctx context.Context, user string) ([]fleet.Session, error) // of all for ""; last made first
	PutSession(ctx context.Context, s fleet.Session) error
	RemoveSession(ctx context.Context, id string) error
	// RemoveSessions ends all sessions of a user but the one with the ID except; none
	// is no error.
	RemoveSessions(ctx context.Context, user, except string) error
	// ExpireSessions removes sessions that expired before now, or were not seen since
	// idle.
	ExpireSessions(ctx context.Context, now, idle time.Time) error

	Token(ctx context.Context, id string) (fleet.Token, error)
	Tokens(ctx context.Context) ([]fleet.Token, error) // by the time they were made
	PutToken(ctx context.Context, t fleet.Token) error
	RemoveToken(ctx context.Context, id string) error
}

// AgentRecords keep who may speak for machines.
type AgentRecords interface {
	AgentSession(ctx context.Context, hash []byte) (fleet.AgentSession, error)
	// PutAgentSession replaces the session that its machine had: there is one a machine.
	PutAgentSession(ctx context.Context, s fleet.AgentSession) error

	EnrolSecret(ctx context.Context, hash []byte) (fleet.EnrolSecret, error)
	PutEnrolSecret(ctx context.Context, s fleet.EnrolSecret) error // by its hash
	// ExpireEnrolSecrets removes those that expired before a time.
	ExpireEnrolSecrets(ctx context.Context, before time.Time) error
}

// HistoryRecords keep what happened.
type HistoryRecords interface {
	AddAudit(ctx context.Context, e fleet.AuditEntry) error        // its ID is given by Records, and rises
	Audit(ctx context.Context, p Page) ([]fleet.AuditEntry, error) // newest first

	// AddBoot appends a record, whose ID is given by Records, and forgets the oldest so
	// that about keep are left.
	AddBoot(ctx context.Context, b fleet.BootRecord, keep int) error
	BootRecords(ctx context.Context, p Page) ([]fleet.BootRecord, error) // newest first
}

// Page is a part of a long list.
type Page struct {
	Before int64  // only entries with a smaller ID; 0: from the newest on
	Limit  int    // 0: 100
	Match  string // a part, in any case, of any text of the entry; "": all
}

// NoteRecords keep settings and what is known of images beside their bytes.
type NoteRecords interface {
	Setting(ctx context.Context, name string) (string, error)
	PutSetting(ctx context.Context, s fleet.Setting) error
	RemoveSetting(ctx context.Context, name string) error

	ImageNote(ctx context.Context, image string) (fleet.ImageNote, error)
	ImageNotes(ctx context.Context) ([]fleet.ImageNote, error) // by image
	PutImageNote(ctx context.Context, n fleet.ImageNote) error
	RemoveImageNote(ctx context.Context, image string) error
}
