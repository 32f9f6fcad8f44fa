package web

import (
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// profileKey is a key of a profile, for the help.
type profileKey struct {
	Path    string
	Pattern bool // its value may have placeholders
	About   string
}

// profileKeys reads the table of keys that the documentation has, too.
func profileKeys() (keys []profileKey) {
	for line := range strings.Lines(profile.KeyTable()) {
		cells := strings.SplitN(strings.Trim(line, "| \n"), " | ", 3)
		if len(cells) != 3 {
			continue
		}
		keys = append(keys, profileKey{strings.Trim(cells[0], "` "), strings.TrimSpace(cells[1]) == "yes", strings.NewReplacer(`\*`, "*", "`", "").Replace(cells[2])})
	}
	return keys
}
