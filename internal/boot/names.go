package boot

import (
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/system"
)

// has reports whether a device that a system's file names is on the disk. known
// is false for names that do not tell: devices of the kernel's numbering, and
// those inside a container whose content nobody listed.
func (d Disk) has(spec string) (found, known bool) {
	tag, value := system.Reference(spec)
	if tag == "" {
		return false, false
	}
	found = slices.ContainsFunc(d.Volumes, func(v system.Volume) bool { return v.Is(tag, value) })
	return found, found || !d.opaque()
}

// opaque reports whether volumes are on the disk that are not among d.Volumes.
func (d Disk) opaque() bool {
	return slices.ContainsFunc(d.Volumes, func(v system.Volume) bool {
		for _, container := range []string{"lvm", "luks", "bitlocker", "linux_raid"} {
			if strings.HasPrefix(v.Kind, container) {
				return true
			}
		}
		return false
	})
}
