package bootenv

import "slices"

// recipe is what is taken of which packages.
type recipe struct {
	kernel    string    // package, or a metapackage of it
	loaders   []copied  // what firmware starts
	programs  []program // with the libraries that they need
	libraries []string  // that programs load without saying so
	files     []string  // data of programs; ".gz" is unpacked, a folder ends in a slash
	links     map[string]string
	shell     string // a static program of many applets
	applets   []string
	modules   []string // as kmod.Tree.Choose takes them
	others    []string // further packages that libraries, files and loaders are in
	optional  []string // packages with firmware, used as far as they are to be had
}

// copied is a file of a package, and its name in the folder.
type copied struct{ debian, from, to string }

// program is what is taken of one package.
type program struct {
	debian string
	names  []string
}

// packages are the names of all packages of r.
func (r recipe) packages() []string {
	names := append([]string{r.kernel}, r.others...)
	for _, l := range r.loaders {
		names = append(names, l.debian)
	}
	for _, p := range r.programs {
		names = append(names, p.debian)
	}
	return append(names, r.optional...)
}

// debian is the boot environment of Debian 12. A package that c asks for beside it is
// one that must be there.
func debian(c Config) recipe {
	return recipe{
		kernel:    c.Kernel,
		loaders:   loaders,
		programs:  programs,
		libraries: libraries,
		files:     slices.Concat(charsets, keymaps, terminals, []string{"etc/mke2fs.conf"}),
		links:     links,
		shell:     "usr/bin/busybox",
		applets:   applets,
		modules:   modulePatterns(),
		others:    append([]string{"busybox-static", "console-data", "libc-bin", "libc6", "libgcc-s1", "ncurses-base"}, c.Extra...),
		optional:  firmwarePackages,
	}
}

