package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// serve shows the board on a console and opens the menu there, until ctx is done. A
// console that is gone, as a serial adapter that was pulled out, is tried again.
func (a *Agent) serve(ctx context.Context, c Console) {
	for ctx.Err() == nil {
		t, err := openTerminal(c)
		if err == nil {
			err = a.guardConsole(ctx, t)
			t.Close()
		}
		if err != nil && ctx.Err() == nil {
			a.board.log(fmt.Sprintf("console %s: %v", c.Path, err))
			sleep(ctx, 10*time.Second)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (a *Agent) guardConsole(ctx context.Context, t *terminal) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.board.log(fmt.Sprintf("the agent made a mistake: %v\n%s", p, debug.Stack()))
			err = errors.New("it starts anew")
		}
	}()
	t.awake()
	if a.Config.Mode == Menu || (a.Config.Mode == Standalone || a.Config.Server == "") && !t.Serial {
		if err := a.menu(ctx, t); err != nil {
			return err
		}
	}
	return a.watch(ctx, t)
}

const (
	// glance is how often a console looks for keys and changes.
	glance = 500 * time.Millisecond
	// serialEvery is how often a serial line tells of progress: every line may end in
	// somebody's log.
	serialEvery = 15 * time.Second
)

// watch shows the board until Enter opens the menu.
func (a *Agent) watch(ctx context.Context, t *terminal) error {
	t.clear()
	var shown string
	var told time.Time
	for ctx.Err() == nil {
		s, _ := a.board.look()
		s.Busy = a.desk.other(t.Path)
		if !t.Serial {
			if text := s.Text(); text != shown {
				t.draw(text)
				shown = text
			}
		} else {
			shown, told = t.report(s, shown, told)
		}
		_, err := t.line(time.Now().Add(glance))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			return err
		}
		if err := a.menu(ctx, t); err != nil {
			return err
		}
		t.clear()
		shown, told = "", time.Time{}
	}
	return nil
}

// report prints what is new: all of it when something other than progress changed,
// progress now and then.
func (t *terminal) report(s Screen, shown string, told time.Time) (string, time.Time) {
	text := s.Lines()
	if text != shown {
		t.print("\n%s\n", text)
		return text, time.Now()
	}
	if bar := s.bar(); bar != "" && time.Since(told) >= serialEvery {
		t.print("  %s  %s\n", s.Progress.Phase, bar)
		return text, time.Now()
	}
	return text, told
}

// Lines is the screen for a serial line: without what changes all the time.
func (s Screen) Lines() string {
	s.Progress.Phase = ""
	lines := append([]string{rule("ingot", s.Name)}, s.about()...)
	lines = append(lines, "")
	lines = append(lines, s.headline()...)
	lines = append(lines, rule("", "Enter: menu"))
	for i, l := range lines {
		lines[i] = cut(l, columns-1)
	}
	return strings.Join(lines, "\n")
}

// A desk is where one person works at a time, whatever the number of consoles.
type desk struct {
	mu   sync.Mutex
	path string // of the console; "" for none
}

// take returns which console has it already, "" when it was free.
func (d *desk) take(path string) (by string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.path != "" && d.path != path {
		return d.path
	}
	d.path = path
	return ""
}

func (d *desk) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.path = ""
}

// other is the console where somebody works, unless that is path.
func (d *desk) other(path string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.path == path {
		return ""
	}
	return d.path
}
