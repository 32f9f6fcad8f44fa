package netboot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/loader"
)

// patience is how long a PC's screen may wait for a decision.
const patience = 2 * time.Second

// script makes the second text: what this machine starts, and why. Whatever goes
// wrong, it is a text that starts something.
func (s *Server) script(ctx context.Context, p loader.Program, m Machine) (text []byte, c Choice, err error) {
	if text, c, ok := s.boots.recent(m, p, time.Now()); ok {
		return text, c, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, cpio := s.choose(ctx, m)
	if c.Agent {
		b := s.boot(m, c.Why)
		if text, err = loader.Agent(p, b); err != nil {
			c = Choice{Why: "The server could not write what starts the agent: " + err.Error()}
		}
	}
	if !c.Agent {
		cpio = nil
		if text, err = loader.OwnDisk(p, s.boot(m, c.Why)); err != nil {
			return nil, c, err
		}
	}
	s.boots.put(m, p, text, c, cpio, s.files.builds.current(), time.Now())
	return text, c, nil
}

// choose asks who decides, and takes the own disk for any answer that is none.
func (s *Server) choose(ctx context.Context, m Machine) (Choice, []byte) {
	type answer struct {
		Choice
		cpio []byte
		err  error
	}
	answers := make(chan answer, 1) // so that one who does not heed ctx cannot hold up the PC
	go func() {
		c, err := s.chooser.Choose(ctx, m)
		a := answer{Choice: c, err: err}
		if err == nil && c.Agent {
			a.cpio, a.err = s.enroller.Secret(ctx, m)
		}
		answers <- a
	}()
	var a answer
	select {
	case a = <-answers:
	case <-ctx.Done():
		a.err = ctx.Err()
	}
	switch {
	case errors.Is(a.err, context.DeadlineExceeded):
		return Choice{Why: fmt.Sprintf("The server did not say within %v what to start.", patience)}, nil
	case a.err != nil:
		s.log.Error("netboot: no decision", "mac", m.MAC, "error", a.err)
		return Choice{Why: "The server failed to say what to start: its log has the reason."}, nil
	}
	return a.Choice, a.cpio
}

// boot is what a text for a machine says.
func (s *Server) boot(m Machine, why string) loader.Boot {
	args := s.config.Args
	if m.MAC != nil {
		args.Facts = append(args.Facts[:len(args.Facts):len(args.Facts)], loader.Fact{Name: "mac", Value: m.MAC.String()})
	}
	return loader.Boot{Server: s.config.Addr, HTTP: s.base() != "" && s.config.HTTPAddr.Port() == 80, Why: why, Args: args}
}
