// Package fstab edits fstab(5) and crypttab(5) after a deploy.
//
// It owns their lines: fields, escapes, and what must change in a line whose
// volume has another name or another file system now. It keeps comments, spacing
// and every line that does not have to change, byte by byte. Start at Edit and
// EditCrypttab.
package fstab

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/customise/linux/devname"
)

// The fields of fstab(5), and how many there are.
const (
	spec = iota
	file
	vfsType
	options
	freq
	passno
	fields
)

// Entry is a line of fstab that mounts a volume of the disk.
type Entry struct {
	Volume *customise.Volume
	Point  string // "/boot"; "none" for swap
	Type   string // after the edit
}

// Result is an edited file.
type Result struct {
	Text    []byte
	Entries []Entry
	Notes   []string
}

// Edit makes fstab name the volumes as they are now.
func Edit(text []byte, names *devname.Names) Result {
	var r Result
	lines := strings.SplitAfter(string(text), "\n")
	whole := wholes(lines, names)
	for i, text := range lines {
		l := parse(text)
		if len(l.at) < spec+3 {
			continue
		}
		name := decode(l.get(spec))
		v, now := names.Resolve(name)
		if v == nil {
			r.note(name, decode(l.get(file)))
			continue
		}
		l.set(spec, encode(now, name, l.get(spec)))
		point := decode(l.get(file))
		if v.OldKind != v.Kind {
			l.convert(v, point)
		}
		if v.OldKind == "btrfs" && v.Kind != "btrfs" && whole[v] != i {
			if len(r.Notes) < maxNotes {
				r.Notes = append(r.Notes, fmt.Sprintf("/etc/fstab: %s was a subvolume; %s has none, so that its line is a comment now", quoted(point), v.Kind))
			}
			lines[i] = "# ingot: no subvolumes any more: " + l.text
			continue
		}
		r.Entries = append(r.Entries, Entry{v, point, l.get(vfsType)})
		lines[i] = l.text
	}
	r.Text = []byte(strings.Join(lines, ""))
	return r
}

// wholes are the lines that mount whole volumes, of which btrfs can have several:
// the others are subvolumes that lie below it now, as folders.
func wholes(lines []string, names *devname.Names) map[*customise.Volume]int {
	whole, shortest := map[*customise.Volume]int{}, map[*customise.Volume]int{}
	for i, text := range lines {
		l := parse(text)
		v, _ := names.Resolve(decode(l.get(spec)))
		if n, seen := shortest[v]; v != nil && (!seen || len(l.get(file)) < n) {
			whole[v], shortest[v] = i, len(l.get(file))
		}
	}
	return whole
}

// maxNotes is enough for every fstab that a person wrote.
const maxNotes = 20

// note tells of a name that depends on where the disk is plugged in.
func (r *Result) note(name, point string) {
	for _, prefix := range []string{"/dev/sd", "/dev/hd", "/dev/vd", "/dev/nvme", "/dev/mmcblk", "/dev/xvd", "/dev/disk/by-path/", "/dev/disk/by-id/"} {
		if strings.HasPrefix(name, prefix) && len(r.Notes) < maxNotes {
			r.Notes = append(r.Notes, fmt.Sprintf("/etc/fstab: %s is %s, a name that another machine may give to another disk or to none", quoted(point), quoted(name)))
			return
		}
	}
}

// quoted is a string of an image in a message: one line, and not for ever.
func quoted(s string) string { return strconv.Quote(s[:min(len(s), 100)]) }

// line is a line and where its fields lie.
type line struct {
	text string
	at   [][2]int
}

// parse finds the fields; a comment, or a blank line, has none.
func parse(text string) line {
	l := line{text: text}
	for i := 0; i < len(text) && len(l.at) < fields; {
		for i < len(text) && strings.IndexByte(" \t\r\n", text[i]) >= 0 {
			i++
		}
		if i == len(text) || text[i] == '#' && len(l.at) == 0 {
			break
		}
		start := i
		for i < len(text) && strings.IndexByte(" \t\r\n", text[i]) < 0 {
			i++
		}
		l.at = append(l.at, [2]int{start, i})
	}
	return l
}

// get returns a field, "" when the line has it not.
func (l *line) get(i int) string {
	if i >= len(l.at) {
		return ""
	}
	return l.text[l.at[i][0]:l.at[i][1]]
}

// set replaces a field that is there; all others stay where they are.
func (l *line) set(i int, value string) {
	if i >= len(l.at) || value == "" || value == l.get(i) {
		return
	}
	*l = parse(l.text[:l.at[i][0]] + value + l.text[l.at[i][1]:])
}

// decode undoes the octal escapes of getmntent(3).
func decode(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if b, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(b))
				i += 3
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// encode is the field for a name; one that did not change stays as it was written.
func encode(now, before, raw string) string {
	if now == before {
		return raw
	}
	var out strings.Builder
	for _, c := range []byte(now) {
		if c <= ' ' || c == '\\' || c == 0x7f || c == '#' {
			fmt.Fprintf(&out, `\%03o`, c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}
