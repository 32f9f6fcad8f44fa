package control

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// Images are what Control needs of the store; package server has it.
type Images interface {
	// List is all images that have a name, newest first. What of the store cannot be
	// read is left out, and said in damage.
	List(ctx context.Context) (images []Image, damage []string, err error)
	// Find is the image that a name:tag, a name or an ID prefix stands for. It is a
	// *NotFoundError when nothing is called so, an *InvalidError when several are.
	Find(ctx context.Context, ref string) (Image, error)
	// Tag makes another name stand for an image: "name:tag", or "name" for the next
	// version of it. It returns the name. A name that is taken is a *ConflictError.
	Tag(ctx context.Context, ref, name string) (string, error)
	// Remove removes a name, "name:tag".
	Remove(ctx context.Context, name string) error
	// Lint looks an image over; its answer is what 'ingot lint --json' prints. It may
	// take minutes.
	Lint(ctx context.Context, id string) (json.RawMessage, error)
}

// Image is an image as a server shows it. Images fills in all but what is said to be
// Control's. What an image holds (System, OS, Single) Images may leave out: Control
// takes it from what was found when the image was looked over, if it was.
type Image struct {
	ID      string        `json:"id"`
	Names   []string      `json:"names"` // "lab-pc:v3", newest first
	Created time.Time     `json:"created"`
	Host    string        `json:"host,omitempty"`
	Comment string        `json:"comment,omitempty"` // given at capture
	Disk    int64         `json:"diskBytes"`         // of the disk that it was captured from
	Sector  int           `json:"sectorSize"`
	Table   string        `json:"table,omitempty"` // "gpt", "mbr"; "" for a single volume
	Data    int64         `json:"dataBytes"`       // that a deploy writes
	Own     int64         `json:"ownBytes"`        // in the store, that no other image shares; -1: not known
	Volumes []ImageVolume `json:"volumes"`
	System  string        `json:"system,omitempty"` // "Windows 11 Pro", when it is known
	OS      profile.OS    `json:"os,omitempty"`
	// Least is the size of the smallest disk that it is known to fit without shrinking
	// anything, bytes. Shrinks says that it may fit smaller ones, which is measured on
	// the machine.
	Least   int64 `json:"leastBytes"`
	Shrinks bool  `json:"shrinks"`
	// Single says that it is a Windows that was not generalized: one machine can be
	// made of it, not several.
	Single bool `json:"single,omitempty"`

	Notes string       `json:"notes,omitempty"` // Control's: what people wrote
	Lint  *LintSummary `json:"lint,omitempty"`  // Control's; nil: it was not looked over
}

// ImageVolume is a volume of an image.
type ImageVolume struct {
	Partition int    `json:"partition"` // 0: the disk has none
	Kind      string `json:"kind"`      // "ntfs", "ext4", ...
	Label     string `json:"label,omitempty"`
	Size      int64  `json:"bytes"`
	Used      int64  `json:"usedBytes"` // 0: not known
	Files     bool   `json:"files,omitempty"`
}

// LintSummary is what looking an image over found.
type LintSummary struct {
	At       time.Time       `json:"at"`
	Running  bool            `json:"running,omitempty"`
	Error    string          `json:"error,omitempty"` // why it could not be looked over
	Errors   int             `json:"errors"`          // serious findings
	Warnings int             `json:"warnings"`
	Notes    int             `json:"notes"`
	Report   json.RawMessage `json:"report,omitempty"` // of Control.Image alone: all findings
}
