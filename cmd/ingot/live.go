package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// live shows a batch while it changes: as a table that is drawn over on a terminal,
// elsewhere as a line for each change of a job.
type live struct {
	remote  *remote
	screen  io.Writer // nil: lines
	columns int
	drawn   int // lines of the table on the screen
	told    map[string]string
}

func (r *remote) newLive() *live {
	l := &live{remote: r, told: map[string]string{}}
	l.screen, l.columns = r.app.Screen()
	return l
}

func (l *live) show(w message.Work) {
	if l.screen == nil {
		l.tell(w)
		return
	}
	l.draw(w)
}

// tell writes a line for each job whose state or phase is new.
func (l *live) tell(w message.Work) {
	for _, j := range w.Jobs {
		state := string(j.State)
		if j.State == fleet.Running && j.Progress.Phase != "" {
			state += ", " + j.Progress.Phase
		} else if why := reason(j); why != "" {
			state += ": " + why
		}
		if l.told[j.ID] != state {
			l.told[j.ID] = state
			l.remote.app.Note("%s %s", printable(j.Name), printable(state))
		}
	}
}

// maxRows bounds a table on a screen.
const maxRows = 20

// draw draws the table over the last one. Jobs that need to be looked at come first.
func (l *live) draw(w message.Work) {
	jobs := slices.Clone(w.Jobs)
	slices.SortStableFunc(jobs, func(a, b fleet.Job) int { return urgency(a.State) - urgency(b.State) })
	var rows [][]string
	for _, j := range jobs[:min(len(jobs), maxRows)] {
		rows = append(rows, []string{j.Name, string(j.State), took(j), reason(j)})
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s\n", w.Batch.ID, counts(w.Batch.Counts))
	table(&b, []string{"MACHINE", "STATE", "TOOK", "WHAT"}, rows)
	if more := len(jobs) - maxRows; more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	l.erase()
	for line := range bytes.Lines(b.Bytes()) {
		l.drawn++
		fmt.Fprintln(l.screen, cut(string(bytes.TrimRight(line, "\n")), l.columns-1))
	}
}

func urgency(s fleet.JobState) int {
	return slices.Index([]fleet.JobState{fleet.Failed, fleet.Stopping, fleet.Running, fleet.Queued, fleet.Scheduled, fleet.Cancelled, fleet.Done}, s)
}

// erase moves up to where the last table began, and clears the screen from there.
func (l *live) erase() {
	if l.drawn > 0 {
		fmt.Fprintf(l.screen, "\x1b[%dA\x1b[J", l.drawn)
	}
	l.drawn = 0
}

// end takes the table away: the result comes next.
func (l *live) end() {
	if l.screen != nil {
		l.erase()
	}
}

func cut(s string, columns int) string {
	runes := []rune(s)
	return string(runes[:min(len(runes), max(columns, 10))])
}
