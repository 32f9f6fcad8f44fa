package tool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Command is one run of a program.
type Command struct {
	Name  Name
	Args  []string // never a secret: they are shown in errors and in ps
	Stdin io.Reader
	Dir   string
	OK    []int     // exit codes beside 0 that are no failure
	Lines io.Writer // gets the output while the program runs; nil: nobody listens

	// Out gets standard output instead of Result.Output, for programs whose output
	// is data; nil: it is text.
	Out io.Writer

	// Files are open for the program as descriptors 3 and up.
	Files []*os.File
	// AtDeath is what a Daemon gets when this process dies; 0: SIGKILL.
	AtDeath syscall.Signal
}

// Result is what a program said.
type Result struct {
	Code   int
	Output string // standard output and error together, of it the last 64 KiB
}

// FailedError says that a program failed, with what it said last.
type FailedError struct {
	Command string
	Code    int // -1: it was ended by a signal
	Output  string
}

func (e *FailedError) Error() string {
	said := strings.TrimSpace(e.Output)
	if lines := strings.Split(said, "\n"); len(lines) > 6 {
		said = strings.Join(lines[len(lines)-6:], "\n")
	}
	return fmt.Sprintf("%s failed with exit code %d: %s", e.Command, e.Code, said)
}

// grace is how long a program that was asked to end may take for it.
const grace = 10 * time.Second

// Run runs c to its end. When ctx is done first, the program and what it started
// are asked to end, and ended.
func (c Command) Run(ctx context.Context) (Result, error) {
	cmd, tail, err := c.prepare(ctx)
	if err != nil {
		return Result{}, err
	}
	err = cmd.Run()
	return c.judge(ctx, cmd, tail, err)
}

func (c Command) prepare(ctx context.Context) (*exec.Cmd, *tailBuffer, error) {
	path, err := find(c.Name)
	if err != nil {
		return nil, nil, err
	}
	tail := &tailBuffer{}
	cmd := exec.CommandContext(ctx, path, c.Args...)
	cmd.Env = environment()
	cmd.Dir, cmd.Stdin, cmd.ExtraFiles = c.Dir, c.Stdin, c.Files
	var text io.Writer = tail
	if c.Lines != nil {
		text = io.MultiWriter(tail, c.Lines)
	}
	cmd.Stdout, cmd.Stderr = text, text
	if c.Out != nil {
		cmd.Stdout = c.Out
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that Ctrl-C reaches ingot, which ends it in order
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	return cmd, tail, nil
}

// environment is the same on every machine: English, names in UTF-8, no settings of the user.
func environment() []string {
	env := []string{"LC_ALL=C.UTF-8", "PATH=" + strings.Join(folders, ":"), "HOME=/root", "TERM=dumb", "MTOOLS_SKIP_CHECK=1"}
	if dir := os.Getenv("TMPDIR"); dir != "" {
		env = append(env, "TMPDIR="+dir)
	}
	return env
}

func (c Command) judge(ctx context.Context, cmd *exec.Cmd, tail *tailBuffer, err error) (Result, error) {
	r := Result{Output: tail.String()}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.Code = exit.ExitCode()
		if slices.Contains(c.OK, r.Code) {
			return r, nil
		}
		return r, &FailedError{string(c.Name) + " " + strings.Join(c.Args, " "), r.Code, r.Output}
	}
	if err != nil {
		return r, fmt.Errorf("run %s: %w", c.Name, err)
	}
	return r, nil
}

// tailSize is how much of a program's output is kept.
const tailSize = 64 << 10

// tailBuffer keeps the end of what is written to it.
type tailBuffer struct{ buf bytes.Buffer }

func (t *tailBuffer) Write(p []byte) (int, error) {
	t.buf.Write(p)
	if over := t.buf.Len() - 2*tailSize; over > 0 {
		t.buf.Next(over + tailSize)
	}
	return len(p), nil
}

func (t *tailBuffer) String() string {
	b := t.buf.Bytes()
	return string(b[max(0, len(b)-tailSize):])
}
