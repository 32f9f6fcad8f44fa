package fleet

import "time"

// Role is what somebody may do.
type Role string

// Roles. Each may do what the one before may.
const (
	Viewer   Role = "viewer"   // look at everything but secrets
	Operator Role = "operator" // approve machines, run jobs, write notes and profiles
	Admin    Role = "admin"    // users, tokens, rules, deleting images
)

// User is somebody who may log in.
type User struct {
	Name      string    `json:"name"` // lower case
	Role      Role      `json:"role"`
	Hash      string    `json:"-"` // argon2id, in the PHC string form
	Disabled  bool      `json:"disabled"`
	Made      time.Time `json:"made"`
	LastLogin time.Time `json:"lastLogin,omitzero"`
}

// Session is a login of a browser. Only a hash of its secret is kept.
type Session struct {
	ID      string    `json:"id"` // public
	Hash    []byte    `json:"-"`  // SHA-256 of the secret in the cookie
	User    string    `json:"user"`
	Made    time.Time `json:"made"`
	Seen    time.Time `json:"seen"`
	Expires time.Time `json:"expires"`
	Addr    string    `json:"addr"`
	Agent   string    `json:"agent"` // User-Agent, cut
}

// Token is a credential of a program. Only a hash of its secret is kept.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Hash    []byte    `json:"-"`
	Role    Role      `json:"role"`
	MadeBy  string    `json:"madeBy"`
	Made    time.Time `json:"made"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
	Seen    time.Time `json:"seen,omitzero"`
}

// Actor is who does something.
type Actor struct {
	Kind string `json:"kind"` // "user", "token", "agent", "system"
	Name string `json:"name"` // of the user, token or machine
	Role Role   `json:"role"` // "" of agents
	Addr string `json:"addr"` // where it comes from
	// Session is the ID of a user's session, "" of others.
	Session string `json:"-"`
}

// AuditEntry is one thing that somebody changed, or tried to.
type AuditEntry struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Actor  Actor     `json:"actor"`
	Action string    `json:"action"` // "machine.approve", "job.cancel", "user.login"
	Object string    `json:"object"` // "machine m-abc (lab-07)"
	Detail string    `json:"detail"` // never a secret
	Result string    `json:"result"` // "ok", or why it was refused
}

// Setting is a value that the server keeps, by name.
type Setting struct{ Name, Value string }

// ImageNote is what people wrote about an image, or a program found out.
type ImageNote struct {
	Image string    `json:"image"` // its ID
	Notes string    `json:"notes"`
	Lint  []byte    `json:"lint,omitempty"` // JSON of 'ingot lint', nil when it did not run
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// BootRecord is one thing that a machine asked for on its way from power-on to the
// agent, and what it was offered.
type BootRecord struct {
	ID       int64     `json:"id"`
	At       time.Time `json:"at"`
	MAC      string    `json:"mac"`
	UUID     string    `json:"uuid,omitempty"`
	Addr     string    `json:"addr,omitempty"`
	Arch     string    `json:"arch"`              // "BIOS", "UEFI x64", "UEFI HTTP x64", ...
	Protocol string    `json:"protocol"`          // "dhcp", "proxydhcp", "tftp", "http"
	Asked    string    `json:"asked"`             // "discover of PXEClient", "grubx64.efi"
	Offered  string    `json:"offered"`           // "shimx64.efi", "nothing"
	Why      string    `json:"why"`               // a sentence
	Machine  string    `json:"machine,omitempty"` // its ID, when it is known
}

// AgentSession is what lets an agent speak for its machine during one boot. Only a
// hash of its secret is kept. A machine has at most one.
type AgentSession struct {
	Hash    []byte    `json:"-"`
	Machine string    `json:"machine"` // its ID
	Boot    string    `json:"boot"`
	Made    time.Time `json:"made"`
	Addr    string    `json:"addr"`
}

// EnrolSecret lets one boot of a machine say Hello. Only its hash is kept.
type EnrolSecret struct {
	Hash    []byte
	MAC     string // that it was made for
	Made    time.Time
	Expires time.Time
	Boot    string // that used it first; others may not
}
