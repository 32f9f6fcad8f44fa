// Package image is one captured image as a value: its manifest and its maps.
//
// It owns both formats and their checks; doc/format.md is the normative text. It
// does no I/O and knows no store. A Manifest leads to Regions, a Region to the
// names of its Segments, a Segment to chunks.
package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// Format is the manifest format that this program writes.
const Format = 1

// Limits of a manifest, far above what a disk has.
const (
	maxRegions = 1 << 16
	maxDisk    = 1 << 60 // 1 EiB
)

// Manifest describes one image. Its ID is the hash of its bytes.
type Manifest struct {
	Format int `json:"ingotImage"`
	// Requires names what a program must know to use the image. One that finds a
	// word it does not know refuses the image by that word.
	Requires []string `json:"requires,omitempty"`

	Created time.Time  `json:"created"`
	Program string     `json:"program"` // version of ingot that made it
	Host    string     `json:"host"`
	Note    string     `json:"note,omitempty"`
	Hash    chunk.Hash `json:"hash"` // of every chunk ID and name in it

	Disk    Disk        `json:"disk"`
	Table   *part.Table `json:"table,omitempty"` // nil: a single volume, of a partition or of a disk without table
	Regions []Region    `json:"regions"`         // ascending by Start
}

// Disk is where the image came from.
type Disk struct {
	Path           string `json:"path"`
	Model          string `json:"model,omitempty"`
	Serial         string `json:"serial,omitempty"`
	Size           int64  `json:"size"`       // bytes
	SectorSize     int    `json:"sectorSize"` // logical, bytes
	PhysicalSector int    `json:"physicalSector,omitempty"`
}

// Role is what a region's bytes are.
type Role string

const (
	Blocks   Role = ""         // a part of the disk, at its place
	Listing  Role = "listing"  // of a volume captured file by file: its files' names and attributes, in the form of package files
	Contents Role = "contents" // of the same volume: its files' bytes, one file after the other
)

// NeedsFiles is the word in Requires of an image with other roles than Blocks.
const NeedsFiles = "files"

// Region is a contiguous part of the disk that was captured: the inside of a
// partition, or a gap between partitions. A volume that was captured file by file
// has two that lie nowhere on the disk, Listing and Contents; both name its
// partition, and both have its Volume.
type Region struct {
	Role      Role    `json:"role,omitempty"`
	Partition int     `json:"partition,omitempty"` // its number in the table; 0 for a gap or a bare volume
	Start     int64   `json:"start"`               // bytes from the start of the disk; 0 when it lies nowhere on it
	Size      int64   `json:"size"`                // bytes
	Volume    *Volume `json:"volume,omitempty"`    // nil for a gap

	Data int64 `json:"data"` // bytes that an exact restore writes, zeros included
	Zero int64 `json:"zero"` // of these, bytes in long runs of zeros, which take no space
	End  int64 `json:"end"`  // offset behind the last byte in Data: the smallest size of the region

	// Rest says what the bytes are that no segment's entries cover.
	Rest       Rest        `json:"rest"`
	Omitted    []Omission  `json:"omitted,omitempty"`
	Unreadable extent.List `json:"unreadable,omitempty"` // relative to Start; these bytes read as zeros

	Map []SegmentRef `json:"map"`
}

// Volume is what a partition held, as far as people and later steps need it.
type Volume struct {
	Kind      string   `json:"kind"` // as volume.Info.Kind
	Label     string   `json:"label,omitempty"`
	UUID      string   `json:"uuid,omitempty"`
	Size      int64    `json:"size"`
	BlockSize int64    `json:"blockSize,omitempty"`
	Method    Method   `json:"method"`
	Used      int64    `json:"used,omitempty"`  // bytes in use by the volume's own count, at capture; 0: not known
	Files     int64    `json:"files,omitempty"` // entries of its listing, for FileByFile
	Notes     []string `json:"notes,omitempty"`
}

// Method is how a volume was captured.
type Method string

const (
	UsedBlocks Method = "used-blocks" // by its used map
	AllSectors Method = "all-sectors" // every sector, runs of zeros left out
	FileByFile Method = "files"       // as a tree of files
)

// Rest is what a region holds where its map has nothing.
type Rest string

const (
	Free  Rest = "free"  // nothing that matters: an exact restore need not write it
	Zeros Rest = "zeros" // zeros, which an exact restore must find or write
)

// Omission is content that was left out on purpose.
type Omission struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// SegmentRef names the map of one stretch of a region.
type SegmentRef struct {
	Start int64    `json:"start"` // relative to the region, a multiple of SegmentSpan
	ID    chunk.ID `json:"id"`
}

// Encode returns the manifest's bytes.
func (m *Manifest) Encode() ([]byte, error) {
	if err := m.valid(); err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	b, err := json.MarshalIndent(m, "", " ")
	return append(b, '\n'), err
}

