package system

import (
	"path"
	"strings"
)

// Entry is a line of fstab(5), without its escapes.
type Entry struct {
	Spec    string // "UUID=...", "/dev/sda2"
	At      string // the mount point, clean; "" for none, as that of swap
	Kind    string
	Options []string
}

// ParseFstab returns the entries of an fstab. Lines that make no sense are the
// system's own trouble.
func ParseFstab(text string) []Entry {
	var all []Entry
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 3 || strings.HasPrefix(words[0], "#") {
			continue
		}
		e := Entry{Spec: unescape(words[0]), Kind: words[2]}
		if strings.HasPrefix(words[1], "/") {
			e.At = path.Clean(unescape(words[1]))
		}
		if len(words) > 3 {
			e.Options = strings.Split(words[3], ",")
		}
		all = append(all, e)
	}
	return all
}

// unescape undoes the octal escapes of fstab(5): \040 is a space.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`, `\043`, "#").Replace(s)
}
