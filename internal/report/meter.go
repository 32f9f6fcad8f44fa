package report

import (
	"fmt"
	"time"

	"github.com/ingot-imaging/ingot/internal/progress"
)

// frame is what a display shows of work at one moment.
type frame struct {
	verb        string
	unit        string // of done, total and rate
	done, total int64
	elapsed     time.Duration
	rate        float64       // units a second of late; 0: not known yet
	left        time.Duration // 0: not known yet
	facts       string        // what became of the bytes, "" when there is nothing to say
	stages      []stage
}

// stage is one line of a frame.
type stage struct {
	name, unit  string
	done, total int64
	minor       bool
}

func (s stage) state() string {
	switch {
	case s.done >= s.total:
		return "done"
	case s.done == 0:
		return "waiting"
	}
	return fmt.Sprintf("%d %%", percent(s.done, s.total))
}

// meter turns counters into frames. It remembers what it measured of late, for
// the rate.
type meter struct {
	work    *progress.Work
	started time.Time
	unit    string
	late    []measured
}

type measured struct {
	at   time.Time
	done int64
}

// rateWindow is how far back the rate looks: long enough to smooth the pauses
// of a disk, short enough to follow a change from free to used space.
const rateWindow = 20 * time.Second

func newMeter(work *progress.Work, now time.Time) *meter {
	return &meter{work: work, started: now}
}

// frame measures once.
func (m *meter) frame(now time.Time) frame {
	f := frame{verb: m.work.Verb, elapsed: now.Sub(m.started), facts: facts(m.work)}
	for _, s := range m.work.Stages() {
		f.stages = append(f.stages, stage{s.Name, s.Unit, s.Done(), s.Total, s.Minor})
	}
	f.sum()
	m.measure(&f, now)
	return f
}

// sum adds up the stages that count in the unit of the first unfinished one:
// packs and bytes do not add up.
func (f *frame) sum() {
	for _, s := range f.stages {
		f.unit = s.unit
		if s.done < s.total {
			break
		}
	}
	for _, s := range f.stages {
		if s.unit == f.unit {
			f.done, f.total = f.done+s.done, f.total+s.total
		}
	}
}

// measure fills in the rate and the time left.
func (m *meter) measure(f *frame, now time.Time) {
	if f.unit != m.unit {
		m.unit, m.late = f.unit, nil
	}
	m.late = append(m.late, measured{now, f.done})
	for len(m.late) > 2 && now.Sub(m.late[1].at) >= rateWindow {
		m.late = m.late[1:]
	}
	first := m.late[0]
	if span := now.Sub(first.at).Seconds(); span >= 1 && f.done > first.done {
		f.rate = float64(f.done-first.done) / span
		f.left = time.Duration(float64(f.total-f.done) / f.rate * float64(time.Second))
	}
}

// facts says what became of the bytes: how much was new, how well it packed, how
// much a target had already.
func facts(w *progress.Work) string {
	if fresh, reused, stored := w.New.Load(), w.Reused.Load(), w.Stored.Load(); fresh+reused > 0 {
		s := fmt.Sprintf("%s new, %s in the store already", Bytes(fresh), Bytes(reused))
		if stored > 0 {
			s += fmt.Sprintf("; %s stored (%.1f : 1)", Bytes(stored), float64(fresh+reused)/float64(stored))
		}
		return s
	}
	if written, same := w.Written.Load(), w.Same.Load(); written+same > 0 {
		return fmt.Sprintf("%s written, %s there already", Bytes(written), Bytes(same))
	}
	return ""
}

// speed is the rate and the time left, "" when nothing is known.
func (f frame) speed() string {
	if f.rate == 0 {
		return ""
	}
	s := amount(int64(f.rate), f.unit) + "/s"
	if f.done < f.total {
		s += ", " + Duration(f.left.Round(time.Second)) + " left"
	}
	return s
}
