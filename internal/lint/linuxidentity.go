package lint

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	linsys "github.com/ingot-imaging/ingot/internal/customise/linux"
	"github.com/ingot-imaging/ingot/internal/customise/linux/network"
)

var machineID = regexp.MustCompile(`^[0-9a-f]{32}\s*$`)

// identity is what a system made for itself and that two machines must not share.
func identity(ctx context.Context, l *installed) ([]Finding, error) {
	var all []Finding
	id, err := l.text("/etc/machine-id")
	if machineID.MatchString(id) {
		all = append(all, l.found(MachineID, "/etc/machine-id", "The system has a machine-id."))
	}
	keys, kerr := l.glob(ctx, "/etc/ssh/ssh_host_*_key", "/etc/dropbear/*_host_key")
	if len(keys) > 0 {
		all = append(all, l.found(HostKeys, keys[0], "The system has SSH host keys: %d.", len(keys)))
	}
	for _, name := range linsys.Seeds() {
		if l.size(name) > 0 {
			all = append(all, l.found(RandomSeed, name, "The system has a seed of random numbers, %s.", name))
			break
		}
	}
	return all, errors.Join(err, kerr)
}

// domains are files of a machine that is a member of a domain.
var domains = []string{"/etc/krb5.keytab", "/var/lib/samba/private/secrets.tdb"}

// memberships are what stands for the machine at others.
func memberships(ctx context.Context, l *installed) ([]Finding, error) {
	var domain []string
	for _, name := range domains {
		if l.exists(name) {
			domain = append(domain, name)
		}
	}
	sssd, err := l.text("/etc/sssd/sssd.conf")
	if strings.Contains(sssd, "\n[domain/") {
		domain = append(domain, "/etc/sssd/sssd.conf")
	}
	var all []Finding
	if len(domain) > 0 {
		all = append(all, l.found(DomainMember, domain[0], "The system is a member of a domain, by %s.", listed(domain)))
	}
	carried := linsys.Carried()
	for _, name := range slices.Sorted(maps.Keys(carried)) {
		if slices.Contains(domains, name) || !l.holds(name) {
			continue
		}
		all = append(all, l.found(ServiceIdentity, name, "%s holds %s.", name, carried[name]))
	}
	return all, err
}

// holds reports whether a name leads to a file, or to a folder with something in it.
func (i *installed) holds(name string) bool {
	info, err := i.Stat(name)
	if err != nil || !info.IsDir() {
		return err == nil
	}
	entries, err := i.ReadDir(name)
	return err == nil && len(entries) > 0
}

// hardware is what knows the reference PC by its parts.
func hardware(ctx context.Context, l *installed) ([]Finding, error) {
	var all []Finding
	left, err := l.glob(ctx, linsys.Forgotten()...)
	if len(left) > 0 {
		all = append(all, l.found(HardwareLeftovers, left[0], "Files are left that are about the hardware or the leases of the reference PC: %s.", listed(left)))
	}
	var bound []string
	for _, c := range networkFiles {
		names, gerr := l.glob(ctx, c.patterns...)
		err = errors.Join(err, gerr)
		for _, name := range names {
			text, terr := l.text(name)
			err = errors.Join(err, terr)
			if c.bound([]byte(text)) && !slices.Contains(left, name) {
				bound = append(bound, name)
			}
		}
	}
	if len(bound) > 0 {
		all = append(all, l.found(BoundToMAC, bound[0], "Network configuration knows interfaces by the MAC of the reference PC: %s.", listed(bound)))
	}
	return all, err
}

// networkFiles are files that configure interfaces, and what in them is a MAC.
var networkFiles = []struct {
	patterns []string
	bound    func(text []byte) bool
}{
	{[]string{"/etc/NetworkManager/system-connections/*"}, func(text []byte) bool { return network.ParseKeyfile(text).MAC != "" }},
	{[]string{"/etc/netplan/*.yaml"}, network.NamesMAC},
	{[]string{"/etc/systemd/network/*.link", "/etc/systemd/network/*.network"}, regexp.MustCompile(`(?m)^\s*(?:Permanent)?MACAddress\s*=\s*[0-9A-Fa-f]`).Match},
	{[]string{"/etc/sysconfig/network-scripts/ifcfg-*", "/etc/sysconfig/network/ifcfg-*"}, regexp.MustCompile(`(?m)^\s*HWADDR=["']?[0-9A-Fa-f]`).Match},
	{[]string{"/etc/udev/rules.d/*.rules"}, regexp.MustCompile(`(?m)^[^#\n]*ATTR\{address\}==`).Match},
}

// cloudInit looks for what cloud-init was told.
func cloudInit(ctx context.Context, l *installed) ([]Finding, error) {
	if !l.exists("/etc/cloud/cloud.cfg") && !l.program("cloud-init") {
		return nil, nil
	}
	instances, err := l.glob(ctx, "/var/lib/cloud/instances/*")
	seeds, serr := l.glob(ctx, "/var/lib/cloud/seed/*/meta-data", "/var/lib/cloud/seed/*/user-data")
	err = errors.Join(err, serr)
	var has []string
	if len(instances) > 0 {
		has = append(has, "it has run, as instance "+path.Base(instances[0]))
	}
	if len(seeds) > 0 {
		has = append(has, "a seed is there, "+seeds[0])
	}
	if len(has) == 0 {
		return nil, err
	}
	return []Finding{l.found(CloudInit, cmp.Or(first(instances), first(seeds)), "cloud-init is installed: %s.", listed(has))}, err
}

// snapshots are old states of the system that are kept in it.
func snapshots(ctx context.Context, l *installed) ([]Finding, error) {
	names, err := l.glob(ctx, "/.snapshots/*/snapshot", "/timeshift/snapshots/*", "/timeshift-btrfs/snapshots/*")
	if len(names) == 0 {
		return nil, err
	}
	return []Finding{l.found(Snapshots, names[0], "Old states of the system are kept in it: %d.", len(names))}, err
}
