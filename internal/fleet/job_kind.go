package fleet

import (
	"slices"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Kinds are all kinds of work.
func Kinds() []wire.Kind {
	return []wire.Kind{wire.Capture, wire.Deploy, wire.Verify, wire.Wipe, wire.Look, RebootKind, ShutdownKind, LocalBootKind}
}

// Writes reports whether work of a kind changes a machine's disk.
func Writes(k wire.Kind) bool { return k == wire.Deploy || k == wire.Wipe }

// NeedsDisk reports whether work of a kind is done on a disk.
func NeedsDisk(k wire.Kind) bool {
	return slices.Contains([]wire.Kind{wire.Capture, wire.Deploy, wire.Verify, wire.Wipe}, k)
}

// NeedsImage reports whether work of a kind takes an image that exists.
func NeedsImage(k wire.Kind) bool { return k == wire.Deploy || k == wire.Verify }

// ThenOf is what an agent is told for kinds that are done by being told; false for
// work.
func ThenOf(k wire.Kind) (wire.Then, bool) {
	switch k {
	case RebootKind:
		return wire.Reboot, true
	case ShutdownKind:
		return wire.Shutdown, true
	case LocalBootKind:
		return wire.LocalBoot, true
	default:
		return "", false
	}
}
