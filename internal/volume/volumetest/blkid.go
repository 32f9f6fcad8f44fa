package volumetest

import (
	"strconv"
	"strings"
	"testing"
)

// Blkid returns what blkid's low-level probe says of an image file, by tag:
// "TYPE", "LABEL", "UUID", "VERSION". A tag that it does not print is "".
func Blkid(t testing.TB, path string) map[string]string {
	t.Helper()
	tags := map[string]string{}
	for line := range strings.Lines(Tool(t, "blkid", "-p", "-o", "udev", path)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		name, ok := strings.CutPrefix(name, "ID_FS_")
		if !ok {
			continue
		}
		// Of a tag with odd characters there are two: LABEL replaces them, the
		// LABEL_ENC behind it escapes them.
		if exact, err := strconv.Unquote(`"` + value + `"`); err == nil {
			value = exact
		}
		tags[strings.TrimSuffix(name, "_ENC")] = value
	}
	return tags
}
