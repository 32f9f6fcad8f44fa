package browse

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable is a name from an image as it may go to a terminal: what is not
// printable, or not UTF-8, is escaped as in a Go string. Without that a name could
// move the cursor, or look like another.
func Printable(name string) string {
	if strings.IndexFunc(name, hidden) < 0 {
		return name
	}
	var b strings.Builder
	for len(name) > 0 {
		r, n := utf8.DecodeRuneInString(name)
		switch {
		case r == utf8.RuneError && n == 1, r < utf8.RuneSelf && hidden(r):
			fmt.Fprintf(&b, `\x%02x`, name[0])
		case hidden(r) && r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(name[:n])
		}
		name = name[n:]
	}
	return b.String()
}

// hidden reports whether r is not to be shown; what is no UTF-8 comes as
// RuneError, and U+FFFD itself is escaped with it.
func hidden(r rune) bool { return r == utf8.RuneError || r != ' ' && !unicode.IsPrint(r) }
