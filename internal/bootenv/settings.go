package bootenv

import (
	"fmt"
	"maps"
	"slices"
)

// putSettings adds what programs look for in /etc. Nobody logs in: the agent starts
// the technician's shell itself.
func (t tree) putSettings(version string) error {
	texts := map[string]string{
		"etc/passwd":        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
		"etc/group":         "root:x:0:\ntty:x:5:\ndisk:x:6:\nnogroup:x:65534:\n",
		"etc/hosts":         "127.0.0.1 localhost\n::1 localhost ip6-localhost\n",
		"etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
		"etc/shells":        "/bin/sh\n",
		"etc/os-release": fmt.Sprintf("NAME=ingot\nID=ingot\nID_LIKE=debian\nVERSION_ID=%q\nPRETTY_NAME=%q\n",
			version, "ingot boot environment "+version),
		// Drivers that do harm here: a console that comes up late on another screen,
		// and a beep for each key that the menu does not know.
		"etc/modprobe.d/ingot.conf": "blacklist pcspkr\nblacklist nouveau\nblacklist amdgpu\nblacklist radeon\nblacklist i915\n",
		"etc/profile":               "export PATH=/usr/sbin:/usr/bin TERM=${TERM:-linux} LC_ALL=C.UTF-8\nPS1='ingot:\\w# '\n",
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if err := t.putText(name, 0o644, texts[name]); err != nil {
			return err
		}
	}
	return t.putLinks(map[string]string{
		// A technician types the name of the program; the agent is that program.
		"usr/bin/ingot": "/init", "usr/bin/ingot-agent": "/init",
		// Programs look there before they touch a volume that is mounted.
		"etc/mtab": "/proc/self/mounts",
	})
}
