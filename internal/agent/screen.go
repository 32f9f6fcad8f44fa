package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Phase is what a screen is about.
type Phase int

// Phases.
const (
	Starting  Phase = iota
	NoNetwork       // no address yet
	NoServer        // an address, and no answer
	Waiting         // for approval
	Rejected
	Ready   // for work
	Working // on Job
	Ended   // Result is there
	Leaving // restarts or switches off
	Alone   // there is no server
)

// Screen is what people at the machine are shown.
type Screen struct {
	Phase     Phase
	Machine   wire.Inventory
	Addresses map[string]string // by interface
	Server    string
	Name      string // that the server gives the machine
	Trouble   string // with the server, "" for none
	Refused   bool   // the server answered, and said no
	Job       *wire.Job
	Progress  wire.Progress
	Stopping  bool
	Result    *wire.Result
	Untold    bool // the server does not know Result yet
	Then      wire.Then
	Log       []string
	Busy      string // which other console is at work; "" for none
}

// Size of a screen in characters: a PC's text mode.
const (
	columns = 80
	rows    = 25
)

// Text draws a screen of 80 by 25 characters at most.
func (s Screen) Text() string {
	var lines []string
	lines = append(lines, rule("ingot", s.Name))
	lines = append(lines, s.about()...)
	lines = append(lines, "")
	lines = append(lines, s.headline()...)
	if bar := s.bar(); bar != "" {
		lines = append(lines, "", "  "+bar)
	}
	foot := "Enter: menu"
	if s.Busy != "" {
		foot = "Somebody is at work on " + s.Busy + ". " + foot
	}
	lines = lines[:min(len(lines), rows-2)]
	if room := rows - 3 - len(lines); room > 1 && len(s.Log) > 0 {
		lines = append(lines, "")
		for _, l := range s.Log[max(0, len(s.Log)-room+1):] {
			lines = append(lines, "  "+l)
		}
	}
	for len(lines) < rows-2 {
		lines = append(lines, "")
	}
	lines = append(lines, rule("", foot))
	for i, l := range lines {
		lines[i] = cut(l, columns-1)
	}
	return strings.Join(lines, "\n")
}

// rule is a line across the screen with words in it.
func rule(left, right string) string {
	if left != "" {
		left = "-- " + left + " "
	}
	if right != "" {
		right = " " + right + " --"
	}
	return left + strings.Repeat("-", max(0, columns-1-len([]rune(left))-len([]rune(right)))) + right
}

// about says what the machine is.
func (s Screen) about() []string {
	m := s.Machine
	what := strings.Join(strings.Fields(m.Maker+" "+m.Model), " ")
	if m.Version != "" {
		what += ", " + m.Version
	}
	if m.Serial != "" {
		what += ", serial " + m.Serial
	}
	if what == "" {
		what = "a machine that does not say what it is"
	}
	lines := []string{field("Machine", what)}
	lines = append(lines, field("", strings.Join(s.parts(), ", ")))
	lines = append(lines, field("Address", s.address()))
	if s.Server != "" {
		lines = append(lines, field("Server", s.Server))
	}
	label := "Disks"
	for i, d := range m.Disks {
		if i == 5 && len(m.Disks) > 6 {
			lines = append(lines, field("", fmt.Sprintf("and %d more", len(m.Disks)-i)))
			break
		}
		lines = append(lines, field(label, diskLine(d)))
		label = ""
	}
	if len(m.Disks) == 0 {
		lines = append(lines, field(label, "none is visible"))
	}
	for _, n := range m.Notes {
		for i, l := range wrap(n, columns-12) {
			lines = append(lines, field([]string{"Note", ""}[min(i, 1)], l))
		}
	}
	return lines
}

// parts are what is in the machine.
func (s Screen) parts() []string {
	m := s.Machine
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if m.Memory > 0 {
		add(size(m.Memory))
	}
	add(map[string]string{"uefi": "UEFI", "bios": "BIOS"}[m.Firmware])
	if m.SecureBoot != "" {
		add("Secure Boot " + m.SecureBoot)
	}
	add(m.CPU) // makers put much into it
	return parts
}

func (s Screen) address() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(s.Addresses)) {
		all = append(all, name+" "+s.Addresses[name])
	}
	for _, n := range s.Machine.NICs {
		if s.Addresses[n.Name] != "" {
			continue
		}
		state := "no address yet"
		if !n.Link {
			state = "no cable"
		}
		all = append(all, fmt.Sprintf("%s %s (%s)", n.Name, n.MAC, state))
	}
	if len(all) == 0 {
		return "no network interface is visible"
	}
	return strings.Join(all, ", ")
}

func diskLine(d wire.Disk) string {
	words := []string{d.Path, size(d.Size)}
	if strings.HasPrefix(d.Health, "failing") {
		words = append(words, "FAILING")
	}
	for _, w := range []string{d.Model, d.Serial} {
		if w != "" {
			words = append(words, w)
		}
	}
	line := strings.Join(words, "  ")
	if d.Holds != "" {
		line += "  " + d.Holds
	}
	return line
}

func field(label, text string) string { return fmt.Sprintf("  %-8s %s", label, text) }

// size is a number of bytes for people.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, i := float64(n)/unit, 0
	for ; value >= unit && i < 4; i++ {
		value /= unit
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[i])
}

// cut shortens a line to n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return strings.TrimRight(string(r[:n-3]), " ") + "..."
	}
	return strings.TrimRight(s, " ")
}

// wrap breaks text into lines of at most n characters between words.
func wrap(text string, n int) []string {
	var lines []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(w)) > n {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(lines, line)
}
