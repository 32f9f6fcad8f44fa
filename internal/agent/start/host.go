package start

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/agent"
)

// host is the machine that process 1 made, as the agent sees it.
type host struct {
	params  map[string]string // of the kernel's command line
	network *Network
	beat    *os.File
	strikes strikes
}

// Agent is the agent under process 1: it does the rest of the start, drivers for
// all devices, network, clock, and is an agent meanwhile and from then on. It
// returns an exit code.
func Agent(version string) int {
	line, err := os.ReadFile("/proc/cmdline")
	h := &host{params: Params(string(line)), beat: os.NewFile(beatFD, "beat"), strikes: openStrikes()}
	config, cerr := agent.ReadConfig(os.DirFS("/"), h.params)
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	a := agent.New(agent.Options{
		Version: version, Boot: strings.TrimSpace(string(boot)), Config: config, Program: []string{"/proc/self/exe"}, Root: os.DirFS("/"), Work: "/run/ingot/work",
		Host: h, Consoles: consolesForAgent(),
	})
	for _, err := range []error{err, cerr} {
		if err != nil {
			a.Log(err.Error())
		}
	}
	static, err := ParseIP(h.params["ip"])
	if err != nil {
		a.Log(err.Error() + "; DHCP is used instead")
	}
	ctx := context.Background()
	h.network = NewNetwork(static, a.Log, a.Changed)
	go h.network.Run(ctx) // it finds interfaces as their drivers come
	go func() {
		h.drive(ctx, a)
		a.Log(fmt.Sprintf("all devices have drivers, %.1f s after the kernel began", uptime()))
		a.Ready()
	}()
	go h.keys()
	if err := a.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func consolesForAgent() []agent.Console {
	var all []agent.Console
	for _, c := range Consoles() {
		all = append(all, agent.Console{Path: c.Path, Serial: c.Serial})
	}
	return all
}

// drive loads the drivers of all devices and returns when those that are there at
// power-on have theirs.
func (h *host) drive(ctx context.Context, a *agent.Agent) {
	l, err := NewLoader()
	if err != nil {
		a.Log(fmt.Sprintf("modules: %v", err))
	}
	if l == nil {
		return
	}
	l.DriveAll(ctx, a.Log, func(subsystem string) {
		if subsystem == "block" || subsystem == "net" {
			a.Changed()
		}
	})
	if err := MountEFI(); err != nil {
		a.Log(err.Error())
	}
	// A watchdog in hardware was loaded for its device. Where there is none, the
	// kernel's own at least notices that process 1 hangs.
	if _, err := os.Stat("/dev/watchdog"); err != nil {
		if err := l.Load("softdog"); err != nil {
			a.Log(err.Error())
		}
	}
}

// uptime is how long the kernel has been running, in seconds.
func uptime() float64 {
	var seconds float64
	if b, err := os.ReadFile("/proc/uptime"); err == nil {
		_, _ = fmt.Sscan(string(b), &seconds)
	}
	return seconds
}

// keys does what process 1 hands on: Ctrl-Alt-Del, and a power button.
func (h *host) keys() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR2)
	if <-signals == syscall.SIGINT {
		Restart()
	}
	PowerOff()
}

// Addresses are those that the machine has now, by interface.
func (h *host) Addresses() map[string]string { return h.network.Addresses() }

// Restart restarts the machine.
func (h *host) Restart() { Restart() }

// PowerOff switches it off.
func (h *host) PowerOff() { PowerOff() }

// Beat says that the agent lives. It is called at least once a minute, by the
// goroutine whose life matters.
func (h *host) Beat() {
	_, _ = h.beat.Write([]byte{'.'})
}

// Works says that the agent does what it is for: restarts are counted anew.
func (h *host) Works() { h.strikes.clear() }

// maxSkew is how wrong a clock may be before it is set. Certificates and times in
// logs do not need better.
const maxSkew = 2 * time.Second

// SetClock sets the machine's clock when it is wrong. The clock of the firmware
// keeps what it has: some systems expect local time there.
func (h *host) SetClock(now time.Time) error {
	if d := time.Until(now); d.Abs() <= maxSkew {
		return nil
	}
	tv := unix.NsecToTimeval(now.UnixNano())
	if err := unix.Settimeofday(&tv); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	return nil
}
