package lint

import (
	"strings"

	linsys "github.com/ingot-imaging/ingot/internal/customise/linux"
	"github.com/ingot-imaging/ingot/internal/files"
)

// Twins counts what two machines must not share and a tree of files has, by names
// alone: a machine-id, SSH host keys, seeds of random numbers. It takes no time, so
// that a capture can tell.
func Twins(l *files.Listing) int {
	n := 0
	has := func(name string) bool {
		i, ok := l.Find(strings.TrimPrefix(name, "/"))
		return ok && l.Entries[i].Type == files.File && l.Entries[i].Size > 0
	}
	for _, name := range append(linsys.Seeds(), "/etc/machine-id") {
		if has(name) {
			n++
		}
	}
	i, ok := l.Find("etc/ssh")
	if !ok || l.Entries[i].Type != files.Dir {
		return n
	}
	first, end := l.Entries[i].Children()
	for _, e := range l.Entries[first:end] {
		if strings.HasPrefix(e.Name, "ssh_host_") && strings.HasSuffix(e.Name, "_key") {
			n++
		}
	}
	return n
}
