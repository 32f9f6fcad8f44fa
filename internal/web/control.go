package web

import (
	"context"
	"io"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// Control is what the pages use of *control.Control: no page acts by another way.
type Control interface {
	peopleControl
	machineControl
	imageControl
	profileControl
	workControl
	Stats(ctx context.Context) (control.Stats, error)
	Subscribe(ctx context.Context) <-chan control.Event
	Audit(ctx context.Context, actor fleet.Actor, page control.Page) ([]fleet.AuditEntry, error)
	BootRecords(ctx context.Context, actor fleet.Actor, page control.Page) ([]fleet.BootRecord, error)
	Settings(ctx context.Context, actor fleet.Actor) (control.Settings, error)
	SetSettings(ctx context.Context, actor fleet.Actor, s control.Settings) error
}

type peopleControl interface {
	SetupNeeded(ctx context.Context) (bool, error)
	Setup(ctx context.Context, secret, name, password string, from control.Client) (control.Login, error)
	Login(ctx context.Context, name, password string, from control.Client) (control.Login, error)
	Authenticate(ctx context.Context, secret string) (fleet.Actor, fleet.Session, error)
	Logout(ctx context.Context, actor fleet.Actor) error
	Sessions(ctx context.Context, actor fleet.Actor, user string) ([]fleet.Session, error)
	RevokeSession(ctx context.Context, actor fleet.Actor, id string) error
	Users(ctx context.Context, actor fleet.Actor) ([]fleet.User, error)
	AddUser(ctx context.Context, actor fleet.Actor, name string, role fleet.Role, password string) (fleet.User, error)
	SetRole(ctx context.Context, actor fleet.Actor, name string, role fleet.Role) error
	SetPassword(ctx context.Context, actor fleet.Actor, name, old, password string) error
	SetDisabled(ctx context.Context, actor fleet.Actor, name string, disabled bool) error
	RemoveUser(ctx context.Context, actor fleet.Actor, name string) error
	Tokens(ctx context.Context, actor fleet.Actor) ([]fleet.Token, error)
	AddToken(ctx context.Context, actor fleet.Actor, name string, role fleet.Role, ttl time.Duration) (fleet.Token, string, error)
	RemoveToken(ctx context.Context, actor fleet.Actor, id string) error
}

type machineControl interface {
	Machines(ctx context.Context, actor fleet.Actor, filter control.MachineFilter) ([]fleet.Machine, int, error)
	Machine(ctx context.Context, actor fleet.Actor, idOrName string) (fleet.Machine, error)
	Approve(ctx context.Context, actor fleet.Actor, ids []string, names map[string]string) error
	Reject(ctx context.Context, actor fleet.Actor, ids []string) error
	Forget(ctx context.Context, actor fleet.Actor, ids []string) error
	Rename(ctx context.Context, actor fleet.Actor, id, name string) error
	SetHostname(ctx context.Context, actor fleet.Actor, id, hostname string) error
	SetValues(ctx context.Context, actor fleet.Actor, id string, values fleet.Values) error
	SetNotes(ctx context.Context, actor fleet.Actor, id, notes string) error
	Join(ctx context.Context, actor fleet.Actor, group string, ids []string) error
	Leave(ctx context.Context, actor fleet.Actor, group string, ids []string) error
	Wake(ctx context.Context, actor fleet.Actor, ids []string) error
	ImportMachines(ctx context.Context, actor fleet.Actor, csv io.Reader) (control.ImportReport, error)
	Groups(ctx context.Context, actor fleet.Actor) ([]fleet.Group, error)
	AddGroup(ctx context.Context, actor fleet.Actor, name, notes string) error
	RemoveGroup(ctx context.Context, actor fleet.Actor, name string) error
	Rules(ctx context.Context, actor fleet.Actor) ([]fleet.Rule, error)
	AddRule(ctx context.Context, actor fleet.Actor, rule fleet.Rule) (fleet.Rule, error)
	RemoveRule(ctx context.Context, actor fleet.Actor, id string) error
}

type imageControl interface {
	Images(ctx context.Context, actor fleet.Actor) ([]control.Image, error)
	Image(ctx context.Context, actor fleet.Actor, ref string) (control.Image, error)
	SetImageNotes(ctx context.Context, actor fleet.Actor, ref, notes string) error
	TagImage(ctx context.Context, actor fleet.Actor, ref, name string) (string, error)
	RemoveImage(ctx context.Context, actor fleet.Actor, name string) error
	LintImage(ctx context.Context, actor fleet.Actor, ref string) error
}

type profileControl interface {
	Profiles(ctx context.Context, actor fleet.Actor) ([]control.Profile, error)
	Profile(ctx context.Context, actor fleet.Actor, name string) (control.Profile, error)
	PutProfile(ctx context.Context, actor fleet.Actor, name string, yaml []byte) error
	PutProfileFolder(ctx context.Context, actor fleet.Actor, name string, folder io.Reader) error
	RemoveProfile(ctx context.Context, actor fleet.Actor, name string) error
	ProfileTar(ctx context.Context, name string, w io.Writer) error
	CheckProfile(ctx context.Context, actor fleet.Actor, name string, yaml []byte) ([]profile.Problem, error)
}

type workControl interface {
	Preview(ctx context.Context, actor fleet.Actor, spec fleet.BatchSpec) (control.Preview, error)
	Submit(ctx context.Context, actor fleet.Actor, spec fleet.BatchSpec) (fleet.Batch, error)
	Batches(ctx context.Context, actor fleet.Actor, filter control.BatchFilter) ([]fleet.Batch, int, error)
	Batch(ctx context.Context, actor fleet.Actor, id string) (fleet.Batch, []fleet.Job, error)
	Jobs(ctx context.Context, actor fleet.Actor, filter control.JobFilter) ([]fleet.Job, int, error)
	Job(ctx context.Context, actor fleet.Actor, id string) (fleet.Job, error)
	JobLog(ctx context.Context, actor fleet.Actor, id string, after int64) ([]control.LogEntry, error)
	Cancel(ctx context.Context, actor fleet.Actor, id string) error
	Retry(ctx context.Context, actor fleet.Actor, id string) (fleet.Batch, error)
}

var _ Control = (*control.Control)(nil)
