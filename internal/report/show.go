package report

import (
	"io"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/progress"
)

// display draws frames. last says that no other follows.
type display interface {
	draw(f frame, last bool)
	every() time.Duration
}

// Show draws the progress of work on w until stop is called, which draws the end
// and returns when nothing more will be written. stop may be called twice.
//
// Nothing about the terminal is ever changed, neither its mode nor its cursor, so
// a program that is killed leaves it as it was.
func Show(w io.Writer, work *progress.Work) (stop func()) { return show(displayOn(w), work) }

func show(d display, work *progress.Work) (stop func()) {
	m := newMeter(work, time.Now())
	quit := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		tick := time.NewTicker(d.every())
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				d.draw(m.frame(now), false)
			case <-quit:
				d.draw(m.frame(time.Now()), true)
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(quit)
		drawing.Wait()
	})
}

// displayOn is a terminal display where w is a terminal.
func displayOn(w io.Writer) display {
	if t := newTerminal(w); t != nil {
		return t
	}
	return newPlain(w)
}
