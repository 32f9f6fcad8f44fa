package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// listed is a disk as 'ingot disks --json' prints it.
type listed struct {
	Path       string   `json:"path"`
	Vendor     string   `json:"vendor"`
	Model      string   `json:"model"`
	Serial     string   `json:"serial"`
	WWN        string   `json:"wwn"`
	Transport  string   `json:"transport"`
	Size       int64    `json:"bytes"`
	Sector     int      `json:"sectorSize"`
	Removable  bool     `json:"removable"`
	ReadOnly   bool     `json:"readOnly"`
	Error      string   `json:"error"`
	Unfinished string   `json:"unfinished"`
	Table      string   `json:"table"`
	Uses       []string `json:"uses"`
	Volumes    []struct {
		Kind  string `json:"kind"`
		Label string `json:"label"`
	} `json:"volumes"`
}

// maxDisks bounds an inventory; servers have dozens.
const maxDisks = 256

// listDisks asks the program for the machine's disks.
func listDisks(ctx context.Context, c child) ([]wire.Disk, error) {
	e := c.run(ctx, []string{"disks", "--json"}, func(wire.Progress) {}, func(string) {})
	if e.code != wire.ExitDone {
		return nil, fmt.Errorf("list the disks: %s", cmp.Or(e.last, unsaid(e)))
	}
	return parseDisks(e.output)
}

func parseDisks(output []byte) ([]wire.Disk, error) {
	var list []listed
	if err := json.Unmarshal(output, &list); err != nil {
		return nil, fmt.Errorf("list the disks: %w", err)
	}
	var disks []wire.Disk
	for _, d := range list[:min(len(list), maxDisks)] {
		if d.Transport == "loop" || d.Transport == "file" || d.Transport == "nbd" {
			continue
		}
		disks = append(disks, wire.Disk{
			Path: d.Path, Model: printable(d.Vendor + " " + d.Model), Serial: printable(d.Serial), WWN: printable(d.WWN), Transport: d.Transport,
			Size: d.Size, Sector: d.Sector, Removable: d.Removable, ReadOnly: d.ReadOnly, Holds: d.holds(),
		})
	}
	return disks, nil
}

// unfinishedPrefix begins what is said of a disk that a deploy did not finish.
const unfinishedPrefix = "an unfinished deploy of "

// holds says in a line what is on a disk.
func (d listed) holds() string {
	switch {
	case d.Error != "":
		return "cannot be read: " + printable(d.Error)
	case d.Unfinished != "":
		return unfinishedPrefix + printable(d.Unfinished)
	}
	var kinds []string
	for _, v := range d.Volumes {
		kind := v.Kind
		if v.Label != "" {
			kind += " '" + printable(v.Label) + "'"
		}
		kinds = append(kinds, kind)
	}
	text := strings.Join(kinds, ", ")
	switch {
	case d.Table == "gpt" || d.Table == "mbr":
		return strings.TrimSuffix(strings.ToUpper(d.Table)+": "+text, ": ")
	case text == "unknown":
		return ""
	}
	return text
}

// internal reports whether a disk belongs to the machine and can be written: sticks
// and card readers come and go.
func internal(d wire.Disk) bool {
	return !d.Removable && !d.ReadOnly && d.Transport != "usb" && d.Transport != "mmc" || d.Transport == "mmc" && !d.Removable && !d.ReadOnly
}

// pickDisk finds the disk that a job means: by path, by serial number or WWN, as
// 'largest' or 'smallest' of the internal ones, or "" for the only one. It refuses
// rather than guesses.
func pickDisk(want string, disks []wire.Disk) (wire.Disk, error) {
	var inside []wire.Disk
	for _, d := range disks {
		if internal(d) {
			inside = append(inside, d)
		}
	}
	switch want {
	case "largest", "smallest":
		return extreme(want, inside)
	case "":
		switch len(inside) {
		case 1:
			return inside[0], nil
		case 0:
			return wire.Disk{}, fmt.Errorf("no internal disk is visible. %s", others(disks))
		}
		return wire.Disk{}, fmt.Errorf("this machine has %d internal disks, and the job does not say which one: %s", len(inside), names(inside))
	}
	var found []wire.Disk
	for _, d := range disks {
		if d.Path == want || d.Serial != "" && fold(d.Serial) == fold(want) || d.WWN != "" && fold(d.WWN) == fold(want) {
			found = append(found, d)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	if len(found) > 1 {
		return wire.Disk{}, fmt.Errorf("%d disks of this machine answer to %q: %s", len(found), want, names(found))
	}
	return wire.Disk{}, fmt.Errorf("this machine has no disk %q. %s", want, others(disks))
}

// isPlanned refuses a disk that is not of the size that the job was made for: the
// kernel numbers disks as it finds them, and people swap them.
func isPlanned(d wire.Disk, planned int64) error {
	if planned == 0 || d.Size == planned {
		return nil
	}
	return fmt.Errorf("the job was made for a disk of %d bytes (%s), and %s has %d bytes: it may be another disk",
		planned, size(planned), names([]wire.Disk{d}), d.Size)
}

// fold is a serial number as it is compared: servers keep them with single blanks.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "")) }

// extreme is the one disk of that size.
func extreme(which string, inside []wire.Disk) (wire.Disk, error) {
	sorted := slices.Clone(inside)
	slices.SortFunc(sorted, func(a, b wire.Disk) int { return cmp.Compare(b.Size, a.Size) })
	if which == "smallest" {
		slices.Reverse(sorted)
	}
	switch {
	case len(sorted) == 0:
		return wire.Disk{}, fmt.Errorf("no internal disk is visible")
	case len(sorted) > 1 && sorted[0].Size == sorted[1].Size:
		return wire.Disk{}, fmt.Errorf("two disks are the %s: %s", which, names(sorted))
	}
	return sorted[0], nil
}

func others(disks []wire.Disk) string {
	if len(disks) == 0 {
		return "It shows no disk at all: look for a RAID mode (VMD, RST) in its firmware's setup."
	}
	return "It has " + names(disks) + "."
}

func names(disks []wire.Disk) string {
	var all []string
	for _, d := range disks {
		all = append(all, strings.Join(strings.Fields(fmt.Sprintf("%s (%s %s, %s)", d.Path, d.Model, d.Serial, size(d.Size))), " "))
	}
	return strings.Join(all, "; ")
}
