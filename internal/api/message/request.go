package message

import (
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Machines names machines.
type Machines struct {
	Machines []string `json:"machines" nullable:"false" minItems:"1" maxItems:"10000" doc:"IDs or names"`
}

// Approve names machines that may have jobs.
type Approve struct {
	Machines []string          `json:"machines" nullable:"false" minItems:"1" maxItems:"10000" doc:"IDs or names"`
	Names    map[string]string `json:"names,omitempty" doc:"new names of some of them, by what they are called in machines"`
}

// Hostname is the host name that deploys give a machine.
type Hostname struct {
	Hostname string `json:"hostname" maxLength:"253" doc:"empty: what the profile says"`
}

// Values are a machine's values for placeholders of profiles.
type Values struct {
	Values map[string]string `json:"values" doc:"replace all that it had"`
}

// Notes are what people write about something.
type Notes struct {
	Notes string `json:"notes" maxLength:"16384"`
}

// NewRule approves machines that nobody looked at.
type NewRule struct {
	Name  string `json:"name" maxLength:"128"`
	Field string `json:"field" enum:"maker,model,serial,asset,mac,addr"`
	Match string `json:"match" maxLength:"128" doc:"a pattern with * and ?; for addr a prefix as 10.1.0.0/16"`
	Group string `json:"group,omitempty" maxLength:"128" doc:"that such machines join"`
}

// NewUser is somebody who shall be able to log in.
type NewUser struct {
	Name     string     `json:"name" maxLength:"128"`
	Role     fleet.Role `json:"role"`
	Password string     `json:"password" maxLength:"1024" writeOnly:"true"`
}

// Role is what somebody may do.
type Role struct {
	Role fleet.Role `json:"role"`
}

// Password is a new password.
type Password struct {
	Old      string `json:"old,omitempty" maxLength:"1024" writeOnly:"true" doc:"needed for one's own"`
	Password string `json:"password" maxLength:"1024" writeOnly:"true"`
}

// Disabled keeps a user from logging in.
type Disabled struct {
	Disabled bool `json:"disabled"`
}

// NewToken is a credential for a program that shall be made.
type NewToken struct {
	Name string     `json:"name" maxLength:"128" doc:"what it is for"`
	Role fleet.Role `json:"role"`
	TTL  int64      `json:"ttlSeconds,omitempty" minimum:"0" maximum:"3153600000" doc:"how long it lasts; 0: until it is removed"`
}

// Spec is work that is asked for: a fleet.BatchSpec, of which only what is needed
// must be given.
type Spec struct {
	Kind     wire.Kind           `json:"kind"`
	Machines []string            `json:"machines,omitempty" maxItems:"10000" doc:"IDs or names, in the order in which they start"`
	Group    string              `json:"group,omitempty" maxLength:"128" doc:"all approved machines of it, as well"`
	Image    string              `json:"image,omitempty" maxLength:"300" doc:"name:tag, a name (its newest version) or an ID; a new name for a capture"`
	ImageID  string              `json:"imageID,omitempty" maxLength:"128" readOnly:"true"`
	Profile  string              `json:"profile,omitempty" maxLength:"128" doc:"a name"`
	Disk     string              `json:"disk,omitempty" maxLength:"128" doc:"of the machine: a path, a serial number, a WWN, largest, smallest, first nvme; empty: its only internal one"`
	Deploy   wire.DeployOptions  `json:"deploy,omitzero"`
	Capture  wire.CaptureOptions `json:"capture,omitzero"`
	Wipe     wire.WipeMethod     `json:"wipe,omitempty"`
	Then     wire.Then           `json:"then,omitempty" doc:"when it is done; a job that fails stays. Empty: reboot after a deploy, else stay"`
	At       time.Time           `json:"at,omitzero" doc:"not before"`
	Wake     bool                `json:"wake,omitempty" doc:"by wake-on-LAN"`
	Limit    int                 `json:"limit,omitempty" minimum:"0" maximum:"10000" doc:"how many at a time; 0: all"`
	Rate     int64               `json:"rate,omitempty" minimum:"0" doc:"bytes a second for all of it together; 0: no cap"`
	Attempts int                 `json:"attempts,omitempty" minimum:"0" maximum:"100" doc:"at most, when a retry is worth it; 0: 3"`
	Notes    string              `json:"notes,omitempty" maxLength:"16384"`
}

// Fleet is the same for package control.
func (s Spec) Fleet() fleet.BatchSpec { return fleet.BatchSpec(s) }
