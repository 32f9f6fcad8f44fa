package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

const (
	// stopGrace is how long a child may take to end in order.
	stopGrace = 60 * time.Second
	// maxOutput bounds what is kept of its result, maxLine what of a line.
	maxOutput = 4 << 20
	maxLine   = 2000
)

// A child is one run of this program. It ends with the agent, however that ends: a
// new agent must not find a stranger writing to its disk.
type child struct {
	program []string
	env     []string // besides the agent's own
	grace   time.Duration
}

// told is a line of a child's stderr with --progress json.
type told struct {
	Progress *wire.Progress `json:"progress"`
	Log      string         `json:"log"`
	Time     *wire.Time     `json:"time"`
}

// ears hear what a child says. They are called by one goroutine.
type ears struct {
	progress func(wire.Progress)
	log      func(string)
	time     func(wire.Time) // where the time of a part of its work went
}

// run runs the program with args until it ends. When ctx is done it is asked to end as
// by Ctrl-C, and after a time ended. What it says goes to progress and log.
func (c child) run(ctx context.Context, args []string, progress func(wire.Progress), log func(string)) exit {
	all := append(c.program[1:len(c.program):len(c.program)], args...)
	cmd := exec.CommandContext(ctx, c.program[0], all...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = c.grace
	out := &bounded{most: maxOutput}
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = out, write
	e, began := exit{}, time.Now()
	listened := make(chan struct{})
	go func() {
		defer close(listened)
		listen(read, ears{
			progress: progress,
			log:      func(line string) { e.last = line; log(line) },
			time:     func(t wire.Time) { e.time.Network += t.Network; e.time.Disk += t.Disk },
		})
	}()
	err := runLocked(cmd)
	write.Close()
	<-listened
	e.time.Total = time.Since(began).Seconds()
	e.time.Network, e.time.Disk = min(e.time.Network, e.time.Total), min(e.time.Disk, e.time.Total)
	if cmd.ProcessState != nil { // what it and the programs that it ran used, see wait4(2)
		e.time.CPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	}
	e.output = out.bytes()
	var exited *exec.ExitError
	switch {
	case errors.As(err, &exited):
		e.code = exited.ExitCode()
		if status, ok := exited.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			e.code, e.signal = -1, status.Signal().String()
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it started and left
	case err != nil && cmd.ProcessState == nil:
		e.code, e.last, e.never = wire.ExitFailed, err.Error(), true
	case ctx.Err() != nil && cmd.ProcessState != nil:
		e.code = cmd.ProcessState.ExitCode()
	}
	if ctx.Err() != nil && (e.code == -1 || e.never) {
		e.code = wire.ExitInterrupted // it was asked to, and did not do it in order
	}
	return e
}

// listen takes lines apart until r ends.
func listen(r io.Reader, to ears) {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a line that nobody reads
			_, err = lines.ReadSlice('\n')
		}
		if text := strings.TrimSpace(string(line)); text != "" {
			to.hear(text, long)
		}
		if err != nil {
			_, _ = io.Copy(io.Discard, r)
			return
		}
	}
}

func (to ears) hear(line string, long bool) {
	var t told
	if !long && line[0] == '{' && json.Unmarshal([]byte(line), &t) == nil && (t.Progress != nil || t.Log != "" || t.Time != nil) {
		if t.Progress != nil {
			to.progress(clean(*t.Progress))
		}
		if t.Time != nil {
			to.time(wire.Time{Network: max(t.Time.Network, 0), Disk: max(t.Time.Disk, 0)})
		}
		line = t.Log
	}
	if line = printable(line); line != "" {
		to.log(line)
	}
}

// clean keeps numbers that a display can work with.
func clean(p wire.Progress) wire.Progress {
	p.Phase = printable(p.Phase)
	for _, n := range []*int64{&p.Done, &p.Total, &p.Rate, &p.Fetched, &p.Written, &p.Same} {
		*n = max(*n, 0)
	}
	p.Left = max(p.Left, -1)
	return p
}

// printable is one line of text without control characters, of at most maxLine
// bytes.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfffd:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > maxLine {
		s = strings.ToValidUTF8(s[:maxLine], "") + "..."
	}
	return strings.TrimSpace(s)
}

// bounded keeps what is written unless that is more than most bytes; then nothing.
type bounded struct {
	most int
	buf  bytes.Buffer
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.over = b.over || b.buf.Len()+len(p) > b.most; b.over {
		b.buf = bytes.Buffer{}
		return len(p), nil
	}
	return b.buf.Write(p)
}

func (b *bounded) bytes() []byte { return bytes.TrimSpace(b.buf.Bytes()) }
