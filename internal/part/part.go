// Package part is a disk's partition table as a value, with its rules.
//
// It owns what GPT, MBR and 'no table at all' have in common: the partitions,
// the gaps between them, which bytes belong to the table itself, and the order
// in which a table is written so that a half-written one is not taken for a
// whole one. The byte formats are in part/gpt and part/mbr, which part/all
// tries in order. The package does no I/O.
package part

import "github.com/ingot-imaging/ingot/internal/extent"

// Kind is the format of a partition table.
type Kind string

const (
	None Kind = "none" // superfloppy: one volume fills the disk
	MBR  Kind = "mbr"
	GPT  Kind = "gpt"
)

// Table is a partition table. It can be stored as JSON and encoded again for a
// disk of another size without loss: Sectors holds every byte of it that the
// fields do not.
type Table struct {
	Kind       Kind        `json:"kind"`
	SectorSize int         `json:"sectorSize"`         // logical sector size it counts in, bytes
	DiskSize   int64       `json:"diskSize"`           // size of the disk it was read from, bytes
	ID         string      `json:"id,omitempty"`       // GPT disk GUID, upper case; MBR signature as 8 hex digits
	Partitions []Partition `json:"partitions"`         // ascending by Start
	Sectors    []Sectors   `json:"sectors,omitempty"`  // the table's own sectors as read (after repair), zeros left out
	Findings   []string    `json:"findings,omitempty"` // what was wrong and how it was repaired, for the user
}

// Partition is one entry that describes space on the disk. An MBR extended
// partition is a container and is listed like the others, with Extended set.
type Partition struct {
	Number   int    `json:"number"` // as the kernel numbers it
	Start    int64  `json:"start"`  // bytes from the start of the disk
	Length   int64  `json:"length"` // bytes
	Type     string `json:"type"`   // GPT type GUID, upper case; MBR type as two hex digits
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"`
	Flags    uint64 `json:"flags,omitempty"` // GPT attribute bits; MBR boot indicator
	Logical  bool   `json:"logical,omitempty"`
	Extended bool   `json:"extended,omitempty"`
}

// Extent is the space of p on the disk.
func (p Partition) Extent() extent.Extent { return extent.Extent{Start: p.Start, Length: p.Length} }

// Sectors is a run of bytes of a table as it lies on the disk.
type Sectors struct {
	Offset int64  `json:"offset"`
	Data   []byte `json:"data"`
}

// Write is one write to a disk. A list of them is done in order, with a sync
// after each one that asks for it.
type Write struct {
	Offset int64
	Data   []byte
	Sync   bool
	What   string // for the printed plan: "GPT backup header"
}
