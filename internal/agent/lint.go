package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

const (
	// lintMost bounds a look at a disk that was captured: its image is there already,
	// and the machine is waited for.
	lintMost = 3 * time.Minute
	// lintGrace is how long it may take to end in order: it only reads.
	lintGrace = 10 * time.Second
)

// lint looks a disk over that was captured, on behalf of its server, which often
// can mount nothing. A look that fails is a line of the log: the image is none the
// worse for it.
func (a *Agent) lint(ctx, jobCtx context.Context, disk string) json.RawMessage {
	lintCtx, cancel := context.WithTimeout(jobCtx, lintMost)
	defer cancel()
	report, err := a.child.lint(lintCtx, disk, func(line string) { a.tell(ctx, line) })
	if err != nil {
		a.tell(ctx, fmt.Sprintf("the image was made, but not looked over: %v", err))
	}
	return report
}

// lint returns what 'ingot lint --json' prints of a disk.
func (c child) lint(ctx context.Context, disk string, log func(string)) (json.RawMessage, error) {
	c.grace = lintGrace
	e := c.run(ctx, []string{"lint", disk, "--json"}, func(wire.Progress) {}, log)
	var s said
	readable := json.Unmarshal(e.output, &s) == nil
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, errors.New("it took too long")
	case ctx.Err() != nil:
		return nil, errors.New("interrupted")
	case e.code != wire.ExitDone || s.Error != "":
		return nil, errors.New(cmp.Or(printable(s.Error), unsaid(e)))
	case !readable:
		return nil, errors.New("what was found could not be read")
	case len(e.output) > wire.MaxLint:
		return nil, fmt.Errorf("what was found has %d bytes, more than %d", len(e.output), wire.MaxLint)
	}
	return e.output, nil
}
