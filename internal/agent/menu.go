package agent

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// choice is a line of the menu.
type choice struct {
	title string
	work  bool // on disks: one person at a time, and no job of the server meanwhile
	do    func(context.Context, *terminal) error
}

func (a *Agent) choices() []choice {
	return []choice{
		{"Deploy an image onto a disk", true, a.deployMenu},
		{"Capture a disk as an image", true, a.captureMenu},
		{"Clone a disk onto another disk", true, a.cloneMenu},
		{"Compare a disk with an image", true, a.compareMenu},
		{"Disks: what is here", false, a.disksMenu},
		{"Network", false, a.networkMenu},
		{"Log", false, a.logMenu},
		{"Shell", false, a.shellMenu},
		{"Restart", false, func(ctx context.Context, t *terminal) error { return a.powerMenu(ctx, t, wire.Reboot) }},
		{"Switch off", false, func(ctx context.Context, t *terminal) error { return a.powerMenu(ctx, t, wire.Shutdown) }},
	}
}

// menu asks what to do until somebody goes back. An error is one of the terminal.
func (a *Agent) menu(ctx context.Context, t *terminal) error {
	choices := a.choices()
	for ctx.Err() == nil {
		t.clear()
		t.print("%s\n\n", rule("ingot", "menu"))
		for i, c := range choices {
			t.print("  %2d  %s\n", i+1, c.title)
		}
		answer, err := t.ask("\nNumber, or Enter to go back:")
		if errors.Is(err, errLeft) || err == nil && answer == "" {
			return nil
		}
		if err != nil {
			return err
		}
		i, ok := number(answer, len(choices))
		if !ok {
			continue
		}
		if err := a.choose(ctx, t, choices[i]); err != nil {
			return err
		}
	}
	return nil
}

// number reads a number from 1 to n and returns it less one.
func number(answer string, n int) (int, bool) {
	value := 0
	for _, r := range answer {
		if r < '0' || r > '9' || value > n {
			return 0, false
		}
		value = value*10 + int(r-'0')
	}
	return value - 1, answer != "" && value >= 1 && value <= n
}

// errBack ends a dialogue without a word.
var errBack = errors.New("back")

// choose runs a line of the menu. What goes wrong in it is shown.
func (a *Agent) choose(ctx context.Context, t *terminal, c choice) error {
	t.clear()
	t.print("%s\n\n", rule(c.title, ""))
	if c.work {
		if why := a.begin(ctx, t); why != "" {
			t.print("%s\n", why)
			return a.pause(t)
		}
		defer a.end(ctx)
	}
	err := c.do(ctx, t)
	switch {
	case errors.Is(err, errBack), errors.Is(err, errLeft):
		return nil
	case isTerminal(err):
		return err
	case err != nil:
		t.print("\n%s\n", strings.TrimSpace(err.Error()))
	}
	return a.pause(t)
}

// isTerminal tells errors of the terminal itself, after which nobody can be asked.
func isTerminal(err error) bool {
	var path *os.PathError
	return errors.As(err, &path) && (path.Op == "read" || path.Op == "set deadline") && strings.HasPrefix(path.Path, "/dev/")
}

// begin makes sure that nobody else works on the disks; it says who does.
func (a *Agent) begin(ctx context.Context, t *terminal) (why string) {
	if s, _ := a.board.look(); s.Phase == Working {
		return "A job of the server is running. Stop it there first."
	}
	if by := a.desk.take(t.Path); by != "" {
		return "Somebody is at work on " + by + "."
	}
	a.post(ctx, localWork{true})
	return ""
}

func (a *Agent) end(ctx context.Context) {
	a.desk.leave()
	a.post(ctx, localWork{false})
	_ = a.look(ctx) // it tells
}

func (a *Agent) pause(t *terminal) error {
	_, err := t.ask("\nEnter to go on:")
	if errors.Is(err, errLeft) {
		return nil
	}
	return err
}

func (a *Agent) disksMenu(ctx context.Context, t *terminal) error {
	return a.ingot(ctx, t, nil, "disks")
}

func (a *Agent) networkMenu(ctx context.Context, t *terminal) error {
	s, _ := a.board.look()
	t.print("%s\n", field("Address", s.address()))
	for _, n := range s.Machine.NICs {
		t.print("%s\n", field("", strings.Join(strings.Fields(n.Name+" "+n.MAC+" driver "+n.Driver), " ")))
	}
	server := s.Server
	if server == "" {
		server = "none"
	}
	t.print("%s\n", field("Server", server))
	if s.Trouble != "" {
		t.print("%s\n", field("", s.Trouble))
	}
	if b, err := os.ReadFile("/etc/resolv.conf"); err == nil {
		t.print("%s\n", field("Names", strings.Join(strings.Fields(string(b)), " ")))
	}
	return nil
}

func (a *Agent) logMenu(_ context.Context, t *terminal) error {
	s, _ := a.board.look()
	for _, l := range s.Log[max(0, len(s.Log)-100):] {
		t.print("%s\n", cut(l, 400))
	}
	return nil
}

func (a *Agent) shellMenu(ctx context.Context, t *terminal) error {
	t.print("'exit' goes back to the menu. 'ingot --help' lists what the program can do.\n\n")
	_ = t.run(ctx, nil, "/bin/sh")
	return errBack
}

func (a *Agent) powerMenu(ctx context.Context, t *terminal, then wire.Then) error {
	if s, _ := a.board.look(); s.Phase == Working {
		t.print("A job is running: %s %s\nWhen it is cut off, its disk may be left unfinished.\n", s.Job.Kind, s.Job.Title)
	}
	if err := t.confirm(); err != nil {
		return err
	}
	a.post(ctx, power{then})
	return errBack
}

// confirm wants the whole word.
func (t *terminal) confirm() error {
	answer, err := t.ask("Type 'yes' to go on, Enter to go back:")
	if err == nil && answer != "yes" {
		err = errBack
	}
	return err
}
