package fstab

import (
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/devname"
)

// EditCrypttab makes crypttab(5) name the devices as they are now: the second
// field, and a key that lies on a device ("UUID=...:/key" or a device of its own).
func EditCrypttab(text []byte, names *devname.Names) []byte {
	const device, key = 1, 2
	lines := strings.SplitAfter(string(text), "\n")
	for i, line := range lines {
		l := parse(line)
		for _, field := range []int{device, key} {
			raw := l.get(field)
			name, _, _ := strings.Cut(raw, ":")
			if v, now := names.Resolve(decode(name)); v != nil {
				l.set(field, encode(now, decode(name), name)+raw[len(name):])
			}
		}
		lines[i] = l.text
	}
	return []byte(strings.Join(lines, ""))
}
