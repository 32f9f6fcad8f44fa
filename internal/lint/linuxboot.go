package lint

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/shellvar"
	"github.com/ingot-imaging/ingot/internal/system"
)

// hostOnly looks whether initial RAM disks hold the drivers of the reference PC
// alone.
func hostOnly(ctx context.Context, l *installed) ([]Finding, error) {
	for _, tool := range []struct {
		files []string
		only  func(text string) (only, says bool)
		set   string
	}{
		{[]string{"/etc/initramfs-tools/initramfs.conf", "/etc/initramfs-tools/conf.d/*"}, assigned("MODULES", "dep"), "MODULES=dep"},
		{[]string{"/usr/lib/dracut/dracut.conf.d/*.conf", "/etc/dracut.conf", "/etc/dracut.conf.d/*.conf"}, assigned("hostonly", "yes"), "hostonly=yes"},
		{[]string{"/etc/mkinitcpio.conf", "/etc/mkinitcpio.conf.d/*.conf"}, autodetect, "the hook autodetect"},
	} {
		file, err := l.lastSaying(ctx, tool.files, tool.only)
		if err != nil {
			return nil, err
		}
		if file == "" {
			continue
		}
		generic, err := l.glob(ctx, "/boot/initramfs-0-rescue-*.img", "/boot/initramfs-*-fallback.img")
		if err != nil {
			return nil, err
		}
		spare := ""
		if len(generic) > 0 {
			spare = "; one for any machine is there too, " + shown(generic[0])
		}
		return l.one(HostOnly, file, "Initial RAM disks are made for the hardware of the reference PC alone: %s in %s%s.", tool.set, shown(file), spare)
	}
	return nil, nil
}

// lastSaying is the file that settles a question, where the answer is yes; later
// files win.
func (i *installed) lastSaying(ctx context.Context, patterns []string, yes func(text string) (yes, says bool)) (string, error) {
	names, err := i.glob(ctx, patterns...)
	if err != nil {
		return "", err
	}
	file := ""
	for _, name := range names {
		text, err := i.text(name)
		if err != nil {
			return "", err
		}
		switch is, says := yes(text); {
		case says && is:
			file = name
		case says:
			file = ""
		}
	}
	return file, nil
}

// assigned looks whether a variable has a value.
func assigned(name, value string) func(string) (bool, bool) {
	return func(text string) (bool, bool) {
		v, ok := shellvar.Get([]byte(text), name)
		return strings.TrimSpace(v) == value, ok
	}
}

var hooks = regexp.MustCompile(`(?m)^\s*HOOKS=\(([^)]*)\)`)

// autodetect is what mkinitcpio leaves out drivers by.
func autodetect(text string) (yes, says bool) {
	m := hooks.FindStringSubmatch(text)
	if m == nil {
		return false, false
	}
	return strings.Contains(" "+strings.ReplaceAll(m[1], "\n", " ")+" ", " autodetect "), true
}

// fewFirmware is less than any package of firmware brings: the regulatory database
// and its like are single files.
const fewFirmware = 10

// firmware looks whether a system for real hardware has firmware for it.
func firmware(_ context.Context, l *installed) ([]Finding, error) {
	if !l.exists("/lib/modules") && !l.exists("/usr/lib/modules") {
		return nil, nil // a container
	}
	entries, err := l.ReadDir("/lib/firmware")
	if absent(err) {
		err = nil
	}
	if err != nil || len(entries) >= fewFirmware {
		return nil, err
	}
	return l.one(NoFirmware, "/lib/firmware", "The system has no firmware packages.")
}

// guests are programs that only a virtual machine runs, by their names on Linux and
// their folders on Windows.
var guests = []struct{ program, folder, host string }{
	{"vmtoolsd", "/Program Files/VMware/VMware Tools", "VMware"},
	{"VBoxService", "/Program Files/Oracle/VirtualBox Guest Additions", "VirtualBox"},
	{"qemu-ga", "/Program Files/Qemu-ga", "QEMU"},
	{"hv_kvp_daemon", "", "Hyper-V"},
	{"xe-daemon", "/Program Files/Citrix/XenTools", "Xen"},
	{"prltoolsd", "/Program Files/Parallels/Parallels Tools", "Parallels"},
}

// guestTools looks for the tools of virtual machines.
func guestTools(_ context.Context, i *installed) ([]Finding, error) {
	var hosts []string
	for _, g := range guests {
		there := i.kind == system.Linux && i.program(g.program)
		if i.kind == system.Windows && g.folder != "" {
			there = i.exists(g.folder)
		}
		if there {
			hosts = append(hosts, g.host)
		}
	}
	if len(hosts) == 0 {
		return nil, nil
	}
	return i.one(GuestTools, "", "The system has tools of virtual machines: %s.", listed(hosts))
}

// maxStatus bounds dpkg's list of packages, bytes. That of a large desktop has 10 MiB.
const maxStatus = 64 << 20

// packages looks for installations that were not brought to an end.
func packages(ctx context.Context, l *installed) ([]Finding, error) {
	const status, updates = "/var/lib/dpkg/status", "/var/lib/dpkg/updates/*"
	var all []Finding
	list, err := l.ReadFile(status, maxStatus)
	if absent(err) {
		err = nil
	}
	if broken := unfinishedPackages(string(list)); len(broken) > 0 {
		all = append(all, l.found(PackagesUnfinished, status, "Packages are not fully installed: %s.", listed(broken)))
	}
	journal, jerr := l.glob(ctx, updates)
	if len(journal) > 0 {
		all = append(all, l.found(PackagesUnfinished, "/var/lib/dpkg/updates", "dpkg was interrupted: its journal is not empty."))
	}
	for _, name := range []string{"/system-update", "/etc/system-update", "/var/lib/PackageKit/prepared-update"} {
		if _, lerr := l.Lstat(strings.TrimPrefix(name, "/")); lerr == nil {
			all = append(all, l.found(PackagesUnfinished, name, "An update waits for the next start: %s.", name))
		}
	}
	return all, errors.Join(err, jerr)
}

// unfinishedPackages are those of dpkg's list whose state, dpkg(1), is between two
// others.
func unfinishedPackages(status string) []string {
	var broken []string
	name := ""
	for line := range strings.Lines(status) {
		if p, ok := strings.CutPrefix(line, "Package: "); ok {
			name = strings.TrimSpace(p)
		}
		state, ok := strings.CutPrefix(line, "Status: ")
		f := strings.Fields(state) // what is wanted, whether it has to be installed anew, what is
		if !ok || len(f) != 3 {
			continue
		}
		if f[1] == "reinstreq" || f[2] == "half-configured" || f[2] == "half-installed" || f[2] == "unpacked" {
			broken = append(broken, name)
		}
	}
	return broken
}
