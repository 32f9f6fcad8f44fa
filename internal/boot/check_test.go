package boot

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/boottest"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/rootfs"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/system"
	formats "github.com/ingot-imaging/ingot/internal/volume/all"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const (
	rootUUID = "2b7e1f0a-5d5c-4d0e-8a3f-6f1f7a0c9b11"
	swapUUID = "9c1d3f7e-0d59-4f7b-9f0c-3f4f0f2d7a22"
	espUUID  = "A1B2-C3D4"
)

// grubcfg is what grub-mkconfig of Debian 12 writes, shortened.
const grubcfg = `
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
function load_video {
  insmod all_video
}
if [ x$feature_default_font_path = xy ] ; then
   font=unicode
else
insmod part_gpt
insmod ext2
set root='hd0,gpt2'
if [ x$feature_platform_search_hint = xy ]; then
  search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt2 --hint-efi=hd0,gpt2 --hint-baremetal=ahci0,gpt2  ROOT
else
  search --no-floppy --fs-uuid --set=root ROOT
fi
    font="/usr/share/grub/unicode.pf2"
fi
menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option 'gnulinux-simple-ROOT' {
	insmod gzio
	set root='hd0,gpt2'
	search --no-floppy --fs-uuid --set=root ROOT
	echo	'Loading Linux 6.1.0-18-amd64 ...'
	linux	/boot/vmlinuz-6.1.0-18-amd64 root=UUID=ROOT ro  quiet
	echo	'Loading initial ramdisk ...'
	initrd	/boot/initrd.img-6.1.0-18-amd64
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-ROOT' {
	menuentry 'Debian GNU/Linux, with Linux 6.1.0-17-amd64' {
		linux	/boot/vmlinuz-6.1.0-17-amd64 root=UUID=ROOT ro  quiet
		initrd	/boot/initrd.img-6.1.0-17-amd64
	}
}
menuentry 'Windows Boot Manager (on /dev/nvme0n1p1)' {
	search --no-floppy --fs-uuid --set=root 1234-ABCD
	chainloader /EFI/Microsoft/Boot/bootmgfw.efi
}
`

// healthy are the files of a Debian that boots, "esp/..." and "root/...".
func healthy() map[string]string {
	return map[string]string{
		"esp/EFI/BOOT/BOOTX64.EFI":            program(0x8664, "\nshim,4"),
		"esp/EFI/BOOT/grubx64.efi":            program(0x8664, ""),
		"esp/EFI/debian/shimx64.efi":          program(0x8664, "\nshim,4"),
		"esp/EFI/debian/grubx64.efi":          program(0x8664, ""),
		"esp/EFI/debian/grub.cfg":             "search.fs_uuid " + rootUUID + " root hd0,gpt2 \nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n",
		"root/boot/grub/grub.cfg":             strings.ReplaceAll(grubcfg, "ROOT", rootUUID),
		"root/boot/vmlinuz-6.1.0-18-amd64":    "k",
		"root/boot/initrd.img-6.1.0-18-amd64": "i",
		"root/boot/vmlinuz-6.1.0-17-amd64":    "k",
		"root/boot/initrd.img-6.1.0-17-amd64": "i",
		"root/etc/fstab": "# comment\nUUID=" + rootUUID + " / ext4 errors=remount-ro 0 1\nUUID=" + espUUID + " /boot/efi vfat umask=0077 0 1\n" +
			"PARTUUID=11111111-2222-3333-4444-000000000003 none swap sw 0 0\n/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n" +
			"LABEL=my\\040data /data ext4 nofail 0 2\n",
	}
}

