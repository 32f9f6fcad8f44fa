package bootcfg

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Form is the language of a file that holds kernel command lines.
type Form int

const (
	GRUB     Form = iota // grub.cfg: arguments of the command linux
	BLS                  // Boot Loader Specification: the line options
	Extlinux             // extlinux.conf, syslinux.cfg: lines append
	Plain                // /etc/kernel/cmdline: the text is the command line
	Refind               // refind_linux.conf: "title" "arguments" on each line
)

// safeArg are arguments that mean the same to GRUB, to a shell and to every other
// reader, quoted or not.
var safeArg = regexp.MustCompile(`^[A-Za-z0-9_.,:=/@%+~^!-]+$`)

// CheckArgs refuses what would need quotes in one of the places where kernel
// arguments stand.
func CheckArgs(args []string) error {
	for _, arg := range args {
		if !safeArg.MatchString(arg) {
			return fmt.Errorf("the kernel argument %q has a character that is not one of A-Z a-z 0-9 _ . , : = / @ %% + ~ ^ ! -", arg)
		}
	}
	return nil
}

// AddArgs adds arguments to every command line of text that has them not. They
// come last, where they win.
func AddArgs(text []byte, form Form, args []string) []byte {
	if form == Plain {
		line := strings.TrimRight(string(text), " \t\r\n")
		return []byte(appendArgs(line, args) + string(text)[len(line):])
	}
	lines := strings.SplitAfter(string(text), "\n")
	for i, line := range lines {
		body := strings.TrimRight(line, " \t\r\n")
		lines[i] = addTo(body, form, args) + line[len(body):]
	}
	return []byte(strings.Join(lines, ""))
}

// addTo adds to one line, if it is a command line.
func addTo(body string, form Form, args []string) string {
	words := strings.Fields(body)
	if len(words) == 0 {
		return body
	}
	switch form {
	case GRUB:
		if len(words) < 2 || !slices.Contains([]string{"linux", "linux16", "linuxefi"}, words[0]) || !isKernel(words) {
			return body
		}
	case BLS:
		if words[0] != "options" || slices.Contains(words, "$kernelopts") { // which are in GRUB's environment
			return body
		}
	case Extlinux:
		if !strings.EqualFold(words[0], "append") {
			return body
		}
	case Refind:
		if !strings.HasPrefix(words[0], `"`) || !strings.HasSuffix(body, `"`) || strings.Count(body, `"`) != 4 {
			return body
		}
		open := strings.LastIndex(body[:len(body)-1], `"`) + 1
		return body[:open] + appendArgs(body[open:len(body)-1], args) + `"`
	}
	return appendArgs(body, args)
}

// rootArgs are arguments about the root's file system.
var rootArgs = regexp.MustCompile(`([ \t"'=])(?:rootflags|rootfstype)=[^ \t\r\n"']*[ \t]?`)

// DropRootArgs removes arguments that only the root's old file system understands:
// its type, and its mount options, as subvolumes of btrfs.
func DropRootArgs(text []byte) []byte { return rootArgs.ReplaceAll(text, []byte("$1")) }

// isKernel tells Linux from what else GRUB's command starts, as memory tests.
func isKernel(words []string) bool {
	base := path.Base(words[1])
	return strings.HasPrefix(base, "vmlinu") || strings.HasPrefix(base, "bzImage") || strings.HasPrefix(base, "kernel-") ||
		slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "root=") })
}

// appendArgs adds what is missing at the end: before a comment or a backslash that
// goes on with the next line.
func appendArgs(line string, args []string) string {
	end := len(line)
	if i := strings.Index(line, " #"); i >= 0 {
		end = i
	} else if strings.HasSuffix(line, `\`) {
		end--
	}
	head := strings.TrimRight(line[:end], " \t")
	there := strings.Fields(head)
	for _, arg := range args {
		if slices.Contains(there, arg) {
			continue
		}
		if head != "" {
			head += " "
		}
		head += arg
	}
	if end < len(line) {
		return head + " " + strings.TrimLeft(line[end:], " \t")
	}
	return head
}
