package start

import (
	"os"
	"strings"
)

// Console is a place where people see and type: a screen with its keyboard, or a
// serial line.
type Console struct {
	Path   string // "/dev/tty1", "/dev/ttyS0"
	Serial bool
}

// Consoles are those that the kernel prints to; the screen when it names none.
func Consoles() []Console {
	b, _ := os.ReadFile("/proc/consoles")
	return parseConsoles(string(b))
}

// parseConsoles reads /proc/consoles, a line as "ttyS0  -W- (EC p a)  4:64" each.
// tty0 is whatever screen is in front: at this time the first.
func parseConsoles(text string) []Console {
	var all []Console
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case name == "" || strings.Contains(name, "/") || !strings.Contains(rest, "W"):
		case name == "tty0":
			all = append(all, Console{Path: "/dev/tty1"})
		default:
			all = append(all, Console{Path: "/dev/" + name, Serial: !isScreen(name)})
		}
	}
	if len(all) == 0 {
		all = []Console{{Path: "/dev/tty1"}}
	}
	return all
}

// isScreen knows tty1 to tty63.
func isScreen(name string) bool {
	digits, ok := strings.CutPrefix(name, "tty")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}
