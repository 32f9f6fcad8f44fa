package report

import (
	"encoding/json"
	"io"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Line is a line of output for a program that watches this one.
type Line struct {
	Progress *wire.Progress `json:"progress,omitempty"`
	Log      string         `json:"log,omitempty"`
	// Time comes with the last progress of a work: where the time went since that of
	// the work before it, so that those of a program add up.
	Time *wire.Time `json:"time,omitempty"`
}

// Lines writes progress and notes as JSON, one Line a line. Its methods may be
// called by several goroutines.
type Lines struct {
	mu sync.Mutex
	to *json.Encoder
	// told is what of the network's and the processors' time was written: both are
	// counted for the program as a whole.
	told wire.Time
}

// NewLines writes to w.
func NewLines(w io.Writer) *Lines {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &Lines{to: e}
}

// Log writes a note.
func (l *Lines) Log(text string) { l.write(Line{Log: text}) }

// Write makes Lines a writer of text, of whole lines at a time.
func (l *Lines) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		l.Log(strings.TrimRight(line, "\n"))
	}
	return len(p), nil
}

func (l *Lines) write(line Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to.Encode(line) // a display that cannot be written is no reason to stop work
}

// Show is like the function Show.
func (l *Lines) Show(work *progress.Work) (stop func()) {
	return show(&linesDisplay{l, work}, work)
}

// linesDisplay writes every frame.
type linesDisplay struct {
	lines *Lines
	work  *progress.Work
}

func (d *linesDisplay) every() time.Duration { return time.Second }

func (d *linesDisplay) draw(f frame, last bool) {
	p := &wire.Progress{
		Phase: f.phase(), Done: f.done, Total: f.total, Rate: int64(f.rate), Left: -1,
		Written: d.work.Written.Load() + d.work.Stored.Load(), Same: d.work.Same.Load() + d.work.Reused.Load(),
	}
	if f.left > 0 {
		p.Left = int(f.left.Seconds())
	}
	if d.work.Network != nil {
		p.Fetched = d.work.Network.In.Load()
	}
	line := Line{Progress: p}
	if last {
		line.Time = d.lines.spent(f.elapsed, d.work)
	}
	d.lines.write(line)
}

// spent is where the time of a work went that took elapsed.
func (l *Lines) spent(elapsed time.Duration, work *progress.Work) *wire.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := wire.Time{Network: work.Network.Busy().Seconds(), CPU: cpuSeconds()}
	t := &wire.Time{
		Total: elapsed.Seconds(), Disk: work.Disk.Busy().Seconds(),
		Network: max(all.Network-l.told.Network, 0), CPU: max(all.CPU-l.told.CPU, 0),
	}
	l.told = all
	return t
}

// cpuSeconds is what this process and the programs it ran used of all cores.
func cpuSeconds() float64 {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum.Seconds()
}

// phase names what is being done: the first stage that has begun and not ended.
func (f frame) phase() string {
	for _, s := range f.stages {
		if s.done > 0 && s.done < s.total && !s.minor {
			return f.verb + ": " + s.name
		}
	}
	return f.verb
}
