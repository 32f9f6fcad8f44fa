package linux

import (
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// keep is how a profile leaves something as it is.
const keep = "keep"

func (m *machine) random(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(m.job.Rand, b)
	return b, err
}

// uuid is a random UUID: RFC 9562, section 5.4.
func (m *machine) uuid() (string, error) {
	b, err := m.random(16)
	if err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// renewMachineID writes a new machine-id(5). An empty one, or none, would be
// replaced at the first boot, too; but then systemd may treat that boot as the
// system's first, ask questions on the console and set all units to what the
// distribution presets, which on Fedora switches ours off again.
func (m *machine) renewMachineID() error {
	const file, dbus = "/etc/machine-id", "/var/lib/dbus/machine-id"
	if m.job.Settings.Linux.MachineID == keep || !m.system.systemd && !m.exists(file) && !m.exists(dbus) {
		return nil
	}
	text, err := m.read(file)
	if err != nil {
		return err
	}
	uuid, err := m.uuid()
	if err != nil {
		return err
	}
	id := []byte(strings.ReplaceAll(uuid, "-", "") + "\n")
	if m.system.systemd || text != nil {
		if err := m.writeAs(file, id, rootfs.Attr{Mode: 0o444}); err != nil {
			return err
		}
	}
	if err := m.keepEntryToken(strings.TrimSpace(string(text))); err != nil {
		return err
	}
	at, err := m.real(dbus)
	if err != nil {
		return err
	}
	if e, there, err := m.lstat(at); err != nil || !there || !e.mode.IsRegular() || at == file {
		return err
	}
	return m.write(dbus, id)
}

// machineIDForm is an ID as machine-id(5) has it.
var machineIDForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// keepEntryToken lets kernel-install(8) go on using boot entries that bear the old
// ID in their names. Renaming them would need the boot loader to know; as they are
// they boot, and with the token the next kernel replaces the right ones.
func (m *machine) keepEntryToken(old string) error {
	const token = "/etc/kernel/entry-token"
	if !machineIDForm.MatchString(old) || m.exists(token) {
		return nil
	}
	for _, boot := range []string{"/boot", "/boot/efi", "/efi"} {
		if len(m.glob(boot+"/loader/entries/"+old+"-*.conf")) == 0 && !m.isDir(boot+"/"+old) {
			continue
		}
		m.note("the boot entries in %s bear the old machine ID in their names; they stay, and %s makes new kernels use it, too", boot, token)
		return m.write(token, []byte(old+"\n"))
	}
	return nil
}

// seeds are what systems mix into their random numbers at boot. Two machines that
// begin with the same one may make the same keys.
var seeds = []string{
	"/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed", "/var/lib/random-seed", "/var/lib/misc/random-seed", "/var/lib/seedrng/seed.credit", "/var/lib/seedrng/seed.no-credit",
	"/boot/loader/random-seed", "/boot/efi/loader/random-seed", "/efi/loader/random-seed",
}

const maxSeed = 64 << 10

func (m *machine) renewSeeds() error {
	for _, name := range seeds {
		e, there := m.stat(name)
		if !there || e.size == 0 {
			continue
		}
		if e.size > maxSeed {
			return fmt.Errorf("%s has %d bytes, too many for a seed", name, e.size)
		}
		seed, err := m.random(int(e.size))
		if err != nil {
			return err
		}
		if err := m.writeAs(name, seed, rootfs.Attr{Mode: 0o600}); err != nil {
			return err
		}
	}
	return nil
}

// forgotten are files that the system makes anew, and which tell two machines
// apart or hold what the old one was given: leases, client IDs, names of interfaces
// by their MAC.
var forgotten = []string{
	"/etc/udev/rules.d/70-persistent-net.rules", "/etc/udev/rules.d/70-persistent-cd.rules",
	"/var/lib/NetworkManager/secret_key", "/var/lib/NetworkManager/*.lease", "/var/lib/NetworkManager/seen-bssids", "/var/lib/NetworkManager/timestamps",
	"/var/lib/dhcp/*.lease", "/var/lib/dhcp/*.leases", "/var/lib/dhclient/*.lease", "/var/lib/dhclient/*.leases",
	"/var/lib/dhcpcd/*.lease*", "/var/lib/dhcpcd/duid", "/var/lib/dhcpcd/secret", "/etc/dhcpcd.duid",
	"/var/lib/wicked/duid.xml", "/var/lib/wicked/iaid.xml", "/var/lib/wicked/lease-*.xml",
	"/etc/lvm/devices/system.devices", // which disks LVM looks at, by their serial numbers
}

// carried are files that stand for the reference PC at some service. They cannot
// be made here: what they are worth is known there.
var carried = map[string]string{
	"/etc/krb5.keytab":                        "Kerberos keys of the reference PC, which may be a member of a domain",
	"/var/lib/samba/private/secrets.tdb":      "Samba's machine account of the reference PC",
	"/etc/pki/consumer/cert.pem":              "the subscription of the reference PC",
	"/etc/puppetlabs/puppet/ssl/certs":        "Puppet's certificate of the reference PC",
	"/var/lib/puppet/ssl/certs":               "Puppet's certificate of the reference PC",
	"/etc/salt/pki/minion/minion.pem":         "Salt's key of the reference PC",
	"/etc/chef/client.pem":                    "Chef's key of the reference PC",
	"/var/lib/tailscale/tailscaled.state":     "Tailscale's key of the reference PC",
	"/var/lib/zerotier-one/identity.secret":   "ZeroTier's key of the reference PC",
	"/etc/wireguard":                          "WireGuard's keys of the reference PC",
	"/var/lib/systemd/credential.secret":      "the key of systemd's credentials, which is the same on every machine now",
	"/etc/dropbear/dropbear_ed25519_host_key": "Dropbear's host key, which is not made anew here",
	"/etc/dropbear/initramfs":                 "Dropbear's host keys for the initramfs, which are not made anew here",
}

// renewIdentity removes, makes anew, or tells of what else says who a machine is.
func (m *machine) renewIdentity() error {
	for _, pattern := range forgotten {
		for _, name := range m.glob(pattern) {
			if err := m.remove(name); err != nil {
				return err
			}
			if path.Base(name) == "system.devices" {
				m.rebuild(initramfs)
			}
		}
	}
	for _, name := range sortedKeys(carried) {
		if m.exists(name) {
			m.note("%s is still there: %s", name, carried[name])
		}
	}
	if err := m.renewISCSI(); err != nil {
		return err
	}
	if err := m.renewNVMe(); err != nil {
		return err
	}
	return m.renewHostID()
}

// renewISCSI gives the initiator a new name: the part after the last colon is
// what iscsi-iname(8) makes by chance.
func (m *machine) renewISCSI() error {
	const file, key = "/etc/iscsi/initiatorname.iscsi", "InitiatorName="
	part, err := m.random(6)
	if err != nil {
		return err
	}
	return m.edit(file, func(text []byte) []byte {
		lines := strings.SplitAfter(string(text), "\n")
		for i, line := range lines {
			if colon := strings.LastIndexByte(line, ':'); strings.HasPrefix(line, key) && colon > 0 {
				lines[i] = line[:colon+1] + hex.EncodeToString(part) + "\n"
			}
		}
		return []byte(strings.Join(lines, ""))
	})
}

// renewNVMe gives NVMe over fabrics a new host: libnvme keeps both files alike.
func (m *machine) renewNVMe() error {
	const prefix = "nqn.2014-08.org.nvmexpress:uuid:"
	uuid, err := m.uuid()
	if err != nil {
		return err
	}
	nqn, err := m.read("/etc/nvme/hostnqn")
	if err != nil {
		return err
	}
	if nqn != nil && !strings.HasPrefix(string(nqn), prefix) {
		m.note("/etc/nvme/hostnqn is a name that somebody chose; it stays, and is the same on every machine now")
		return nil
	}
	if err := m.edit("/etc/nvme/hostnqn", func([]byte) []byte { return []byte(prefix + uuid + "\n") }); err != nil {
		return err
	}
	return m.edit("/etc/nvme/hostid", func([]byte) []byte { return []byte(uuid + "\n") })
}

// renewHostID writes a new gethostid(3), but not where ZFS knows its pools by it.
func (m *machine) renewHostID() error {
	if m.exists("/etc/hostid") && m.program("zpool") {
		m.note("/etc/hostid stays as it is, since ZFS knows its pools by it")
		return nil
	}
	id, err := m.random(4)
	if err != nil {
		return err
	}
	return m.edit("/etc/hostid", func([]byte) []byte { return id })
}
