package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A terminal is a console that is open. The kernel edits the lines that are typed.
type terminal struct {
	Console
	f       *os.File
	pending string // typed, and not ended by Enter yet
}

// openTerminal opens a console for reading with deadlines. It does not become
// anybody's controlling terminal: it must not send the agent signals.
func openTerminal(c Console) (*terminal, error) {
	f, err := os.OpenFile(c.Path, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return &terminal{Console: c, f: f}, nil
}

func (t *terminal) Close() error { return t.f.Close() }

// slow is how long a line without a reader, as a serial one with flow control, may
// keep a console waiting.
const slow = 5 * time.Second

func (t *terminal) print(format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\r\n")
	_ = t.f.SetWriteDeadline(time.Now().Add(slow))
	_, _ = t.f.WriteString(text)
}

// draw replaces what the screen shows.
func (t *terminal) draw(text string) {
	const home, toEndOfLine, toEndOfScreen = "\x1b[H", "\x1b[K", "\x1b[J"
	t.print("%s%s%s%s", home, strings.ReplaceAll(text, "\n", toEndOfLine+"\n"), toEndOfLine, toEndOfScreen)
}

func (t *terminal) clear() {
	if t.Serial {
		t.print("\n")
		return
	}
	t.print("\x1b[H\x1b[2J")
}

// awake keeps the kernel from darkening a screen that somebody watches from afar.
func (t *terminal) awake() {
	if !t.Serial {
		t.print("\x1b[9;0]\x1b[14;0]") // console_codes(4): blank and power down never
	}
}

// line waits for a line until the deadline, which the zero time is none of.
func (t *terminal) line(deadline time.Time) (string, error) {
	buf := make([]byte, 1024)
	for {
		if line, rest, ok := strings.Cut(t.pending, "\n"); ok {
			t.pending = rest
			return strings.TrimSpace(strings.ToValidUTF8(line, "")), nil
		}
		if err := t.f.SetReadDeadline(deadline); err != nil {
			return "", err
		}
		n, err := t.f.Read(buf)
		t.pending += strings.ReplaceAll(string(buf[:n]), "\r", "\n")
		if len(t.pending) > 4096 {
			t.pending = ""
		}
		if err != nil {
			return "", err
		}
	}
}

// errLeft says that somebody walked away in the middle of a question.
var errLeft = errors.New("nobody answered")

// patience is how long a question waits. A machine whose menu was left open must
// not stay away from its work for ever.
const patience = 10 * time.Minute

// ask asks for a line. "" is the answer of who only presses Enter.
func (t *terminal) ask(question string) (string, error) {
	t.print("%s ", question)
	answer, err := t.line(time.Now().Add(patience))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", errLeft
	}
	return answer, err
}

// run runs a program on the terminal, which is its own for the time: Ctrl-C ends
// the program and not the agent.
func (t *terminal) run(ctx context.Context, env []string, program ...string) error {
	tty, err := os.OpenFile(t.Path, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer tty.Close()
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	kind := "TERM=linux"
	if t.Serial {
		kind = "TERM=vt100"
	}
	cmd.Env = append(append(os.Environ(), kind), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	return runLocked(cmd)
}
