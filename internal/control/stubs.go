package control

import (
	"context"
	"io"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// PasswordCost are the parameters of argon2id.
type PasswordCost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// Client is where a request comes from.
type Client struct {
	Addr  string // without a port
	Agent string // User-Agent
}

// Login is a login that succeeded.
type Login struct {
	Session fleet.Session
	Secret  string // for the cookie; it is not kept here
	User    fleet.User
}

// SetupNeeded reports whether the first administrator is still to be made.
func (c *Control) SetupNeeded(ctx context.Context) (bool, error) { return false, errNotYet }

// SetupSecret is what Setup wants to hear, for one link that is shown where the
// server was started. It is the same until it is used or the server ends.
func (c *Control) SetupSecret(ctx context.Context) (string, error) { return "", errNotYet }

// Setup makes the first administrator, and logs them in.
func (c *Control) Setup(ctx context.Context, secret, name, password string, from Client) (Login, error) {
	return Login{}, errNotYet
}

// Login starts a session.
func (c *Control) Login(ctx context.Context, name, password string, from Client) (Login, error) {
	return Login{}, errNotYet
}

// Authenticate finds who has a session by the secret of its cookie.
func (c *Control) Authenticate(ctx context.Context, secret string) (fleet.Actor, fleet.Session, error) {
	return fleet.Actor{}, fleet.Session{}, errNotYet
}

// AuthenticateToken finds whose a bearer token is.
func (c *Control) AuthenticateToken(ctx context.Context, bearer, addr string) (fleet.Actor, error) {
	return fleet.Actor{}, errNotYet
}

// Logout ends the actor's session.
func (c *Control) Logout(ctx context.Context, actor fleet.Actor) error { return errNotYet }

// Sessions are those of a user: one's own, or with Admin anybody's.
func (c *Control) Sessions(ctx context.Context, actor fleet.Actor, user string) ([]fleet.Session, error) {
	return nil, errNotYet
}

// RevokeSession ends a session, one's own, or with Admin anybody's.
func (c *Control) RevokeSession(ctx context.Context, actor fleet.Actor, id string) error {
	return errNotYet
}

// Users are all users, by name.
func (c *Control) Users(ctx context.Context, actor fleet.Actor) ([]fleet.User, error) {
	return nil, errNotYet
}

// AddUser makes a user.
func (c *Control) AddUser(ctx context.Context, actor fleet.Actor, name string, role fleet.Role, password string) (fleet.User, error) {
	return fleet.User{}, errNotYet
}

// SetRole gives a user another role, which ends their sessions.
func (c *Control) SetRole(ctx context.Context, actor fleet.Actor, name string, role fleet.Role) error {
	return errNotYet
}

// SetPassword gives a user another password: one's own with the old one, or with
// Admin anybody's without. It ends the user's other sessions.
func (c *Control) SetPassword(ctx context.Context, actor fleet.Actor, name, old, password string) error {
	return errNotYet
}

// SetDisabled keeps a user from logging in, or lets them again.
func (c *Control) SetDisabled(ctx context.Context, actor fleet.Actor, name string, disabled bool) error {
	return errNotYet
}

// RemoveUser removes a user and their sessions.
func (c *Control) RemoveUser(ctx context.Context, actor fleet.Actor, name string) error {
	return errNotYet
}

// Tokens are the credentials of programs.
func (c *Control) Tokens(ctx context.Context, actor fleet.Actor) ([]fleet.Token, error) {
	return nil, errNotYet
}

// RemoveToken revokes a token.
func (c *Control) RemoveToken(ctx context.Context, actor fleet.Actor, id string) error {
	return errNotYet
}

// Audit is a page of what was done, newest first.
func (c *Control) Audit(ctx context.Context, actor fleet.Actor, page Page) ([]fleet.AuditEntry, error) {
	return nil, errNotYet
}

// Machines are a page of those that filter lets through, and how many there are in
// all.
func (c *Control) Machines(ctx context.Context, actor fleet.Actor, filter MachineFilter) ([]fleet.Machine, int, error) {
	return nil, 0, errNotYet
}

// Machine finds a machine by its ID or name.
func (c *Control) Machine(ctx context.Context, actor fleet.Actor, idOrName string) (fleet.Machine, error) {
	return fleet.Machine{}, errNotYet
}

// Approve lets machines have jobs. names are new names of some of them, by ID.
func (c *Control) Approve(ctx context.Context, actor fleet.Actor, ids []string, names map[string]string) error {
	return errNotYet
}

// Reject keeps machines from having jobs, until somebody approves them.
func (c *Control) Reject(ctx context.Context, actor fleet.Actor, ids []string) error {
	return errNotYet
}

// Forget removes machines. One that starts again is a new one.
func (c *Control) Forget(ctx context.Context, actor fleet.Actor, ids []string) error {
	return errNotYet
}

// Rename gives a machine another name.
func (c *Control) Rename(ctx context.Context, actor fleet.Actor, id, name string) error {
	return errNotYet
}

// SetHostname sets the host name that deploys give a machine; "": what the profile
// says.
func (c *Control) SetHostname(ctx context.Context, actor fleet.Actor, id, hostname string) error {
	return errNotYet
}

// SetValues replaces a machine's values for placeholders.
func (c *Control) SetValues(ctx context.Context, actor fleet.Actor, id string, values fleet.Values) error {
	return errNotYet
}

// SetNotes replaces what people wrote about a machine.
func (c *Control) SetNotes(ctx context.Context, actor fleet.Actor, id, notes string) error {
	return errNotYet
}

// Join puts machines into a group, which must exist.
func (c *Control) Join(ctx context.Context, actor fleet.Actor, group string, ids []string) error {
	return errNotYet
}

// Leave takes machines out of a group.
func (c *Control) Leave(ctx context.Context, actor fleet.Actor, group string, ids []string) error {
	return errNotYet
}

// ImportReport is what an import did.
type ImportReport struct {
	Lines    int             `json:"lines"` // with machines
	Added    int             `json:"added"`
	Updated  int             `json:"updated"`
	Problems []ImportProblem `json:"problems,omitempty"`
}

// ImportProblem is a line that was left out, and why.
type ImportProblem struct {
	Line    int    `json:"line"` // from 1
	Message string `json:"message"`
}

// ImportMachines reads machines from CSV and approves them, those that were never
// seen as well. Its first line names the columns: at least one of serial, mac, uuid
// and asset, then name, group, hostname; any other column is a value for
// placeholders. Lines with problems are left out.
func (c *Control) ImportMachines(ctx context.Context, actor fleet.Actor, csv io.Reader) (ImportReport, error) {
	return ImportReport{}, errNotYet
}

// Groups are all groups, by name.
func (c *Control) Groups(ctx context.Context, actor fleet.Actor) ([]fleet.Group, error) {
	return nil, errNotYet
}

// AddGroup makes a group, or replaces the notes of one.
func (c *Control) AddGroup(ctx context.Context, actor fleet.Actor, name, notes string) error {
	return errNotYet
}

// RemoveGroup removes a group; its machines stay.
func (c *Control) RemoveGroup(ctx context.Context, actor fleet.Actor, name string) error {
	return errNotYet
}

// Rules are all rules that approve machines.
func (c *Control) Rules(ctx context.Context, actor fleet.Actor) ([]fleet.Rule, error) {
	return nil, errNotYet
}

// AddRule makes a rule of its Name, Field, Match and Group.
func (c *Control) AddRule(ctx context.Context, actor fleet.Actor, rule fleet.Rule) (fleet.Rule, error) {
	return fleet.Rule{}, errNotYet
}

// RemoveRule removes a rule; whom it approved stays approved.
func (c *Control) RemoveRule(ctx context.Context, actor fleet.Actor, id string) error {
	return errNotYet
}

// Wake wakes machines.
func (c *Control) Wake(ctx context.Context, actor fleet.Actor, ids []string) error { return errNotYet }

// Images are all images, newest first.
func (c *Control) Images(ctx context.Context, actor fleet.Actor) ([]Image, error) {
	return nil, errNotYet
}

// Image finds an image by name:tag, name or ID.
func (c *Control) Image(ctx context.Context, actor fleet.Actor, ref string) (Image, error) {
	return Image{}, errNotYet
}

// SetImageNotes replaces what people wrote about an image.
func (c *Control) SetImageNotes(ctx context.Context, actor fleet.Actor, ref, notes string) error {
	return errNotYet
}

// TagImage gives an image another name, "lab-pc" or "lab-pc:final", and returns it
// whole.
func (c *Control) TagImage(ctx context.Context, actor fleet.Actor, ref, name string) (string, error) {
	return "", errNotYet
}

// RemoveImage removes a name of an image, "lab-pc:v3"; what no name stands for goes
// with the next clean-up.
func (c *Control) RemoveImage(ctx context.Context, actor fleet.Actor, name string) error {
	return errNotYet
}

// LintImage starts to look an image over. The end of it is an event.
func (c *Control) LintImage(ctx context.Context, actor fleet.Actor, ref string) error {
	return errNotYet
}

// Profiles are all profiles, by name.
func (c *Control) Profiles(ctx context.Context, actor fleet.Actor) ([]Profile, error) {
	return nil, errNotYet
}

// Profile is one profile with its text and files.
func (c *Control) Profile(ctx context.Context, actor fleet.Actor, name string) (Profile, error) {
	return Profile{}, errNotYet
}

// PutProfile makes a profile or replaces its text; its other files stay. What is
// wrong with it is a *ProfileError.
func (c *Control) PutProfile(ctx context.Context, actor fleet.Actor, name string, yaml []byte) error {
	return errNotYet
}

// PutProfileFolder makes or replaces a profile with all its files, from a tar with
// profile.yaml at its top.
func (c *Control) PutProfileFolder(ctx context.Context, actor fleet.Actor, name string, folder io.Reader) error {
	return errNotYet
}

// RemoveProfile removes a profile with its files.
func (c *Control) RemoveProfile(ctx context.Context, actor fleet.Actor, name string) error {
	return errNotYet
}

// ProfileTar writes a profile's folder to w, for an agent that JobProfile let have
// it.
func (c *Control) ProfileTar(ctx context.Context, name string, w io.Writer) error { return errNotYet }

// CheckProfile says what is wrong with the text of a profile. Files beside it are
// those that the profile of that name has; "": none.
func (c *Control) CheckProfile(ctx context.Context, actor fleet.Actor, name string, yaml []byte) ([]profile.Problem, error) {
	return nil, errNotYet
}

// Preview says what Submit would do with each machine, and what stops it.
func (c *Control) Preview(ctx context.Context, actor fleet.Actor, spec fleet.BatchSpec) (Preview, error) {
	return Preview{}, errNotYet
}

// Submit starts work, or refuses with all that Preview says stops it.
func (c *Control) Submit(ctx context.Context, actor fleet.Actor, spec fleet.BatchSpec) (fleet.Batch, error) {
	return fleet.Batch{}, errNotYet
}

// Batches are a page of work that was asked for, newest first, and how much there
// is in all.
func (c *Control) Batches(ctx context.Context, actor fleet.Actor, filter BatchFilter) ([]fleet.Batch, int, error) {
	return nil, 0, errNotYet
}

// Batch is a batch with its jobs in order.
func (c *Control) Batch(ctx context.Context, actor fleet.Actor, id string) (fleet.Batch, []fleet.Job, error) {
	return fleet.Batch{}, nil, errNotYet
}

// Jobs are a page of jobs, and how many there are in all.
func (c *Control) Jobs(ctx context.Context, actor fleet.Actor, filter JobFilter) ([]fleet.Job, int, error) {
	return nil, 0, errNotYet
}

// Job is a job with its newest progress.
func (c *Control) Job(ctx context.Context, actor fleet.Actor, id string) (fleet.Job, error) {
	return fleet.Job{}, errNotYet
}

// JobLog are lines of a job's log after an ID, oldest first, at most 1000.
func (c *Control) JobLog(ctx context.Context, actor fleet.Actor, id string, after int64) ([]LogEntry, error) {
	return nil, errNotYet
}

// Cancel ends a job, or all jobs of a batch that have not ended.
func (c *Control) Cancel(ctx context.Context, actor fleet.Actor, id string) error { return errNotYet }

// Retry makes new jobs of a job that failed or was cancelled, or of all such jobs of
// a batch, and returns the batch they are in.
func (c *Control) Retry(ctx context.Context, actor fleet.Actor, id string) (fleet.Batch, error) {
	return fleet.Batch{}, errNotYet
}

// Tick does what is due: jobs whose time has come, leases that ended, machines to
// wake, sessions and secrets that expired. It is called about every second.
func (c *Control) Tick(ctx context.Context) error { return errNotYet }

// Hello lets an agent in. addr is where it speaks from.
func (c *Control) Hello(ctx context.Context, hello wire.Hello, addr string) (wire.Welcome, error) {
	return wire.Welcome{}, errNotYet
}

// Next is what an agent shall do. It waits up to wire.NextWait for work.
func (c *Control) Next(ctx context.Context, session, addr string) (wire.Order, error) {
	return wire.Order{}, errNotYet
}

// Report takes how far a job is, and renews its lease.
func (c *Control) Report(ctx context.Context, session, job string, report wire.Report) (wire.Reply, error) {
	return wire.Reply{}, errNotYet
}

// Finish takes how a job ended. A repetition answers the same.
func (c *Control) Finish(ctx context.Context, session, job string, result wire.Result) (wire.Reply, error) {
	return wire.Reply{}, errNotYet
}

// JobProfile is the profile that the agent of a running job may have.
func (c *Control) JobProfile(ctx context.Context, session, job string) (string, error) {
	return "", errNotYet
}

// Objects is what a job's token allows to do with the store.
func (c *Control) Objects(ctx context.Context, token string) (Grant, error) {
	return Grant{}, errNotYet
}

// ChooseBoot says whether a machine that starts over the network gets the agent, or
// its own disk, and why, in a sentence. machine is nil when nobody knows it.
func (c *Control) ChooseBoot(ctx context.Context, mac, uuid string) (agent bool, why string, machine *fleet.Machine, err error) {
	return false, "", nil, errNotYet
}

// EnrolSecret makes the secret of one boot of a machine.
func (c *Control) EnrolSecret(ctx context.Context, mac string) (string, error) { return "", errNotYet }

// SawBoot keeps what a machine asked for on its way to the agent.
func (c *Control) SawBoot(ctx context.Context, record fleet.BootRecord) error { return errNotYet }

// BootRecords is a page of what machines asked for, newest first.
func (c *Control) BootRecords(ctx context.Context, actor fleet.Actor, page Page) ([]fleet.BootRecord, error) {
	return nil, errNotYet
}

// Subscribe sends events until ctx ends, and closes the channel then.
func (c *Control) Subscribe(ctx context.Context) <-chan Event { return nil }

// Stats are numbers of the server as it is.
func (c *Control) Stats(ctx context.Context) (Stats, error) { return Stats{}, errNotYet }

// Settings are the server's policies.
func (c *Control) Settings(ctx context.Context, actor fleet.Actor) (Settings, error) {
	return Settings{}, errNotYet
}

// SetSettings replaces the server's policies.
func (c *Control) SetSettings(ctx context.Context, actor fleet.Actor, s Settings) error {
	return errNotYet
}
