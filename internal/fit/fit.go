// Package fit plans how a disk's content lands on a disk of another size.
//
// It owns the arithmetic: which volume grows, which one gives room, what moves,
// what has to be made anew, and the smallest disk that would do. It refuses a
// layout that would lose data, and never guesses: what it is not told about a
// volume it takes for impossible. It does no I/O; others measure volumes before,
// and carry the plan out after. Callers start with NewPlan.
//
// The order of partitions never changes, and what need not move stays: everything
// before the first partition that changes is where it was. What moves begins on a
// multiple of 1 MiB.
package fit

import (
	"fmt"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// Volume is what is known of one partition's content. Sizes are in bytes.
type Volume struct {
	Partition int    // its number in the table; 0 on a disk without a table
	Kind      string // as volume.Info.Kind: "ext4", "fat32", "swap", "unknown"
	Label     string // for people
	BlockSize int64  // as volume.Info.BlockSize; 0 when not known

	// End is the offset behind the last byte of data in the partition, 0 when
	// there is none.
	End int64
	// Smallest is what the format's own tool can shrink it to, -1 when it cannot.
	// It counts only for kinds that Shrinks reports.
	Smallest int64
	// RebuildSize is what it needs when it is made anew and its files are copied
	// into it, -1 when that is not possible.
	RebuildSize int64
	// Files says that it was captured file by file, so that it is made anew in
	// any case.
	Files bool
	// System says that it holds the root of an operating system, or drive C:.
	System bool
}

// Target is the disk that the plan is for.
type Target struct {
	Size       int64 `json:"size"`       // bytes
	SectorSize int   `json:"sectorSize"` // logical, bytes
}

// Options are the user's wishes.
type Options struct {
	// Grow says what becomes of room that a larger disk has: "auto" or "" gives
	// it to the system's volume, "proportional" to every volume that can grow by
	// its size, "none" leaves it free, and a number gives it to that partition.
	Grow string
	// FileSystems are partitions that get a file system of another kind: ext2,
	// ext3, ext4, xfs or btrfs for one another.
	FileSystems map[int]string
	// Rebuild are partitions that are made anew though nothing asks for it.
	Rebuild map[int]bool
}

// Action is what happens to a partition's content.
type Action string

const (
	Keep    Action = "keep"    // same place, same size
	Move    Action = "move"    // as it is, to another place
	Grow    Action = "grow"    // by the format's tool; it may move as well
	Shrink  Action = "shrink"  // likewise
	Rebuild Action = "rebuild" // a new file system with the old one's UUID and label, then its files
	Remake  Action = "remake"  // new swap space with the old one's UUID and label
)

// Step is what happens to one partition. Extended partitions have none; they
// follow what they hold.
//
// NTFS and FAT say in their boot sectors where their partition starts ('hidden
// sectors', bytes 28..31): a system cannot start from one that moved before that
// number is renewed.
type Step struct {
	Partition int           `json:"partition"` // 0 on a disk without a table
	Action    Action        `json:"action"`
	From      extent.Extent `json:"from"` // on the source disk
	To        extent.Extent `json:"to"`   // on the target
	OldKind   string        `json:"oldKind"`
	Kind      string        `json:"kind"` // another one than OldKind only for Rebuild
	Label     string        `json:"label,omitempty"`
	Role      string        `json:"role,omitempty"` // "EFI system partition", when firmware or a boot loader looks for it by its type
	Why       string        `json:"why"`            // a sentence
}

// Moves reports whether the partition starts at another place.
func (s Step) Moves() bool { return s.From.Start != s.To.Start }

// Gap is space of the source disk in no partition, where boot loaders may live.
type Gap struct {
	extent.Extent
	Kept bool   `json:"kept"` // it goes to the same place on the target; else it is dropped
	Why  string `json:"why,omitempty"`
}

// Plan is how a disk's content lands on the target.
type Plan struct {
	Source Target `json:"source"`
	Target Target `json:"target"`
	// Table is the target's. part/all.Encode takes it for Target.Size.
	Table part.Table `json:"table"`
	Steps []Step     `json:"steps"` // in the order of the disk
	Gaps  []Gap      `json:"gaps,omitempty"`
	Notes []string   `json:"notes,omitempty"` // sentences worth showing

	Need int64 `json:"need"` // size of the smallest disk that would do, bytes
	Free int64 `json:"free"` // bytes behind the last partition that nothing takes
}

// Changes reports whether the target's layout differs from the source's in any way
// but the free space at its end.
func (p *Plan) Changes() bool {
	for _, s := range p.Steps {
		if s.Action != Keep {
			return true
		}
	}
	return p.Source.SectorSize != p.Target.SectorSize
}

// TooSmallError says that the content fits in no way. A disk of Need bytes would do.
type TooSmallError struct {
	Need, Have int64 // bytes
}

func (e *TooSmallError) Error() string {
	return fmt.Sprintf("the target has %d bytes and the image needs %d, however it is fitted: %d too few. Use a larger disk", e.Have, e.Need, e.Need-e.Have)
}

// RefusedError says why the content cannot land on the target, whatever its size.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return e.Why }

// OptionError says which wish cannot be met, and what could be wished instead.
type OptionError struct{ Why string }

func (e *OptionError) Error() string { return e.Why }
