package cli

import (
	"os"

	"github.com/ingot-imaging/ingot/internal/mount"
)

// RootError says that something takes mounts, which are for root alone.
type RootError struct{ text string }

func (e *RootError) Error() string { return e.text }

// privateMounts makes sure that nobody else sees what the program mounts, and that
// nothing of it is left when it ends, however it ends. The first call starts the
// program again, with the same arguments and streams: it must come before anything
// was printed, asked or read from stdin. why tells a user other than root what is
// to be mounted.
func (a *App) privateMounts(why string) error {
	if os.Geteuid() != 0 {
		return &RootError{why + "; only root may mount, so run this as root"}
	}
	return mount.Private()
}
