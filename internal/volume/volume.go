// Package volume says what a reader of one on-disk format is: it recognises a
// volume, describes it, and gives its used map.
//
// The formats live in one folder each (volume/ext, volume/ntfs, ...); volume/all
// holds them in the order in which they are tried. A format is pure Go, reads
// any bytes without a panic, an unbounded allocation or an endless loop, and
// fails for its volume only. It never writes.
//
// In doubt a byte is used: leaving out a byte that the file system needs loses
// data, taking one that it does not need costs a little space.
package volume

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// Format recognises and opens volumes of one on-disk format, or of one family
// such as ext2/3/4.
type Format interface {
	// Name is the family in lower case: "ext", "ntfs".
	Name() string

	// Recognise reports whether r holds this format, by its signatures alone.
	// It reads little and judges nothing but whose volume this is: a damaged
	// volume that is clearly of this format is recognised. The error is one of
	// reading; a volume too small for the format is (false, nil).
	Recognise(r block.Reader) (bool, error)

	// Open reads what describes the volume. An error means that not even a
	// description can be given; it is a *DamageError when the bytes are at fault.
	// Whatever merely stands against a used map is in Info.Refusals instead.
	Open(ctx context.Context, r block.Reader) (Volume, error)
}

// Volume is one opened volume.
type Volume interface {
	Info() Info

	// Used returns the bytes that an exact restore needs, relative to the
	// volume's start, inside [0, r.Size()). It includes bytes that the format
	// keeps outside its own allocation map, such as backup boot sectors.
	//
	// It fails when Info holds a Refusal that is not Waivable, when the map
	// contradicts the volume's own counters (*DamageError), or on a read error.
	Used(ctx context.Context) (extent.List, error)
}

// Omitter is implemented by volumes that hold content nobody wants back, such
// as page files. What it lists is part of the used map and may be left out.
type Omitter interface {
	Omit(ctx context.Context) ([]Omission, error)
}

// Omission is a named piece of content that is left out of an image.
type Omission struct {
	Name    string      // as a user knows it: "pagefile.sys"
	Extents extent.List // relative to the volume's start
}

// Container is implemented by volumes that hold volumes, such as an LVM
// physical volume.
type Container interface {
	Children() []Child
}

// Child is a volume inside a Container.
type Child struct {
	Name string // "vg0/root"
	Info Info
}

// Info describes a volume for a person and for the plan.
type Info struct {
	Kind      string // exact kind in lower case: "ext4", "xfs", "fat32", "luks2"
	Label     string // as stored, valid UTF-8, "" when there is none
	UUID      string // in the spelling blkid uses for the format, "" when there is none
	Size      int64  // bytes from the volume's start that the format lays claim to
	BlockSize int64  // unit of allocation in bytes; 0 when the format has none
	Used      int64  // bytes in use by the format's own counters; -1 when it has none

	// Refusals say why a used map cannot be had or trusted now, worst first.
	// Empty means clean.
	Refusals []Refusal
	// Notes are sentences worth showing that stand against nothing.
	Notes []string
}

// Clean reports whether the volume can be captured by its used map.
func (i Info) Clean() bool { return len(i.Refusals) == 0 }

// Reason is the class of a Refusal; part of the JSON output, so never renamed.
type Reason string

const (
	NeedsReplay Reason = "needs-replay" // a journal or log holds changes the maps lack
	Dirty       Reason = "dirty"        // not cleanly unmounted, or errors recorded
	Hibernated  Reason = "hibernated"   // another system sleeps on it
	Unknown     Reason = "unknown"      // a feature, version or layout this reader does not know
	Unsupported Reason = "unsupported"  // known, and not possible: several devices, external log
	Damaged     Reason = "damaged"      // structures contradict each other
)

// Refusal is one reason not to capture a volume by its used map.
type Refusal struct {
	Reason Reason `json:"reason"`
	// What is wrong, as a clause: "the journal holds changes that are not yet written".
	What string `json:"what"`
	// Do is the sentence that tells the user what to do: "Mount it once and
	// unmount it cleanly, or run e2fsck -f on it."
	Do string `json:"do"`
	// Waivable refusals leave a map that can be read though it may not be
	// trusted; the others leave none.
	Waivable bool `json:"waivable"`
}

// RefusedError is what Used returns when a Refusal that is not Waivable stands.
type RefusedError struct {
	Kind    string
	Refusal Refusal
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s volume: %s. %s", e.Kind, e.Refusal.What, e.Refusal.Do)
}

// Blocking returns a *RefusedError for the first refusal that is not Waivable,
// nil when there is none. Used implementations begin with it.
func (i Info) Blocking() error {
	for _, r := range i.Refusals {
		if !r.Waivable {
			return &RefusedError{Kind: i.Kind, Refusal: r}
		}
	}
	return nil
}

// DamageError says which structure of a volume contradicts itself or the rest.
type DamageError struct {
	Kind   string // "ntfs"
	What   string // the structure: "$Bitmap run list"
	Offset int64  // where it lies from the volume's start; -1 when it has no one place
	Why    string // the contradiction, as a clause: "free count 12, bitmap says 13"
}

func (e *DamageError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("%s %s: %s", e.Kind, e.What, e.Why)
	}
	return fmt.Sprintf("%s %s at %#x: %s", e.Kind, e.What, e.Offset, e.Why)
}
