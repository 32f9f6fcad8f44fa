package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one mistake in a profile or in its table of machines.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`   // from 1; 0: the file as a whole
	Column  int    `json:"column,omitempty"` // in characters, from 1
	Path    string `json:"path,omitempty"`   // of the key: "users[0].name", users counted from 0
	Message string `json:"message"`          // what is wrong and what to write instead; never a secret
}

// String is the problem in one line, in the form that editors jump to.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(strings.Trim(shown(p.Path), `"`) + ": ") // keys of values are anybody's
	}
	return b.String() + p.Message
}

// Error is everything that is wrong with a profile, in the order of its lines. It
// is a mistake of whoever wrote the profile, never of the disk or the machine.
type Error struct {
	Name     string // of the profile
	Problems []Problem
}

func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	lines = append(lines, fmt.Sprintf("the profile %s has %d mistakes:", e.Name, len(e.Problems)))
	if len(e.Problems) == 1 {
		lines[0] = fmt.Sprintf("the profile %s has a mistake:", e.Name)
	}
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds what is reported at once: a file full of mistakes is not a
// profile, and its messages should not fill the memory.
const maxProblems = 200

// failure is the error of problems, nil where there are none.
func failure(name string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if len(problems) > maxProblems {
		more := fmt.Sprintf("%d more mistakes are not shown", len(problems)-maxProblems)
		problems = append(problems[:maxProblems:maxProblems], Problem{File: name, Message: more})
	}
	return &Error{Name: name, Problems: problems}
}

// shown is a value as a message quotes it: on one line, and not too long. Only what
// would not print is escaped, so that paths of Windows stay readable.
func shown(value string) string {
	if r := []rune(value); len(r) > 60 {
		value = string(r[:57]) + "..."
	}
	return quoted(value)
}

// quoted is shown for names of files of this machine, of which the end matters as
// much as the beginning.
func quoted(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(value)
	}
	return `"` + value + `"`
}