func diskOf(t *testing.T, tree map[string]string) Disk {
	t.Helper()
	top, dir := files(t, tree)
	top.Close()
	open := func(name string) *rootfs.Root {
		r, err := rootfs.Open(filepath.Join(dir, name))
		if err != nil {
			return nil
		}
		t.Cleanup(func() { r.Close() })
		return r
	}
	id := func(n int) string { return fmt.Sprintf("11111111-2222-3333-4444-%012d", n) }
	table := part.Table{Kind: part.GPT, SectorSize: 512, Partitions: []part.Partition{
		{Number: 1, Type: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", ID: id(1)}, {Number: 2, ID: id(2)}, {Number: 3, ID: id(3), Name: "swap"},
	}}
	return Disk{
		Reader: memory(make([]byte, 4*mib)),
		Table:  table,
		Volumes: []system.Volume{
			system.Volume{Partition: 1, Kind: "fat32", UUID: espUUID}.In(table),
			system.Volume{Partition: 2, Kind: "ext4", UUID: rootUUID, Label: "my data"}.In(table),
			system.Volume{Partition: 3, Kind: "swap", UUID: swapUUID}.In(table),
		},
		ESP: open("esp"), Root: open("root"),
	}
}

func TestCheck(t *testing.T) {
	const other = "00000000-0000-4000-8000-000000000000"
	replace := func(name, old, new string) func(map[string]string) {
		return func(m map[string]string) { m[name] = strings.ReplaceAll(m[name], old, new) }
	}
	remove := func(name string) func(map[string]string) { return func(m map[string]string) { delete(m, name) } }
	for name, c := range map[string]struct {
		change  func(map[string]string)
		disk    func(*Disk)
		boots   bool
		finding string
	}{
		"healthy":         {boots: true, finding: "note: /boot/grub/grub.cfg looks for the volume UUID=1234-ABCD"},
		"kernel gone":     {change: remove("root/boot/vmlinuz-6.1.0-18-amd64"), finding: "fatal: /boot/grub/grub.cfg starts /boot/vmlinuz-6.1.0-18-amd64, which is not there"},
		"old kernel gone": {change: remove("root/boot/vmlinuz-6.1.0-17-amd64"), boots: true, finding: "warning: /boot/grub/grub.cfg starts /boot/vmlinuz-6.1.0-17-amd64, which is not there"},
		"initrd gone":     {change: remove("root/boot/initrd.img-6.1.0-18-amd64"), finding: "fatal: /boot/grub/grub.cfg starts /boot/initrd.img-6.1.0-18-amd64"},
		"other root":      {change: replace("root/boot/grub/grub.cfg", "root=UUID="+rootUUID, "root=UUID="+other), finding: "fatal: /boot/grub/grub.cfg starts a kernel with root=UUID=" + other},
		"other search":    {change: replace("root/boot/grub/grub.cfg", "--set=root "+rootUUID, "--set=root "+other), boots: true, finding: "warning: /boot/grub/grub.cfg looks for the volume UUID=" + other},
		"first menu":      {change: replace("esp/EFI/debian/grub.cfg", rootUUID, other), finding: "fatal: EFI/debian/grub.cfg looks for the volume UUID=" + other},
		"fstab":           {change: replace("root/etc/fstab", espUUID, "FFFF-FFFF"), finding: "fatal: fstab names UUID=FFFF-FFFF for /boot/efi"},
		"fstab swap":      {change: replace("root/etc/fstab", "000000000003", "000000000009"), boots: true, finding: "warning: fstab names PARTUUID="},
		"fstab nofail":    {change: replace("root/etc/fstab", `my\040data`, "nothing"), boots: true, finding: "note: fstab names LABEL=nothing"},
		"containers":      {change: replace("root/etc/fstab", espUUID, "FFFF-FFFF"), disk: func(d *Disk) { d.Volumes = append(d.Volumes, system.Volume{Kind: "luks2"}) }, boots: true},
		"no fallback": {change: func(m map[string]string) {
			delete(m, "esp/EFI/BOOT/BOOTX64.EFI")
			delete(m, "esp/EFI/BOOT/grubx64.efi")
		}, boots: true, finding: "warning: There is no loader at the fallback place"},
		"damaged fallback":  {change: func(m map[string]string) { m["esp/EFI/BOOT/BOOTX64.EFI"] = "zeros" }, boots: true, finding: "warning: There is no loader at the fallback place"},
		"shim alone":        {change: remove("esp/EFI/BOOT/grubx64.efi"), finding: "fatal: EFI/BOOT/BOOTX64.EFI has nothing beside it"},
		"type of the ESP":   {disk: func(d *Disk) { d.Table.Partitions[0].Type = "" }, boots: true, finding: "warning: No partition has the type of an EFI system partition"},
		"no ESP":            {disk: func(d *Disk) { d.ESP = nil; d.Table.Partitions[0].Type = "" }, finding: "fatal: Neither UEFI nor a BIOS finds a loader"},
		"ESP not mounted":   {disk: func(d *Disk) { d.ESP = nil }, finding: "warning: Whether UEFI finds a loader is not known"},
		"a machine of 2009": {disk: func(d *Disk) { d.Firmware = "bios" }, finding: "fatal: The machine has a BIOS, and the disk starts with UEFI only"},
		"terminal":          {change: replace("root/etc/fstab", espUUID, "\x1b[2J"), finding: "fatal: fstab names UUID=\ufffd[2J for /boot/efi"},
		"grub.cfg a folder": {change: func(m map[string]string) { delete(m, "root/boot/grub/grub.cfg"); m["root/boot/grub/grub.cfg/x"] = "" }, boots: true, finding: "warning: A file that the system starts from cannot be read"},
		"separate /boot":    {change: replace("root/boot/grub/grub.cfg", " /boot/", " /"), boots: true},
		"btrfs":             {change: replace("root/boot/grub/grub.cfg", " /boot/", " /@rootfs/boot/"), boots: true},
		"Windows":           {change: func(m map[string]string) { m["esp/EFI/Microsoft/Boot/bootmgfw.efi"] = program(0x8664, "") }, finding: "fatal: Windows' boot configuration EFI/Microsoft/Boot/BCD is missing"},
		"entries": {change: func(m map[string]string) {
			m["root/boot/grub/grub.cfg"] = "blscfg\n"
			m["root/boot/loader/entries/a-6.9.conf"] = "title Old\nlinux /vmlinuz-6.1.0-17-amd64\noptions root=UUID=" + rootUUID + "\n"
			m["root/boot/loader/entries/a-6.10.conf"] = "title New\nlinux /vmlinuz-new\ninitrd /initrd.img-6.1.0-18-amd64 $tuned_initrd\noptions root=UUID=" + other + " ro\n"
		}, finding: "fatal: boot/loader/entries starts /vmlinuz-new, which is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			tree := healthy()
			if c.change != nil {
				c.change(tree)
			}
			d := diskOf(t, tree)
			if c.disk != nil {
				c.disk(&d)
			}
			v, err := Check(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			all := ""
			for _, f := range v.Findings {
				all += fmt.Sprintf("%s: %s\n", f.Severity, f.What)
			}
			if v.Boots(d.Firmware) != c.boots || !strings.Contains(all, c.finding) {
				t.Errorf("boots is %v, UEFI %q; want %v and %q in\n%s", v.Boots(d.Firmware), v.UEFI, c.boots, c.finding, all)
			}
		})
	}
}

// TestCheckRealDisk builds the disk that the tests of deploy boot.
func TestCheckRealDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk.img")
	if err := (boottest.Disk{Firmware: boottest.UEFI, FileSystem: "ext4", Size: 1700 * mib}).Build(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	d := realDisk(t, path)
	v, err := Check(t.Context(), d)
	if err != nil || v.UEFI != "EFI/BOOT/BOOTX64.EFI (GRUB)" || len(v.Findings) > 0 || !v.Boots("uefi") {
		t.Errorf("%+v, %v", v, err)
	}
	d.Volumes = slices.DeleteFunc(d.Volumes, func(v system.Volume) bool { return v.Kind == "ext4" })
	if v, err := Check(t.Context(), d); err != nil || v.Boots("uefi") {
		t.Errorf("without its root: %+v, %v", v, err)
	}
}

func realDisk(t *testing.T, path string) Disk {
	t.Helper()
	f := openDisk(t, path)
	found, err := survey.Look(t.Context(), f, formats.Formats())
	if err != nil {
		t.Fatal(err)
	}
	d := Disk{Reader: f, Table: found.Table}
	for _, v := range found.Volumes {
		d.Volumes = append(d.Volumes, system.Volume{Partition: v.Partition.Number, Kind: v.Info.Kind, UUID: v.Info.UUID, Label: v.Info.Label}.In(found.Table))
		var dir string
		switch {
		case v.Info.Kind == "ext4":
			dir, _ = volumetest.Mount(t, path, fmt.Sprintf("ro,noload,offset=%d,sizelimit=%d", v.Start(), v.Partition.Length))
		case strings.HasPrefix(v.Info.Kind, "fat"):
			dir = t.TempDir()
			sh(t, `mcopy -s -i "$1@@$2" ::/EFI "$3"`, path, fmt.Sprint(v.Start()), dir)
		default:
			continue
		}
		root, err := rootfs.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { root.Close() })
		if v.Info.Kind == "ext4" {
			d.Root = root
		} else {
			d.ESP = root
		}
	}
	return d
}

