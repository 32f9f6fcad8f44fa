// Command agent stands in for the agent in tests of the boot environment: it loads
// drivers for what is there, says on the first serial port what it found, and turns
// the machine off.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
)

func main() {
	mounts := []struct{ kind, dir string }{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"securityfs", "/sys/kernel/security"}}
	for _, m := range mounts {
		if err := syscall.Mount(m.kind, m.dir, m.kind, 0, ""); err != nil {
			fmt.Println("mount", m.dir, err)
		}
	}
	out, err := os.OpenFile("/dev/ttyS0", os.O_WRONLY, 0)
	if err != nil {
		out = os.Stdout
	}
	say := func(format string, args ...any) { fmt.Fprintf(out, "@@ "+format+"\r\n", args...) }
	say("init at %s", uptime())
	os.Setenv("PATH", "/usr/sbin:/usr/bin")
	for round, seen := 0, map[string]bool{}; round < 8; round++ {
		if fresh := aliases(seen); len(fresh) > 0 {
			for len(fresh) > 0 {
				n := min(len(fresh), 40)
				exec.Command("modprobe", append([]string{"-a", "-b", "-q"}, fresh[:n]...)...).Run()
				fresh = fresh[n:]
			}
		}
		time.Sleep(300 * time.Millisecond)
	}
	for _, m := range append(uefi(), "ext4", "xfs", "btrfs", "vfat", "exfat", "isofs", "udf", "squashfs", "overlay", "loop", "dm-mod", "dm-crypt", "raid1", "softdog", "nls_cp437") {
		if b, err := exec.Command("modprobe", "-b", m).CombinedOutput(); err != nil {
			say("module %s: %v %s", m, err, b)
		}
	}
	say("cmdline %s", strings.TrimSpace(read("/proc/cmdline")))
	say("disks %s", drivers("/sys/block"))
	say("nics %s", drivers("/sys/class/net"))
	if entries, _ := filepath.Glob("/sys/class/watchdog/*"); len(entries) > 0 {
		say("watchdogs %s", strings.Join(entries, " "))
	}
	say("lockdown %s", strings.TrimSpace(read("/sys/kernel/security/lockdown")))
	say("uefi %v", exists("/sys/firmware/efi"))
	say("fb %s", strings.TrimSpace(read("/proc/fb")))
	for _, line := range strings.Split(read("/proc/meminfo"), "\n")[:3] {
		say("%s", line)
	}
	for _, args := range [][]string{{"sh", "-c", "busybox --help | head -1"}, {"mke2fs", "-V"}, {"mkfs.xfs", "-V"}, {"ntfsresize", "-V"}, {"mcopy", "-V"}, {"smartctl", "-V"}, {"btrfs", "version"}} {
		b, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		first, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
		say("tool-%s %v %s", args[0], err, first)
	}
	say("ready at %s", uptime())
	time.Sleep(time.Second)
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}

// uefi is the module that only PCs with UEFI take.
func uefi() []string {
	if exists("/sys/firmware/efi") {
		return []string{"efivarfs"}
	}
	return nil
}

// aliases are the modaliases of devices that were not seen before.
func aliases(seen map[string]bool) (fresh []string) {
	filepath.WalkDir("/sys/devices", func(name string, d fs.DirEntry, err error) error {
		// Not the file modalias: cards in a reader have none.
		if err == nil && d.Name() == "uevent" {
			_, a, _ := strings.Cut("\n"+read(name), "\nMODALIAS=")
			if a, _, _ = strings.Cut(a, "\n"); a != "" && !seen[a] {
				seen[a] = true
				fresh = append(fresh, a)
			}
		}
		return nil
	})
	return fresh
}

// drivers lists what is in a folder of sysfs with the driver of each.
func drivers(dir string) string {
	var all []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		path, _ := filepath.EvalSymlinks(filepath.Join(dir, e.Name()))
		name := e.Name()
		for p := path; p != "/" && p != "."; p = filepath.Dir(p) {
			if link, err := os.Readlink(filepath.Join(p, "driver")); err == nil {
				name += "=" + filepath.Base(link)
				break
			}
		}
		if strings.Contains(name, "=") {
			all = append(all, name)
		}
	}
	sort.Strings(all)
	return strings.Join(all, " ")
}

func uptime() string { u, _, _ := strings.Cut(read("/proc/uptime"), " "); return u }

func exists(name string) bool { _, err := os.Stat(name); return err == nil }

func read(name string) string { b, _ := os.ReadFile(name); return string(b) }
