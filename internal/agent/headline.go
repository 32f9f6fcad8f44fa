package agent

import (
	"fmt"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// headline says what goes on, and what to do about it when somebody must.
func (s Screen) headline() []string {
	title, text := s.says()
	lines := []string{"  " + title}
	for _, t := range strings.Split(text, "\n") {
		for _, l := range wrap(t, columns-6) {
			if l != "" {
				lines = append(lines, "  "+l)
			}
		}
	}
	return lines
}

// says is the title in capitals, and sentences.
func (s Screen) says() (title, text string) {
	switch s.Phase {
	case Starting:
		return "STARTING", "Looking for disks and network interfaces."
	case NoNetwork:
		return "LOOKING FOR A NETWORK", s.noNetwork()
	case NoServer:
		return s.noServer()
	case Waiting:
		return "WAITING FOR APPROVAL", "The server knows this machine" + s.called() + ". Approve it on the server's page 'Machines', or with:\n  ingot --server " + s.Server + " machines approve " + s.approvable() + s.alsoTrouble()
	case Rejected:
		return "REJECTED", "Somebody decided on the server that this machine gets no work. Approve it there on the page 'Machines' if that was wrong." + s.alsoTrouble()
	case Ready:
		return "READY", "Waiting for work from the server." + s.alsoTrouble()
	case Working:
		return s.working()
	case Ended:
		return s.ended()
	case Leaving:
		return s.leaving()
	}
	text = "There is no server: use the menu to capture, deploy or clone."
	if s.Trouble != "" {
		text += "\n" + s.Trouble
	}
	return "STAND-ALONE", text
}

// leaving says what becomes of the machine, and first how its job ended.
func (s Screen) leaving() (title, text string) {
	title = "RESTARTING"
	switch s.Then {
	case wire.Shutdown:
		title = "SWITCHING OFF"
	case wire.LocalBoot:
		title = "RESTARTING FROM ITS OWN DISK"
	}
	if s.Result == nil {
		return title, ""
	}
	how, text := s.ended()
	return how, text + "\n" + title
}

func (s Screen) noNetwork() string {
	linked := false
	for _, n := range s.Machine.NICs {
		linked = linked || n.Link
	}
	switch {
	case len(s.Machine.NICs) == 0:
		return "No network interface is visible. The boot environment may lack its driver or firmware: the log in the menu says so."
	case !linked:
		return "No interface has a link. Is the cable plugged in, and the switch on?"
	}
	return "There is a link, and no DHCP server answers yet. It is asked again and again."
}

func (s Screen) noServer() (title, text string) {
	if s.Refused {
		return "THE SERVER REFUSES THIS MACHINE", s.Trouble + "\nIt is asked again and again. A machine that was started long before it asks must be started anew."
	}
	if s.Trouble == "" {
		return "LOOKING FOR THE SERVER", ""
	}
	return "THE SERVER DOES NOT ANSWER", s.Trouble + "\nIs 'ingot serve' running there, and may this network reach it? It is asked again and again."
}

func (s Screen) called() string {
	if s.Name == "" {
		return ""
	}
	return " as " + s.Name
}

func (s Screen) approvable() string {
	if s.Name == "" {
		return "NAME"
	}
	return s.Name
}

func (s Screen) alsoTrouble() string {
	if s.Trouble == "" {
		return ""
	}
	return "\nThe server does not answer at present (" + s.Trouble + "); it is asked again and again."
}

func (s Screen) working() (title, text string) {
	title = strings.TrimSpace(map[wire.Kind]string{
		wire.Deploy: "DEPLOYING", wire.Capture: "CAPTURING", wire.Verify: "COMPARING", wire.Wipe: "WIPING", wire.Look: "LOOKING AT THE MACHINE",
	}[s.Job.Kind] + " " + s.Job.Title)
	if s.Stopping {
		title += " - STOPPING"
	}
	text = s.Progress.Phase
	if s.Job.Kind == wire.Deploy || s.Job.Kind == wire.Wipe {
		text += "\nDo not switch the machine off."
	}
	return title, text + s.alsoTrouble()
}

// ended shows a failure as nothing else.
func (s Screen) ended() (title, text string) {
	what := strings.TrimSpace(map[wire.Kind]string{
		wire.Deploy: "DEPLOY OF", wire.Capture: "CAPTURE OF", wire.Verify: "COMPARISON WITH", wire.Wipe: "WIPE", wire.Look: "INVENTORY",
	}[s.Job.Kind] + " " + s.Job.Title)
	if s.Result == nil {
		return what, ""
	}
	r := s.Result
	switch r.Outcome {
	case wire.Done:
		title, text = "DONE: "+what, fmt.Sprintf("It took %s.", duration(r.Time.Total))
	case wire.Cancelled:
		title, text = "CANCELLED: "+what, "It was stopped from the server."
	default:
		title, text = "FAILED: "+what, r.Error+"\n"+r.Hint
	}
	if r.Outcome != wire.Done && (s.Job.Kind == wire.Deploy || s.Job.Kind == wire.Wipe) {
		text += "\n" + map[wire.TargetState]string{
			wire.Untouched:  "The disk is as it was.",
			wire.Unfinished: "The disk is NOT complete and does not start. The same deploy again finishes it.",
			wire.Complete:   "Everything was written to the disk, and is what it should be.",
		}[r.Target]
	}
	if s.Untold {
		text += "\nThe server does not know this yet. Do not switch the machine off." + s.alsoTrouble()
	}
	return title, text
}

// bar is a line of progress, "" when nothing runs.
func (s Screen) bar() string {
	if s.Phase != Working || s.Progress.Total <= 0 {
		return ""
	}
	p := s.Progress
	done := min(p.Done, p.Total)
	const width = 16
	full := int(float64(done) / float64(p.Total) * width)
	line := fmt.Sprintf("[%s%s] %3.0f %%  %s of %s", strings.Repeat("#", full), strings.Repeat(".", width-full), float64(done)/float64(p.Total)*100, size(done), size(p.Total))
	if p.Rate > 0 {
		line += fmt.Sprintf("  %s/s", size(p.Rate))
	}
	if p.Left >= 0 {
		line += "  " + duration(float64(p.Left)) + " left"
	}
	return line
}

// duration is a time for people, in seconds.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
