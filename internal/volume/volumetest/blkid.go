package volumetest

import (
	"strings"
	"testing"
)

// Blkid returns what blkid's low-level probe says of an image file, by tag:
// "TYPE", "LABEL", "UUID", "VERSION". A tag that it does not print is "".
func Blkid(t testing.TB, path string) map[string]string {
	t.Helper()
	tags := map[string]string{}
	for line := range strings.Lines(Tool(t, "blkid", "-p", "-o", "export", path)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			tags[name] = unescapeBlkid(value)
		}
	}
	return tags
}

// unescapeBlkid undoes the backslash that export puts in front of what a shell would touch.
func unescapeBlkid(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
