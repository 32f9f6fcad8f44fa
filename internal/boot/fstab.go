package boot

import (
	"slices"

	"github.com/ingot-imaging/ingot/internal/system"
)

// checkFstab checks that the volumes are there which the system mounts when it
// starts (fstab(5), systemd.mount(5)): for one that is missing it waits, and then
// asks for root's password.
func (v *Verdict) checkFstab(d Disk) {
	for _, e := range system.ParseFstab(v.config(d.Root, "etc/fstab")) {
		found, known := d.has(e.Spec)
		if found || !known || slices.Contains(e.Options, "noauto") {
			continue
		}
		switch {
		case slices.Contains(e.Options, "nofail"):
			v.add(Note, "", "fstab names %s for %s, which is not on the disk; the system starts without it.", e.Spec, e.At)
		case e.Kind == "swap":
			v.add(Warning, "", "fstab names %s for swap, which is not on the disk; the system waits for it for a minute and a half.", e.Spec)
		default:
			v.add(Fatal, "", "fstab names %s for %s, which is not on the disk; the system stops there.", e.Spec, e.At)
		}
	}
}
