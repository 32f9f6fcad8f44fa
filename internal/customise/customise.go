// Package customise says what a deploy tells those who make a system one
// machine's own, and what they tell it.
//
// It owns the values that customise/linux and customise/windows share. They edit
// a mounted system through package rootfs and nothing else; what they wrote is
// listed, so that a test can hold every other file against the image.
package customise

import (
	"io"
	"slices"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// Job is what is to be made of one system.
type Job struct {
	Settings *profile.Settings // nil: nothing but what Disk makes necessary
	Facts    profile.Facts     // of the machine that will run it
	Disk     Disk
	Machines int       // how many machines get this image in this job; 0 and 1 are one
	Rand     io.Reader // source of keys and IDs; crypto/rand.Reader
	Started  string    // what is deployed and by which version, for logs on the machine
}

// Disk is what the system's disk was and will be. A system that refers to
// something that changed is edited to refer to what it is now.
type Disk struct {
	OldID, ID string // GPT GUID, upper case; MBR signature, 8 hex digits lower case
	GPT       bool
	Sector    int // bytes
	Volumes   []Volume
}

// Volume is one partition before and after.
type Volume struct {
	Partition       int
	OldStart, Start int64  // bytes
	Length          int64  // bytes, after
	OldKind, Kind   string // as volume.Info.Kind
	OldUUID, UUID   string // of the file system, as blkid spells it
	OldLabel, Label string
	OldID, ID       string // GUID of the partition, upper case; "" on MBR
	Type            string // of the partition
}

// Changed reports whether something about v changed that a system may refer to.
func (v Volume) Changed() bool {
	return v.OldKind != v.Kind || v.OldUUID != v.UUID || v.OldLabel != v.Label || v.OldID != v.ID
}

// Report is what was done to a system.
type Report struct {
	// Changed are the files that were changed, made or removed, by their names
	// inside the system, sorted. A folder stands for everything below it.
	Changed []string `json:"changed"`
	// Notes are sentences worth showing.
	Notes []string `json:"notes,omitempty"`
	// Rebuild names what must be made anew by the system's own programs, because it
	// names something that changed.
	Rebuild []Rebuild `json:"rebuild,omitempty"`
}

// Rebuild is work that only the system's own programs can do, inside a chroot.
type Rebuild string

const (
	Modules    Rebuild = "list of kernel modules" // depmod, before Initramfs
	Initramfs  Rebuild = "initramfs"
	BootLoader Rebuild = "boot loader"
)

// Touch adds names to Changed.
func (r *Report) Touch(names ...string) {
	r.Changed = append(r.Changed, names...)
	slices.Sort(r.Changed)
	r.Changed = slices.Compact(r.Changed)
}

// Add adds what another one reports.
func (r *Report) Add(more *Report) {
	r.Touch(more.Changed...)
	r.Notes = append(r.Notes, more.Notes...)
	r.Rebuild = append(r.Rebuild, more.Rebuild...)
}

// On is r with names that say on which volume the files are, for those that are
// not inside the system.
func (r *Report) On(volume string) *Report {
	on := *r
	on.Changed = make([]string, len(r.Changed))
	for i, name := range r.Changed {
		on.Changed[i] = volume + ":" + name
	}
	return &on
}
