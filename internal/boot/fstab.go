package boot

import (
	"slices"
	"strings"
)

// checkFstab checks that the volumes are there which the system mounts when it
// starts (fstab(5), systemd.mount(5)): for one that is missing it waits, and then
// asks for root's password.
func (v *Verdict) checkFstab(d Disk) {
	for line := range strings.Lines(v.config(d.Root, "etc/fstab")) {
		f := strings.Fields(line)
		if len(f) < 3 || strings.HasPrefix(f[0], "#") {
			continue
		}
		var options []string
		if len(f) > 3 {
			options = strings.Split(f[3], ",")
		}
		spec := unescape(f[0])
		found, known := d.has(spec)
		if found || !known || slices.Contains(options, "noauto") {
			continue
		}
		switch {
		case slices.Contains(options, "nofail"):
			v.add(Note, "", "fstab names %s for %s, which is not on the disk; the system starts without it.", spec, unescape(f[1]))
		case f[2] == "swap":
			v.add(Warning, "", "fstab names %s for swap, which is not on the disk; the system waits for it for a minute and a half.", spec)
		default:
			v.add(Fatal, "", "fstab names %s for %s, which is not on the disk; the system stops there.", spec, unescape(f[1]))
		}
	}
}

// unescape undoes the octal escapes of fstab(5).
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`, `\043`, "#").Replace(s)
}