// Parse reads a manifest and checks every number in it.
func Parse(data []byte) (*Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("parse manifest: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("parse manifest: bytes behind its end")
	}
	if err := m.valid(); err != nil {
		return nil, fmt.Errorf("parse manifest: %w", err)
	}
	return &m, nil
}

func (m *Manifest) valid() error {
	if m.Format != Format {
		return fmt.Errorf("it has format %d, this program knows %d", m.Format, Format)
	}
	for _, word := range m.Requires {
		if word != NeedsFiles {
			return fmt.Errorf("it requires %q, which this program does not know; use a newer one", word)
		}
	}
	if !m.Hash.Known() {
		return fmt.Errorf("it uses %v, which this program does not know", m.Hash)
	}
	s := m.Disk.SectorSize
	if m.Disk.Size <= 0 || m.Disk.Size > maxDisk || s < 512 || s > 1<<16 || s&(s-1) != 0 {
		return fmt.Errorf("a disk of %d bytes with sectors of %d bytes is not possible", m.Disk.Size, s)
	}
	if len(m.Regions) > maxRegions {
		return fmt.Errorf("it has %d regions", len(m.Regions))
	}
	end := int64(0)
	for i, r := range m.Regions {
		if r.Role == Blocks {
			if r.Start < end || r.Size <= 0 || r.Size > m.Disk.Size-r.Start {
				return fmt.Errorf("region %d at %#x with %#x bytes overlaps another or the disk's end", i, r.Start, r.Size)
			}
			end = r.Start + r.Size
		} else if err := m.validOffDisk(r); err != nil {
			return fmt.Errorf("region %d: %w", i, err)
		}
		if err := r.valid(); err != nil {
			return fmt.Errorf("region %d: %w", i, err)
		}
	}
	return nil
}

// validOffDisk checks what a region has that lies nowhere on the disk.
func (m *Manifest) validOffDisk(r Region) error {
	switch {
	case r.Role != Listing && r.Role != Contents || !slices.Contains(m.Requires, NeedsFiles):
		return fmt.Errorf("its role %q is not one that the image requires", r.Role)
	case r.Start != 0 || r.Size <= 0 || r.Size > maxDisk || r.Volume == nil:
		return fmt.Errorf("%s at %#x with %#x bytes is not possible", r.Role, r.Start, r.Size)
	}
	return nil
}

func (r *Region) valid() error {
	if r.Data < 0 || r.Data > r.Size || r.Zero < 0 || r.Zero > r.Data || r.End < 0 || r.End > r.Size {
		return fmt.Errorf("counts %d, %d, %d do not fit %d bytes", r.Data, r.Zero, r.End, r.Size)
	}
	if r.Rest != Free && r.Rest != Zeros {
		return fmt.Errorf("what lies outside its map is %q, which this program does not know", r.Rest)
	}
	if err := r.Unreadable.Valid(r.Size); err != nil {
		return err
	}
	next := int64(0)
	for _, s := range r.Map {
		if s.Start < next || s.Start%SegmentSpan != 0 || s.Start >= r.Size {
			return fmt.Errorf("map of %#x is out of order or outside", s.Start)
		}
		next = s.Start + SegmentSpan
	}
	return nil
}

// Unreadable is the number of bytes that could not be read at capture.
func (m *Manifest) Unreadable() int64 {
	var n int64
	for _, r := range m.Regions {
		n += r.Unreadable.Bytes()
	}
	return n
}

// Data is the number of bytes that an exact restore writes.
func (m *Manifest) Data() int64 {
	var n int64
	for _, r := range m.Regions {
		n += r.Data
	}
	return n
}

// Region returns the region of partition n that lies on the disk, nil when there
// is none.
func (m *Manifest) Region(n int) *Region {
	i := slices.IndexFunc(m.Regions, func(r Region) bool { return r.Partition == n && r.Volume != nil && r.Role == Blocks })
	if i < 0 {
		return nil
	}
	return &m.Regions[i]
}

// ByFiles reports whether some of the regions were captured file by file, so that
// they have no place on a disk.
func ByFiles(regions []Region) bool {
	return slices.ContainsFunc(regions, func(r Region) bool { return r.Role != Blocks })
}

// Title names the region for a person.
func (r *Region) Title() string {
	if r.Volume == nil {
		return fmt.Sprintf("space between partitions at %#x", r.Start)
	}
	name := r.Volume.Kind
	if r.Partition > 0 {
		name = fmt.Sprintf("partition %d, %s", r.Partition, name)
	}
	if r.Volume.Label != "" {
		name += fmt.Sprintf(" %q", r.Volume.Label)
	}
	if r.Role != Blocks {
		name += ", " + string(r.Role)
	}
	return name
}
