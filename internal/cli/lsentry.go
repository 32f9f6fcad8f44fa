package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ingot-imaging/ingot/internal/browse"
)

// lsEntry is a file as JSON.
type lsEntry struct {
	Name   string    `json:"name"` // with --recursive from the listed directory on
	Raw    []byte    `json:"rawName,omitempty"`
	Type   string    `json:"type"`
	Mode   string    `json:"mode"`
	UID    uint32    `json:"uid"`
	GID    uint32    `json:"gid"`
	Size   int64     `json:"size"`
	Mtime  time.Time `json:"time"`
	Target string    `json:"target,omitempty"`
	Device string    `json:"device,omitempty"` // major:minor
}

// lister returns what shows an entry; nil comes last.
func (a *App) lister(w io.Writer, opts lsOptions) func(name string, e *browse.Entry) error {
	a.printed = true
	if !a.json {
		return func(name string, e *browse.Entry) error {
			if e == nil {
				return nil
			}
			_, err := io.WriteString(w, line(name, e, opts.long))
			return err
		}
	}
	l := &jsonList{w: w}
	return func(name string, e *browse.Entry) error {
		if e == nil {
			return errors.Join(l.end(), endLine(w))
		}
		return l.add(entryOf(name, e))
	}
}

func endLine(w io.Writer) error {
	_, err := io.WriteString(w, "\n")
	return err
}

func entryOf(name string, e *browse.Entry) lsEntry {
	j := lsEntry{Name: name, Type: typeWord(e.Mode), Mode: browse.Permissions(e.Mode), UID: e.UID, GID: e.GID, Size: e.Size, Mtime: e.Mtime.UTC(), Target: e.Target}
	if !utf8.ValidString(name) {
		j.Raw = []byte(name)
	}
	if e.Mode&fs.ModeDevice != 0 {
		j.Device = fmt.Sprintf("%d:%d", e.Major, e.Minor)
	}
	return j
}

// typeWord is a mode's type as JSON.
func typeWord(m fs.FileMode) string {
	words := strings.Fields(browse.TypeOf(m))
	return words[len(words)-1]
}

// line is an entry for a person.
func line(name string, e *browse.Entry, long bool) string {
	name = browse.Printable(name)
	if !long {
		return name + "\n"
	}
	size := fmt.Sprint(e.Size)
	if e.Mode&fs.ModeDevice != 0 {
		size = fmt.Sprintf("%d, %d", e.Major, e.Minor)
	}
	if e.Target != "" {
		name += " -> " + browse.Printable(e.Target)
	}
	return fmt.Sprintf("%s %5d %5d %12s %s %s\n", modeLetters(e.Mode), e.UID, e.GID, size, e.Mtime.Local().Format(time.DateTime), name)
}

// modeLetters is a mode as ls(1) writes it.
func modeLetters(m fs.FileMode) string {
	letters := []byte("-rwxrwxrwx")
	for i := range 9 {
		if m.Perm()>>(8-i)&1 == 0 {
			letters[1+i] = '-'
		}
	}
	for t, c := range map[fs.FileMode]byte{
		fs.ModeDir: 'd', fs.ModeSymlink: 'l', fs.ModeDevice: 'b', fs.ModeDevice | fs.ModeCharDevice: 'c', fs.ModeNamedPipe: 'p', fs.ModeSocket: 's',
	} {
		if m.Type() == t {
			letters[0] = c
		}
	}
	special := func(bit fs.FileMode, at int, c byte) {
		switch {
		case m&bit == 0:
		case letters[at] == 'x':
			letters[at] = c
		default:
			letters[at] = c - 'a' + 'A'
		}
	}
	special(fs.ModeSetuid, 3, 's')
	special(fs.ModeSetgid, 6, 's')
	special(fs.ModeSticky, 9, 't')
	return string(letters)
}
