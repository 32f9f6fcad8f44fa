package report

import (
	"fmt"
	"io"
	"time"
)

// plain writes lines for a log: when a stage starts and ends, and the whole every
// plainEvery when something changed.
type plain struct {
	w     io.Writer
	said  []string // the state of each stage as last written
	whole int64    // done when the whole was last written
	at    time.Duration
}

const plainEvery = 5 * time.Second

func newPlain(w io.Writer) *plain { return &plain{w: w} }

func (p *plain) every() time.Duration { return 500 * time.Millisecond }

func (p *plain) draw(f frame, last bool) {
	for i, s := range f.stages {
		p.stage(f.verb, i, s)
	}
	if last || f.done == p.whole || f.elapsed-p.at < plainEvery {
		return
	}
	p.whole, p.at = f.done, f.elapsed
	line := fmt.Sprintf("%s: %d %%, %s", f.verb, percent(f.done, f.total), part(f.done, f.total, f.unit))
	for _, more := range []string{f.speed(), f.facts} {
		if more != "" {
			line += "; " + more
		}
	}
	fmt.Fprintln(p.w, line)
}

// stage writes that a stage started or ended, once. One that did both since the
// last look has only ended.
func (p *plain) stage(verb string, i int, s stage) {
	if i == len(p.said) {
		p.said = append(p.said, "waiting")
	}
	now := s.state()
	if now != "done" && now != "waiting" {
		now = "started"
	}
	if s.minor || now == p.said[i] {
		return
	}
	p.said[i] = now
	fmt.Fprintf(p.w, "%s: %s: %s (%s)\n", verb, s.name, now, amount(s.total, s.unit))
}