func TestWords(t *testing.T) {
	for line, want := range map[string]string{
		`	linux	/boot/vmlinuz root=UUID=x ro quiet # no comment`: "linux|/boot/vmlinuz|root=UUID=x|ro|quiet",
		`menuentry 'Debian \n "x"' --class debian {`:             `menuentry|Debian \n "x"|--class|debian`,
		`set a="b \" c"; boot`:                                   `set|a=b " c|boot`,
		`# comment`:                                              "",
		`''`:                                                     "",
		`a#b`:                                                    "a#b",
	} {
		if got := strings.Join(words(line), "|"); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	sorted := []string{"", "a", "a-0-rescue.conf", "a-6.1.0-9.conf", "a-6.1.0-18.conf", "a-6.9.conf", "a-6.10.conf", "b-1.conf"}
	for i, a := range sorted {
		for j, b := range sorted {
			if got := compareVersions(a, b); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%q, %q: %d", a, b, got)
			}
		}
	}
}

func FuzzMenu(f *testing.F) {
	f.Add(grubcfg)
	f.Add("title x\nlinux /vmlinuz\noptions root=UUID=a\n")
	f.Fuzz(func(t *testing.T, text string) {
		m := parseGRUB(text)
		if len(m.kernels) > maxMenu || len(m.searches) > maxMenu {
			t.Errorf("%d kernels, %d searches", len(m.kernels), len(m.searches))
		}
		parseEntry(text)
	})
}
