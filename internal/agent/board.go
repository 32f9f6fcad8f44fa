package agent

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// A board holds what all consoles show.
type board struct {
	mu      sync.Mutex
	screen  Screen
	lines   []string
	changed chan struct{} // closed, and made anew, at each change
}

// maxBoardLog is how many lines the menu's log has.
const maxBoardLog = 500

func newBoard() *board { return &board{changed: make(chan struct{})} }

// set changes the screen.
func (b *board) set(f func(*Screen)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.screen)
	close(b.changed)
	b.changed = make(chan struct{})
}

// log adds lines to the log, and to stderr, which process 1 keeps for the case that
// this process ends.
func (b *board) log(text string) {
	at := time.Now().Format("15:04:05 ")
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(text) {
		if line = printable(line); line != "" {
			b.lines = append(b.lines, at+line)
			fmt.Fprintln(os.Stderr, at+line)
		}
	}
	b.lines = b.lines[max(0, len(b.lines)-maxBoardLog):]
	close(b.changed)
	b.changed = make(chan struct{})
}

// look returns the screen and what is closed at its next change.
func (b *board) look() (Screen, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.screen
	s.Log = append([]string(nil), b.lines...)
	return s, b.changed
}
