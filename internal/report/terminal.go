package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// terminal redraws one picture in place.
type terminal struct {
	w     io.Writer
	size  func() (width, height int)
	lines int // of the picture that stands there
}

// newTerminal returns nil when w is no terminal that can move its cursor.
func newTerminal(w io.Writer) *terminal {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	size := func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil || width <= 0 || height <= 0 { // a serial console does not know
			return 80, 24
		}
		return width, height
	}
	return &terminal{w: f, size: size}
}

func (t *terminal) every() time.Duration { return 200 * time.Millisecond }

// draw replaces the picture in one write, so that it does not flicker. Sequences
// are those of ECMA-48: CPL (cursor to the start of a line above), EL and ED
// (erase to the end of the line, of the screen).
func (t *terminal) draw(f frame, _ bool) {
	if len(f.stages) == 0 {
		return
	}
	var b bytes.Buffer
	if t.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dF", t.lines)
	}
	width, height := t.size()
	lines := picture(f, width, height-1)
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	t.lines = len(lines)
	t.w.Write(b.Bytes())
}
