// Package start makes a machine out of a kernel that has just started: file
// systems, modules for the devices that are there, network, clock, and a watchdog.
//
// It owns process 1 and everything that only a whole machine has. What the machine is
// for is package agent's business. Start at Init, which is process 1, and at Agent,
// which process 1 starts.
//
// The two are two processes of the same program. Process 1 mounts, starts the agent,
// inherits orphans, and feeds the watchdog; it holds so little that it does not fail. The agent
// may crash, or run out of memory: it is started again, and the kernel does not panic,
// as it does when process 1 ends. An agent that crashes over and over makes process
// 1 restart the machine, three times in a row and only where they can be counted.
package start

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// AgentLog is where the agent's own complaints go, and the one before's to
// AgentLog + ".1".
const AgentLog = "/run/ingot/agent.log"

// beatFD is the descriptor on which the agent says that it lives.
const beatFD = 3

// Init is process 1. It runs this program with args as the agent, for ever.
func Init(args ...string) {
	if err := mountAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	_ = unix.Sethostname([]byte("ingot"))
	unix.Umask(0o022)
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF) // Ctrl-Alt-Del is a signal to us
	quietKernel()
	if err := os.MkdirAll("/run/ingot", 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	// The kernel asks a program for modules as it needs them: us, see Modprobe.
	if self, err := os.Executable(); err == nil {
		_ = os.WriteFile("/proc/sys/kernel/modprobe", []byte(self), 0)
	}
	s := &supervisor{args: args, consoles: Consoles(), strikes: openStrikes()}
	for {
		s.guard()
	}
}

// guard runs the supervisor, and again after a mistake in it.
func (s *supervisor) guard() {
	defer func() {
		if p := recover(); p != nil {
			s.say("ingot: process 1 made a mistake and goes on: %v", p)
			time.Sleep(5 * time.Second)
		}
	}()
	s.run()
}

// quietKernel keeps all but errors of the kernel off the console, where people read.
func quietKernel() {
	const setLevel, errorsOnly = 8, 4 // SYSLOG_ACTION_CONSOLE_LEVEL of syslog(2)
	_, _ = unix.Klogctl(setLevel, make([]byte, errorsOnly))
}

// Modprobe is what the kernel runs when it misses a module: the program with the
// arguments -q -- NAME. It returns false when args are something else.
func Modprobe(args []string) (code int, ok bool) {
	if len(args) != 3 || args[0] != "-q" || args[1] != "--" {
		return 0, false
	}
	l, err := NewLoader()
	if err == nil {
		err = l.Load(args[2])
	}
	if err != nil {
		return 1, true
	}
	return 0, true
}
