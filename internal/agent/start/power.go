package start

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Restart writes out what is in memory, lets go of disks, and restarts the machine.
func Restart() { halt(unix.LINUX_REBOOT_CMD_RESTART) }

// PowerOff does the same and switches it off.
func PowerOff() { halt(unix.LINUX_REBOOT_CMD_POWER_OFF) }

// halt does not return.
func halt(how int) {
	unmountDisks()
	unix.Sync()
	_ = unix.Reboot(how)
	// Some firmware cannot switch off or restart that way.
	time.Sleep(10 * time.Second)
	_ = os.WriteFile("/proc/sysrq-trigger", []byte("b"), 0)
	select {}
}

// unmountDisks unmounts what lies on block devices, the last mounted first; what
// is busy becomes read-only.
func unmountDisks() {
	b, _ := os.ReadFile("/proc/self/mounts")
	lines := strings.Split(string(b), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		f := strings.Fields(lines[i])
		if len(f) < 2 || !strings.HasPrefix(f[0], "/dev/") {
			continue
		}
		dir := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(f[1])
		if unix.Unmount(dir, 0) != nil {
			_ = unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
			_ = unix.Unmount(dir, unix.MNT_DETACH)
		}
	}
}
