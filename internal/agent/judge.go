package agent

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// An exit is how a child ended.
type exit struct {
	code   int    // -1: by a signal
	signal string // "killed"
	output []byte // what it printed to stdout; nil when that was too much
	last   string // of its log
	never  bool   // it did not even begin
	time   wire.Time
}

// said is what 'ingot --json' prints: a result, or a complaint. All of it is
// optional.
type said struct {
	// Of a complaint.
	Error  string           `json:"error"`
	Hints  []string         `json:"hints"`
	Target wire.TargetState `json:"target"`
	Retry  bool             `json:"retry"`
	// Of a capture.
	ID         string `json:"id"`
	Name       string `json:"name"`
	Unreadable int64  `json:"unreadableBytes"`
}

// maxDetail bounds what of a command's output goes to the server.
const maxDetail = 1 << 20

// judge turns the end of a child into the result of its job. Done is only what ended
// with code 0 and printed its result; everything else failed.
func judge(kind wire.Kind, e exit) wire.Result {
	var s said
	printed := json.Unmarshal(e.output, &s) == nil
	r := wire.Result{Exit: e.code, Outcome: wire.Failed, Target: wire.Untouched, Error: s.Error, Hint: strings.Join(s.Hints, "\n"), Retry: s.Retry, Time: e.time}
	if printed && len(e.output) <= maxDetail {
		r.Detail = e.output
	}
	writes := kind == wire.Deploy || kind == wire.Wipe
	switch {
	case e.code == wire.ExitDone && printed && s.Error == "":
		r.Outcome = wire.Done
		if writes {
			r.Target = wire.Complete
		}
	case writes && !e.never:
		r.Target = target(s)
	}
	if kind == wire.Capture {
		r.Image, r.Name = s.ID, s.Name
	}
	if r.Outcome == wire.Done {
		return r
	}
	if r.Error == "" {
		r.Error = unsaid(e)
	}
	if kind == wire.Capture && e.code == wire.ExitUnreadable {
		// An image was made, and it is not what is on the disk: nobody asked for that.
		r.Error = fmt.Sprintf("%d bytes of the disk could not be read, or files changed meanwhile; the image %s was made and has zeros in their place", s.Unreadable, s.Name)
		r.Hint = "Look at the disk's health. Delete the image if it is of no use."
	}
	return r
}

// target is what a command that failed left on its disk. It says so once it has
// begun to write; one that crashed says nothing, and is taken for one that wrote.
func target(s said) wire.TargetState {
	switch {
	case s.Target != "":
		return s.Target
	case s.Error == "":
		return wire.Unfinished
	}
	return wire.Untouched
}

// unsaid describes an end without words.
func unsaid(e exit) string {
	what := fmt.Sprintf("the command ended with code %d and did not say why", e.code)
	if e.signal != "" {
		what = fmt.Sprintf("the command was ended from outside (%s); when nobody did that, the machine has too little memory", e.signal)
	}
	if e.code == wire.ExitDone {
		what = "the command ended well and did not say what it did"
	}
	if e.last != "" {
		what += ": " + e.last
	}
	return what
}
