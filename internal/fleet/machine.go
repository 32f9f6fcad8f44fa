// Package fleet is what a server knows: machines, the work they are given, and the
// people who give it. It holds values and the rules that need nothing else, above
// all which machine somebody is (Match), what may follow what (Job.Next), and who
// may do what (Role.May). It does no I/O: package db keeps these values, package
// control acts on them.
package fleet

import (
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Machine is a computer that a server knows. Its ID is given once; what tells it
// from others is in its Identity.
type Machine struct {
	ID        string         `json:"id"`   // "m-" and ten letters and digits
	Name      string         `json:"name"` // for people, unique: its host name, or made of its model and serial
	State     wire.State     `json:"state"`
	Groups    []string       `json:"groups"` // names, sorted
	Notes     string         `json:"notes"`
	Hostname  string         `json:"hostname"`            // that deploys give it; "": what the profile says
	Values    Values         `json:"values,omitempty"`    // for placeholders of profiles
	Inventory wire.Inventory `json:"inventory"`           // as last told, cleaned
	Identity  Identity       `json:"identity"`            // as Identity.With has it
	Expected  bool           `json:"expected"`            // imported by serial number and not seen yet
	Why       string         `json:"why"`                 // it is in this state: "by anna", "rule 'lab serials'"
	FirstSeen time.Time      `json:"firstSeen,omitzero"`  //
	LastSeen  time.Time      `json:"lastSeen,omitzero"`   // by anything it said
	Addr      string         `json:"addr,omitempty"`      // last
	Boot      string         `json:"boot,omitempty"`      // the one its session is of
	Stick     bool           `json:"stick,omitempty"`     // its agent started without the server, and nobody approved that yet
	Conflicts []string       `json:"conflicts,omitempty"` // what of its identity other machines claim too
}

// Values are values for placeholders, by name.
type Values map[string]string

// OnlineFor is how long after its last word an agent counts as there.
const OnlineFor = wire.Lease

// Online reports whether its agent runs.
func (m Machine) Online(now time.Time) bool {
	return m.Boot != "" && now.Sub(m.LastSeen) < OnlineFor
}

// Identity is what tells a machine from others. Values that firmware leaves unset,
// or that whole series share, are not in it; nor are addresses of what is plugged
// in by USB.
type Identity struct {
	UUID   string   `json:"uuid,omitempty"`   // SMBIOS, lower case
	Serial string   `json:"serial,omitempty"` // with its maker: "Dell Inc./5XK2R93"
	Board  string   `json:"board,omitempty"`  // with its maker
	Disks  []string `json:"disks,omitempty"`  // serial numbers with models, sorted
	MACs   []string `json:"macs,omitempty"`   // of built-in interfaces, sorted
	Asset  string   `json:"asset,omitempty"`  // tag
}

// Rule approves machines that nobody looked at.
type Rule struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Field  string    `json:"field"` // "maker", "model", "serial", "asset", "mac", "addr"
	Match  string    `json:"match"` // a pattern with * and ?, or for addr a prefix as 10.1.0.0/16
	Group  string    `json:"group"` // that such machines join; ""
	Made   time.Time `json:"made"`
	MadeBy string    `json:"madeBy"`
}

// Group is a set of machines.
type Group struct {
	Name     string `json:"name"`
	Notes    string `json:"notes"`
	Machines int    `json:"machines"` // how many
}