// loaders are what firmware starts. iso/ is for sticks alone. Everything that ends in
// .signed bears Microsoft's or Debian's signature.
var loaders = []copied{
	{"shim-signed", "usr/lib/shim/shimx64.efi.signed", "shimx64.efi"},
	{"shim-helpers-amd64-signed", "usr/lib/shim/mmx64.efi.signed", "mmx64.efi"},
	{"grub-efi-amd64-signed", "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed", "grubx64.efi"},
	{"ipxe", "usr/lib/ipxe/undionly.kpxe", "undionly.kpxe"},
	{"ipxe", "usr/lib/ipxe/ipxe.efi", "ipxe.efi"},
	{"grub-efi-amd64-signed", "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "iso/gcdx64.efi"},
	{"isolinux", "usr/lib/ISOLINUX/isolinux.bin", "iso/isolinux.bin"},
	{"isolinux", "usr/lib/ISOLINUX/isohdpfx.bin", "iso/isohdpfx.bin"},
	{"syslinux-common", "usr/lib/syslinux/modules/bios/ldlinux.c32", "iso/ldlinux.c32"},
	{"syslinux-common", "usr/lib/syslinux/modules/bios/libutil.c32", "iso/libutil.c32"},
	{"syslinux-common", "usr/lib/syslinux/modules/bios/menu.c32", "iso/menu.c32"},
}

// programs are what package tool runs, and a few for the technician at the shell.
// A test holds that nothing of package tool is missing.
var programs = []program{
	{"bash", []string{"bash"}},
	{"btrfs-progs", []string{"btrfs", "btrfstune", "mkfs.btrfs"}},
	{"dosfstools", []string{"fsck.fat", "mkfs.fat"}},
	{"e2fsprogs", []string{"debugfs", "dumpe2fs", "e2fsck", "mke2fs", "resize2fs", "tune2fs"}},
	{"exfat-fuse", []string{"mount.exfat-fuse"}},
	{"exfatprogs", []string{"fsck.exfat", "mkfs.exfat", "tune.exfat"}},
	{"kbd", []string{"loadkeys"}},
	{"mount", []string{"mount", "umount"}},
	{"mtools", []string{"mattrib", "mcopy", "mdel", "mdir", "mmd", "mrd", "mtools"}},
	{"ntfs-3g", []string{"mkntfs", "ntfs-3g", "ntfsfix", "ntfsinfo", "ntfslabel", "ntfsresize"}},
	{"smartmontools", []string{"smartctl"}},
	{"util-linux", []string{"blkid", "lsblk", "mkswap", "unshare"}},
	{"wimtools", []string{"wimlib-imagex"}},
	{"xfsprogs", []string{"mkfs.xfs", "xfs_admin", "xfs_db", "xfs_growfs", "xfs_info", "xfs_repair"}},
}

// libraries: glibc loads libgcc_s to end threads.
var libraries = []string{"libgcc_s.so.1"}

// charsets are the locale in which programs are run (package tool), so that names of
// files are UTF-8, and what mtools needs to spell names on FAT volumes.
var charsets = []string{
	"usr/lib/locale/C.utf8/",
	"usr/lib/x86_64-linux-gnu/gconv/gconv-modules",
	"usr/lib/x86_64-linux-gnu/gconv/gconv-modules.d/gconv-modules-extra.conf",
	"usr/lib/x86_64-linux-gnu/gconv/IBM437.so",
	"usr/lib/x86_64-linux-gnu/gconv/IBM850.so",
}

// links: BusyBox is there for its applets and for the case that a library is missing,
// but not as the shell. It prefers its applets to the programs of the same names, so
// that who types mke2fs or mount would get another one than ingot.
var links = map[string]string{"usr/bin/sh": "bash"}

// terminals are those that a console may be, for editing at the shell.
var terminals = []string{
	"usr/lib/terminfo/d/dumb", "usr/lib/terminfo/l/linux", "usr/lib/terminfo/v/vt100", "usr/lib/terminfo/v/vt220",
	"usr/lib/terminfo/x/xterm",
}

// keymaps are layouts of keyboards, and what they include.
var keymaps = []string{
	"usr/share/keymaps/i386/azerty/fr-latin9.kmap.gz",
	"usr/share/keymaps/i386/azerty/fr.kmap.gz",
	"usr/share/keymaps/i386/include/azerty-layout.inc.gz",
	"usr/share/keymaps/i386/include/euro.inc.gz",
	"usr/share/keymaps/i386/include/linux-keys-bare.inc.gz",
	"usr/share/keymaps/i386/include/linux-with-alt-and-altgr.inc.gz",
	"usr/share/keymaps/i386/include/linux-with-two-alt-keys.inc.gz",
	"usr/share/keymaps/i386/include/qwerty-layout.inc.gz",
	"usr/share/keymaps/i386/include/qwertz-layout.inc.gz",
	"usr/share/keymaps/i386/qwerty/br-abnt2.kmap.gz",
	"usr/share/keymaps/i386/qwerty/es.kmap.gz",
	"usr/share/keymaps/i386/qwerty/it.kmap.gz",
	"usr/share/keymaps/i386/qwerty/pl.kmap.gz",
	"usr/share/keymaps/i386/qwerty/uk.kmap.gz",
	"usr/share/keymaps/i386/qwerty/us.kmap.gz",
	"usr/share/keymaps/i386/qwertz/de-latin1.kmap.gz",
	"usr/share/keymaps/i386/qwertz/de.kmap.gz",
	"usr/share/keymaps/include/compose.latin1.inc.gz",
}

// firmwarePackages are for wired network cards alone.
var firmwarePackages = []string{"firmware-bnx2", "firmware-bnx2x", "firmware-linux-free", "firmware-misc-nonfree", "firmware-realtek"}

// applets are names of the shell's program. Those that package programs has as well
// are its own.
var applets = []string{
	"[", "ash", "awk", "basename", "blkdiscard", "blockdev", "cat", "chmod", "chown", "chroot", "chvt", "clear", "cmp",
	"cp", "cut", "date", "dd", "depmod", "df", "diff", "dirname", "dmesg", "du", "echo", "egrep", "env", "expr", "false",
	"fdisk", "find", "free", "fsfreeze", "fstrim", "grep", "gunzip", "gzip", "halt", "head", "hexdump", "hostname",
	"hwclock", "id", "insmod", "ip", "kill", "killall", "less", "ln", "loadfont", "loadkmap", "losetup", "ls", "lsmod",
	"md5sum", "mkdir", "mkfifo", "mknod", "mktemp", "modinfo", "modprobe", "more", "mv", "nc", "netstat", "nslookup", "nsenter",
	"od", "openvt", "partprobe", "pidof", "ping", "poweroff", "printf", "ps", "pwd", "readlink", "realpath", "reboot", "reset", "rm",
	"rmdir", "rmmod", "route", "sed", "seq", "setsid", "sha256sum", "sleep", "sort", "stat", "strings", "stty",
	"swapoff", "swapon", "switch_root", "sync", "sysctl", "tail", "tar", "tee", "test", "tftp", "time", "timeout", "top", "touch", "tr", "traceroute",
	"true", "truncate", "tty", "udhcpc", "uname", "uniq", "unxz", "unzip", "uptime", "vi", "watch", "wc", "wget", "which", "xargs", "xxd", "yes", "zcat",
}
