package lint

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingot-imaging/ingot/internal/boot"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// proofs are one for each kind.
func proofs(t *testing.T) map[ID]proof {
	all := ofDisks()
	for _, more := range []map[ID]proof{ofStarts(), ofHardwares(), ofIdentities(t), ofSecret(), ofStates(t)} {
		maps.Copy(all, more)
	}
	return all
}

// file is a Linux with one more file.
func file(name, text string) fixture { return fixture{linux: map[string]string{name: text}} }

// on is a Windows with one more file.
func on(name, text string) fixture { return fixture{windows: map[string]string{name: text}} }

// saying is an image of one volume that says something of itself.
func saying(v stub) fixture { return fixture{volumes: []stub{v}} }

func refusing(reason volume.Reason) fixture {
	return saying(stub{
		info:   volume.Info{Kind: "swap", Refusals: []volume.Refusal{{Reason: reason, What: "something is wrong."}}},
		method: image.AllSectors,
	})
}

func ofDisks() map[ID]proof {
	clean := saying(stub{info: volume.Info{Kind: "swap"}})
	kind := func(name string) fixture { return saying(stub{info: volume.Info{Kind: name}}) }
	return map[ID]proof{
		NotLookedAt: {
			with: fixture{linux: map[string]string{}, harm: func(dir string) error {
				return os.Truncate(filepath.Join(dir, "etc/fstab"), maxText+1)
			}},
			without: file("etc/crypttab", "# nothing\n"), what: "more than the",
		},
		Unreadable: {
			with:    fixture{volumes: clean.volumes, edit: func(m *image.Manifest) { m.Regions[0].Unreadable = extent.Of(extent.Extent{Length: 512}) }},
			without: clean, what: "512 bytes",
		},
		TableRepaired: {
			with:    fixture{volumes: clean.volumes, edit: func(m *image.Manifest) { m.Table.Findings = []string{"the backup was \x1b[31mdamaged"} }},
			without: clean, what: `\x1b`,
		},
		LargeSectors: {with: fixture{volumes: clean.volumes, edit: func(m *image.Manifest) { m.Disk.SectorSize = 4096 }}, without: clean},
		NoSystem:     {with: clean, without: file("x", "")},
		VolumeMissing: {
			with: file("etc/fstab", "UUID=nowhere /srv/data ext4 defaults 0 2\n"), without: file("etc/fstab", "UUID=nowhere /srv/data ext4 nofail 0 2\n"),
			what: "/srv/data", path: "/etc/fstab",
		},
		VolumeNotClean:    {with: refusing(volume.Dirty), without: refusing(volume.Unsupported), what: "something is wrong; every sector of it was taken."},
		VolumeHibernated:  {with: refusing(volume.Hibernated), without: refusing(volume.NeedsReplay)},
		VolumeUnsupported: {with: refusing(volume.Unknown), without: refusing(volume.Damaged)},
		VolumeDamaged:     {with: fixture{volumes: []stub{{info: volume.Info{Kind: "unknown"}, damage: errors.New("it is broken")}}, live: true}, without: clean, what: "broken; a capture refuses it"},
		AllSectors:        {with: fixture{volumes: []stub{{info: volume.Info{Kind: "fat32"}, method: image.AllSectors}, clean.volumes[0]}}, without: refusing(volume.Dirty)},
		UnknownVolume: {
			with:    saying(stub{info: volume.Info{Kind: "unknown"}, method: image.AllSectors}),
			without: saying(stub{info: volume.Info{Kind: "unknown"}, method: image.AllSectors, typ: typeBIOSBoot}),
		},
		BitLocker:      {with: kind("bitlocker"), without: clean},
		Encrypted:      {with: kind("luks2"), without: clean},
		LogicalVolumes: {with: kind("lvm2"), without: clean},
		SoftwareRAID:   {with: saying(stub{info: volume.Info{Kind: "unknown"}, typ: "A19D880F-05FC-4D3B-A006-743F0F84911E"}), without: kind("unknown")},
	}
}

func ofStarts() map[ID]proof {
	esp := func(files map[string]string) fixture { return fixture{linux: map[string]string{}, esp: files} }
	fine := fixture{linux: map[string]string{}}
	both := efi(x64, boot.ThirdParty2023, boot.ThirdParty2011)
	return map[ID]proof{
		NoESP: {
			with:    fixture{linux: map[string]string{}, edit: func(m *image.Manifest) { m.Table.Partitions[1].Type = typeBIOSBoot }},
			without: fine, what: "only a BIOS",
		},
		NoLoader: {
			with:    esp(map[string]string{"EFI/BOOT/BOOTX64.EFI": gone, "EFI/debian/shimx64.efi": gone, "EFI/debian/grubx64.efi": gone, "EFI/x": ""}),
			without: esp(map[string]string{"EFI/BOOT/BOOTX64.EFI": gone}),
		},
		LoaderDamaged: {with: esp(map[string]string{"EFI/BOOT/BOOTX64.EFI": "MZ and no more"}), without: fine, path: "/EFI/BOOT"},
		NoFallback:    {with: esp(map[string]string{"EFI/BOOT/BOOTX64.EFI": gone}), without: esp(map[string]string{"EFI/BOOT/BOOTX64.EFI": gone, "EFI/Boot/bootaa64.efi": efi(0xAA64)})},
		Only32Bit: {
			with:    esp(map[string]string{"EFI/BOOT/BOOTX64.EFI": gone, "EFI/BOOT/BOOTIA32.EFI": efi(ia32), "EFI/debian/shimx64.efi": gone, "EFI/debian/grubx64.efi": gone}),
			without: esp(map[string]string{"EFI/BOOT/BOOTIA32.EFI": efi(ia32, boot.ThirdParty2011)}),
		},
		SignedBy2011: {
			with:    esp(map[string]string{"EFI/Microsoft/Boot/bootmgfw.efi": efi(x64, boot.Windows2011)}),
			without: esp(map[string]string{"EFI/Microsoft/Boot/bootmgfw.efi": both}), what: "bootmgfw.efi",
		},
		SignedBy2023: {with: esp(map[string]string{"EFI/BOOT/BOOTX64.EFI": efi(x64, boot.ThirdParty2023)}), without: fine, what: "BOOTX64"},
		Unsigned: {
			with:    esp(map[string]string{"EFI/debian/shimx64.efi": gone}),
			without: esp(map[string]string{"EFI/BOOT/fbx64.efi": efi(x64), "EFI/BOOT/grubx64.efi": efi(x64), "EFI/debian/mmx64.efi": efi(x64)}), what: "grubx64.efi",
		},
	}
}

