package lint

import (
	"slices"
	"testing"
)

// TestVariants finds what has many forms, in those that TestEveryKind leaves out.
func TestVariants(t *testing.T) {
	const key = "-----BEGIN RSA PRIVATE KEY-----\nx\n"
	const crypttab = "etc/crypttab"
	for _, c := range []struct {
		want ID
		fixture
	}{
		{KernelNames, file("boot/grub/grub.cfg", "menuentry {\n\tlinux /vmlinuz root=/dev/sda2 ro\n}\n")},
		{KernelNames, file("etc/kernel/cmdline", "quiet root=/dev/vda1")},
		{HardwareNames, file("etc/fstab", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1 / ext4 defaults\n")},
		{PartitionNames, file("etc/fstab", "PARTLABEL=root / ext4 defaults 0 1\n")},
		{Resume, file("etc/initramfs-tools/conf.d/resume", "RESUME=UUID=3\n")},
		{HostOnly, file("etc/dracut.conf.d/x.conf", "hostonly=yes\n")},
		{HostOnly, file("etc/mkinitcpio.conf", "MODULES=()\nHOOKS=(base udev autodetect\n  modconf block)\n")},
		{GuestTools, file("usr/bin/vmtoolsd", "")},
		{DomainMember, file("etc/krb5.keytab", "x")},
		{DomainMember, file("var/lib/samba/private/secrets.tdb", "x")},
		{DomainMember, file("etc/sssd/sssd.conf", "[sssd]\ndomains = x\n[domain/x]\nid_provider = ad\n")},
		{BoundToMAC, file("etc/netplan/a.yaml", "network:\n  ethernets:\n    a:\n      match: {macaddress: '00:11:22:33:44:55'}\n")},
		{BoundToMAC, file("etc/systemd/network/a.link", "[Match]\nMACAddress=00:11:22:33:44:55\n")},
		{BoundToMAC, file("etc/sysconfig/network-scripts/ifcfg-eth0", "DEVICE=eth0\nHWADDR=00:11:22:33:44:55\n")},
		{BoundToMAC, file("etc/udev/rules.d/10-net.rules", "SUBSYSTEM==\"net\", ATTR{address}==\"00:11:22:33:44:55\", NAME=\"lan\"\n")},
		{HardwareLeftovers, file("var/lib/dhcp/dhclient.eth0.leases", "x")},
		{TPMBound, file(crypttab, "root UUID=1 none luks,tpm2-device=auto\n")},
		{TPMBound, fixture{linux: map[string]string{crypttab: "root UUID=1 none luks\n", "usr/bin/clevis": ""}}},
		{CloudInit, fixture{linux: map[string]string{"usr/bin/cloud-init": "", "var/lib/cloud/seed/nocloud/meta-data": "x"}}},
		{VolumeKey, fixture{linux: map[string]string{crypttab: "root UUID=1 none luks\n", "etc/cryptsetup-initramfs/conf-hook": "KEYFILE_PATTERN=\"/etc/keys/*.key\"\n"}}},
		{PrivateKeys, file("home/gone/.ssh/id_rsa", key)},
		{PrivateKeys, file("root/.gnupg/private-keys-v1.d/1.key", "(x)")},
		{PrivateKeys, on("Users/anna/.ssh/id_rsa", key)},
		{Credentials, file("srv/anna/.git-credentials", "x")},
		{Histories, file("srv/anna/.bash_history", "ls\n")},
		{WirelessKeys, file("etc/NetworkManager/system-connections/lan", "[802-1x]\npassword=x\n")},
		{WirelessKeys, file("etc/wpa_supplicant/wpa_supplicant.conf", "network={\n\tssid=\"x\"\n\tpsk=\"secret\"\n}\n")},
		{WirelessKeys, file("var/lib/iwd/home.psk", "[Security]\nPassphrase=secret\n")},
		{WirelessKeys, file("etc/netplan/w.yaml", "network:\n  wifis:\n    w:\n      access-points:\n        x: {password: secret}\n")},
		{WirelessKeys, file("etc/network/interfaces.d/w", "iface w inet dhcp\n  wpa-psk secret\n")},
		{WirelessKeys, on("ProgramData/Microsoft/Wlansvc/Profiles/Interfaces/{1}/{2}.xml", "<WLANProfile><name>lab</name></WLANProfile>")},
		{PackagesUnfinished, file("var/lib/dpkg/updates/0001", "x")},
		{PackagesUnfinished, file("system-update", link+"/var/lib/updates")},
		{Snapshots, file(".snapshots/1/snapshot/x", "")},
		{PendingReboot, on("Windows/WinSxS/pending.xml", "x")},
		{NotGeneralized, on("Windows/System32/config/SOFTWARE", hiveOf(t))},
	} {
		r := c.look(t)
		if got := ids(r); !slices.Contains(got, c.want) || slices.Contains(got, NotLookedAt) {
			t.Errorf("%v has %v, want %s: %+v", c.fixture, got, c.want, r.Findings)
		}
	}
}
