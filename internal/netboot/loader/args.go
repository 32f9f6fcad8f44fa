package loader

import (
	"fmt"
	"regexp"
	"strings"
)

// Args is the kernel's command line. Everybody on the PC can read it, and it is
// sent in the clear: it holds public facts alone.
type Args struct {
	Console []string // "tty0", "ttyS0,115200"; the last one is /dev/console; nil: both of these
	Verbose bool     // all messages of the kernel
	Facts   []Fact   // for the agent
}

// Fact is one thing the agent is told: "ingot.Name=Value".
type Fact struct{ Name, Value string }

var (
	factName  = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	factValue = regexp.MustCompile(`^[A-Za-z0-9._:/,@%+\[\]-]{1,200}$`)
	console   = regexp.MustCompile(`^(tty[0-9]+|ttyS[0-9]+(,[0-9]{1,7}[noe]?[78]?r?)?)$`)
)

// maxLine is below COMMAND_LINE_SIZE of every x86 kernel (2048).
const maxLine = 1900

// line is the command line, or an error that names what may not be on it.
func (a Args) line() (string, error) {
	consoles := a.Console
	if consoles == nil {
		consoles = []string{"tty0", "ttyS0,115200"}
	}
	var words []string
	for _, c := range consoles {
		if !console.MatchString(c) {
			return "", fmt.Errorf("console %q: want one like tty0 or ttyS0,115200", c)
		}
		words = append(words, "console="+c)
	}
	if !a.Verbose {
		words = append(words, "quiet")
	}
	words = append(words, "panic=30") // seconds until a kernel that died starts the PC again
	for _, f := range a.Facts {
		if !factName.MatchString(f.Name) || !factValue.MatchString(f.Value) {
			return "", fmt.Errorf("kernel argument ingot.%s=%q has characters that may not be on a command line", Plain(f.Name), f.Value)
		}
		words = append(words, "ingot."+f.Name+"="+f.Value)
	}
	line := strings.Join(words, " ")
	if len(line) > maxLine {
		return "", fmt.Errorf("kernel command line of %d bytes: more than %d", len(line), maxLine)
	}
	return line, nil
}