func ofHardwares() map[ID]proof {
	const cmdline = "/etc/default/grub"
	virtual := fixture{linux: map[string]string{}, harm: func(dir string) error { return os.RemoveAll(filepath.Join(dir, "usr/lib/modules")) }}
	inf := func(provider string) string {
		return "[Version]\nClass=System\nProvider=%P%\n[Strings]\nP=\"" + provider + "\"\n"
	}
	return map[ID]proof{
		KernelNames: {
			with:    file("etc/fstab", "/dev/nvme0n1p2 / ext4 defaults 0 1\n"),
			without: file("etc/fstab", "#/dev/sda1 / ext4\nUUID=1 / ext4 defaults 0 1\n/dev/sr0 /cd iso9660 noauto 0 0\n/dev/mapper/x /y ext4 defaults\n"), what: "nvme0n1p2",
		},
		HardwareNames: {
			with:    file("etc/crypttab", "root /dev/disk/by-id/ata-X_123-part2 none luks\n"),
			without: file("etc/crypttab", "root UUID=1-2 none luks\n"), what: "by-id/ata-X_123-part2", path: "/etc/crypttab",
		},
		PartitionNames: {
			with:    file("boot/loader/entries/x.conf", "title x\noptions quiet root=PARTUUID=12-34 ro\n"),
			without: file("boot/loader/entries/x.conf", "title x\noptions quiet root=UUID=12-34 ro\n"), what: "PARTUUID=12-34",
		},
		Resume: {
			with:    file(cmdline, "GRUB_CMDLINE_LINUX=\"quiet resume=UUID=77\"\n"),
			without: file("etc/initramfs-tools/conf.d/resume", "RESUME=none\n"), what: "UUID=77", path: cmdline,
		},
		HostOnly: {
			with: fixture{linux: map[string]string{"etc/initramfs-tools/initramfs.conf": "MODULES=most\n", "etc/initramfs-tools/conf.d/driver-policy": "MODULES=dep\n"}},
			without: fixture{linux: map[string]string{
				"usr/lib/dracut/dracut.conf.d/01-dist.conf": "hostonly=\"yes\"\n", "usr/lib/dracut/dracut.conf.d/02-generic.conf": "hostonly=\"no\"\n",
				"etc/initramfs-tools/initramfs.conf": "# MODULES=dep\nMODULES=most\n", "etc/mkinitcpio.conf": "HOOKS=(base udev block)\n",
			}},
			what: "MODULES=dep", path: "/etc/initramfs-tools/conf.d",
		},
		NoFirmware: {
			with:    fixture{linux: map[string]string{}, harm: func(dir string) error { return os.RemoveAll(filepath.Join(dir, "usr/lib/firmware")) }},
			without: virtual,
		},
		OneVendor: {
			with: fixture{windows: map[string]string{"Windows/INF/oem0.inf": inf("Dell Inc."), "Windows/INF/OEM1.INF": inf("DELL"), "Windows/INF/oem2.inf": inf("Microsoft")}},
			without: fixture{windows: map[string]string{
				"Windows/INF/oem0.inf": inf("Dell Inc."), "Windows/INF/oem1.inf": inf("Dell"), "Windows/INF/oem2.inf": inf("Intel"), "Windows/INF/disk.inf": inf("Dell"),
			}},
			what: "All 2 drivers",
		},
		GuestTools:        {with: on("Program Files/VMware/VMware Tools/x.exe", ""), without: file("usr/share/vmtoolsd", "")},
		HardwareLeftovers: {with: file("etc/udev/rules.d/70-persistent-net.rules", "x"), without: file("etc/udev/rules.d/10-mine.rules", "x")},
		BoundToMAC: {
			with:    file("etc/NetworkManager/system-connections/lan", "[connection]\ntype=ethernet\n[ethernet]\nmac-address=00:11:22:33:44:55\n"),
			without: file("etc/systemd/network/a.network", "[Match]\nName=en*\n#MACAddress=00:11\n"), what: "system-connections/lan",
		},
		TPMBound: {
			with:    on("Windows/ServiceProfiles/LocalService/AppData/Local/Microsoft/Ngc/{1}/x", ""),
			without: file("etc/crypttab", "root UUID=1 none luks,discard\n"),
		},
	}
}
