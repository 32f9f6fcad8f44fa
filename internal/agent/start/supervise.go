package start

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// hung is how long an agent may say nothing until it counts as hung.
	hung = 2 * time.Minute
	// crashes is how many times in a row an agent may fail before the machine is
	// restarted; one that ran for steady counts anew.
	crashes = 4
	steady  = 10 * time.Minute
	tick    = 5 * time.Second
)

// A supervisor keeps an agent running.
type supervisor struct {
	args     []string
	consoles []Console
	strikes  strikes
	dog      watchdog
	failed   int // in a row
}

// run starts the agent and waits for its end, and again.
func (s *supervisor) run() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2)
	for {
		began := time.Now()
		why := s.once(signals)
		if time.Since(began) > steady {
			s.failed = 0
		}
		s.failed++
		s.say("ingot: the agent %s. Its last words:\n%s", why, indent(lastWords(AgentLog, 15)))
		if s.failed >= crashes && s.strikes.may() {
			s.say("ingot: the agent failed %d times in a row: this machine restarts.", s.failed)
			time.Sleep(10 * time.Second)
			s.strikes.add()
			Restart()
		}
		wait := min(time.Duration(1<<min(s.failed, 6))*time.Second, time.Minute)
		s.say("ingot: it is started again in %v.", wait)
		s.reap(time.Now().Add(wait), 0)
	}
}

// once runs one agent to its end and says how it ended.
func (s *supervisor) once(signals <-chan os.Signal) string {
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Sprintf("could not be started: %v", err)
	}
	defer read.Close()
	pid, err := s.start(write)
	write.Close()
	if err != nil {
		return fmt.Sprintf("could not be started: %v", err)
	}
	beats := make(chan struct{}, 1)
	go listenTo(read, beats)
	last, killed := time.Now(), false
	for {
		if status := s.reap(time.Now().Add(tick), pid); status != nil {
			return ended(*status, killed)
		}
		select {
		case <-beats:
			last = time.Now()
			s.dog.feed()
		default:
		}
		select {
		case sig := <-signals:
			_ = unix.Kill(pid, sig.(syscall.Signal)) // it knows what Ctrl-Alt-Del and a power button mean
		default:
		}
		if time.Since(last) > hung {
			sig := unix.SIGQUIT // Go's goroutines tell where they are
			if killed {
				sig = unix.SIGKILL
			}
			killed, last = true, time.Now().Add(-hung+10*time.Second)
			_ = unix.Kill(pid, sig)
		}
	}
}

// start starts the agent in a session of its own, its complaints in AgentLog.
func (s *supervisor) start(beat *os.File) (int, error) {
	_ = os.Rename(AgentLog, AgentLog+".1")
	log, err := os.OpenFile(AgentLog, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	env := append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "GOTRACEBACK=all")
	return syscall.ForkExec("/proc/self/exe", append([]string{os.Args[0]}, s.args...), &syscall.ProcAttr{
		Env:   env,
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd(), beat.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

// listenTo turns what the agent writes into beats.
func listenTo(f *os.File, beats chan<- struct{}) {
	buf := make([]byte, 64)
	for {
		if n, err := f.Read(buf); n == 0 || err != nil {
			return
		}
		select {
		case beats <- struct{}{}:
		default:
		}
	}
}

// reap collects processes that ended until the deadline, all of which are process
// 1's when their parents are gone. It returns early when pid is among them.
func (s *supervisor) reap(deadline time.Time, pid int) *unix.WaitStatus {
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		switch {
		case got == pid && got > 0:
			return &status
		case got > 0 || errors.Is(err, unix.EINTR):
			continue
		}
		if !time.Now().Before(deadline) {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// ended says how a process ended.
func ended(status unix.WaitStatus, hung bool) string {
	switch {
	case hung:
		return "did not answer and was ended"
	case status.Signaled():
		return fmt.Sprintf("was ended by signal %d (%v)", status.Signal(), status.Signal())
	}
	return fmt.Sprintf("ended with code %d", status.ExitStatus())
}

// say tells all consoles.
func (s *supervisor) say(format string, args ...any) {
	text := "\r\n" + strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\r\n") + "\r\n"
	for _, c := range s.consoles {
		if f, err := os.OpenFile(c.Path, os.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0); err == nil {
			_ = f.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = f.WriteString(text)
			f.Close()
		}
	}
}

func indent(lines []string) string { return "  " + strings.Join(lines, "\n  ") }

// lastWords returns what a log says of its writer's end: n lines from where Go begins
// to tell of a mistake, before all the goroutines, or else the last ones.
func lastWords(path string, n int) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	const most = 1 << 20
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	b, _ := io.ReadAll(io.LimitReader(f, most))
	lines := strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' })
	for i, l := range slices.Backward(lines) {
		if strings.HasPrefix(l, "panic: ") || strings.HasPrefix(l, "fatal error: ") || strings.HasPrefix(l, "SIGQUIT: ") {
			return lines[i:min(len(lines), i+n)]
		}
	}
	return lines[max(0, len(lines)-n):]
}
