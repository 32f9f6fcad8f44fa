package bootenv

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// small is a recipe of packages that the test makes itself.
var small = recipe{
	kernel:    "linux-image-amd64",
	loaders:   loaders,
	programs:  []program{{"toolbox", []string{"hammer", "script"}}},
	libraries: []string{"libloaded.so.1"},
	files:     []string{"etc/toolbox.conf", "usr/share/toolbox/map.gz", "usr/share/locale/"},
	shell:     "usr/bin/busybox",
	applets:   []string{"cat", "hammer", "sh"},
	modules:   []string{"fs/ext4", "drivers/net/r8169", "?fs/none", "fs/later"},
	others:    []string{"busybox-static"},
	optional:  []string{"firmware-some", "firmware-other"},
}

// shelfOf makes the packages of small in a folder, and returns it.
func shelfOf(t *testing.T) string {
	t.Helper()
	dir, root := t.TempDir(), t.TempDir()
	one := func(name, fields string, files map[string]string) {
		t.Helper()
		put(t, filepath.Join(root, name, "DEBIAN/control"),
			"Package: "+name+"\nVersion: 1.0\nArchitecture: amd64\nMaintainer: nobody <n@example.org>\n"+fields+"Description: test\n")
		for file, content := range files {
			at := filepath.Join(root, name, file)
			if target, ok := strings.CutPrefix(content, "-> "); ok {
				os.MkdirAll(filepath.Dir(at), 0o755)
				if err := os.Symlink(target, at); err != nil {
					t.Fatal(err)
				}
				continue
			}
			put(t, at, content)
		}
		run(t, "dpkg-deb", "--root-owner-group", "-Zgzip", "--build", filepath.Join(root, name), dir)
	}
	program, library := compiled(t)
	one("linux-image-amd64", "Depends: linux-image-1.2-amd64\n", nil)
	folder := "lib/modules/1.2-amd64/"
	one("linux-image-1.2-amd64", "Depends: initramfs-tools\n", map[string]string{
		"boot/vmlinuz-1.2-amd64":                       "signed kernel",
		folder + "modules.builtin":                     "kernel/fs/later/later.ko\n",
		folder + "kernel/fs/ext4/ext4.ko":              module(t, "alias=fs-ext4", "depends=jbd2"),
		folder + "kernel/fs/jbd2/jbd2.ko":              module(t, "depends="),
		folder + "kernel/drivers/net/r8169.ko":         module(t, "firmware=rtl/a.fw", "firmware=rtl/none.fw"),
		folder + "kernel/drivers/media/dvb/surplus.ko": module(t, "depends="),
	})
	one("toolbox", "Depends: libthing, perl\n", map[string]string{
		"sbin/hammer": program, "bin/script": "#!/bin/sh\n", "etc/toolbox.conf": "conf", "usr/share/toolbox/map.gz": gzipped(t, "map"), "usr/share/doc/toolbox/x": "doc",
		"usr/share/locale/a/b": "locale",
	})
	one("libthing", "", map[string]string{
		"lib/x86_64-linux-gnu/libthing.so.1": "-> libthing.so.1.2", "lib/x86_64-linux-gnu/libthing.so.1.2": library,
		"usr/lib/x86_64-linux-gnu/libloaded.so.1": library,
	})
	one("busybox-static", "", map[string]string{"bin/busybox": "static"})
	one("firmware-some", "", map[string]string{"lib/firmware/rtl/a.fw": "-> ../real/a.fw", "lib/firmware/real/a.fw": "fw", "lib/firmware/rtl/unused.fw": "fw"})
	one("shim-signed", "Depends: mokutil\n", map[string]string{"usr/lib/shim/shimx64.efi.signed": "shim"})
	one("shim-helpers-amd64-signed", "", map[string]string{"usr/lib/shim/mmx64.efi.signed": "mok"})
	grub := "usr/lib/grub/x86_64-efi-signed/"
	one("grub-efi-amd64-signed", "", map[string]string{grub + "grubnetx64.efi.signed": "grubnet", grub + "gcdx64.efi.signed": "gcd"})
	one("ipxe", "", map[string]string{"usr/lib/ipxe/undionly.kpxe": "undi", "usr/lib/ipxe/ipxe.efi": "-> /boot/ipxe.efi", "boot/ipxe.efi": "ipxe"})
	loader := strings.Repeat("\x00", 64) + "\xfb\xc0\x78\x70" + strings.Repeat("\x00", 4096)
	one("isolinux", "", map[string]string{"usr/lib/ISOLINUX/isolinux.bin": loader, "usr/lib/ISOLINUX/isohdpfx.bin": strings.Repeat("\x01", 432)})
	bios := "usr/lib/syslinux/modules/bios/"
	one("syslinux-common", "", map[string]string{bios + "ldlinux.c32": "ld", bios + "libutil.c32": "lib", bios + "menu.c32": "menu"})
	return dir
}

func put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%s %v: %v: %s", name, args, err, exit.Stderr)
		}
		t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

// compiled returns a program and the library that it needs, both without libc.
func compiled(t *testing.T) (program, library string) {
	t.Helper()
	dir := t.TempDir()
	source, lib, bin := filepath.Join(dir, "a.c"), filepath.Join(dir, "libthing.so"), filepath.Join(dir, "hammer")
	put(t, source, "int thing(void) { return 7; }\n")
	run(t, "gcc", "-shared", "-nostdlib", "-Wl,-soname,libthing.so.1", "-o", lib, source)
	put(t, source, "int thing(void); void _start(void) { thing(); }\n")
	run(t, "gcc", "-nostdlib", "-Wl,--dynamic-linker=/lib/x86_64-linux-gnu/libloaded.so.1", "-o", bin, source, lib)
	p, _ := os.ReadFile(bin)
	l, _ := os.ReadFile(lib)
	return string(p), string(l)
}

// static returns the name of a program that needs nothing.
func static(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.c"), "void _start(void) { for (;;) ; }\n")
	run(t, "gcc", "-nostdlib", "-static", "-o", filepath.Join(dir, "agent"), filepath.Join(dir, "a.c"))
	return filepath.Join(dir, "agent")
}

// module is an ELF file that says fields of itself, followed by a signature.
func module(t *testing.T, fields ...string) string {
	t.Helper()
	dir := t.TempDir()
	text := ".section .modinfo,\"a\"\n"
	for _, f := range fields {
		text += ".asciz \"" + f + "\"\n"
	}
	put(t, filepath.Join(dir, "m.s"), text)
	run(t, "gcc", "-c", "-o", filepath.Join(dir, "m.ko"), filepath.Join(dir, "m.s"))
	b, _ := os.ReadFile(filepath.Join(dir, "m.ko"))
	return string(b) + "signature of " + strings.Join(fields, "") + "~Module signature appended~\n"
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	cmd := exec.Command("gzip", "-n")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func smallConfig(t *testing.T, shelf string) Config {
	return Config{
		Out: filepath.Join(t.TempDir(), "env"), Agent: static(t), Version: "0.4-test", Packages: shelf, Offline: true,
		ISO: ISOConfig{Server: "https://imaging.example.org:8443", Fingerprint: "sha256:" + strings.Repeat("0f", 32)},
	}.withDefaults()
}

func TestBuild(t *testing.T) {
	c := smallConfig(t, shelfOf(t))
	result, err := build(t.Context(), c, small)
	if err != nil {
		t.Fatal(err)
	}
	m := result.Manifest
	if m.Kernel != "1.2-amd64" || m.Modules != 3 || m.Firmware != 1 || m.Agent != "0.4-test" || len(m.Packages) != 11 {
		t.Errorf("%+v", m)
	}
	if got := strings.Join(m.Notes, "; "); len(result.Notes) != 2 || got != "without the package firmware-other, which is not to be had; firmware that drivers name and no package has: rtl/none.fw" {
		t.Error(got)
	}
	for name, want := range map[string]string{"vmlinuz": "signed kernel", "shimx64.efi": "shim", "grubx64.efi": "grubnet", "undionly.kpxe": "undi", "ipxe.efi": "ipxe"} {
		if got, err := os.ReadFile(filepath.Join(c.Out, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	checkInitrd(t, c, unpack(t, filepath.Join(c.Out, "initrd.img")))
}

// unpack has zstd and GNU cpio unpack a RAM disk.
func unpack(t *testing.T, initrd string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	run(t, "sh", "-c", `zstd -dc "$1" | (cd "$2" && cpio --extract --quiet --no-absolute-filenames)`, "sh", initrd, dir)
	return dir
}

func checkInitrd(t *testing.T, c Config, dir string) {
	var names []string
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimPrefix(name, dir+"/"))
		}
		return err
	})
	wanted := strings.Fields(`bin dev/console dev/null etc/group etc/hosts etc/modprobe.d/ingot.conf etc/mtab etc/nsswitch.conf etc/os-release etc/passwd
		etc/profile etc/shells etc/toolbox.conf init lib lib64 sbin usr/bin/busybox usr/bin/cat usr/bin/ingot usr/bin/ingot-agent usr/bin/script
		usr/bin/sh usr/lib/firmware/real/a.fw usr/lib/firmware/rtl/a.fw usr/lib/modules/1.2-amd64/kernel/drivers/net/r8169.ko
		usr/lib/modules/1.2-amd64/kernel/fs/ext4/ext4.ko usr/lib/modules/1.2-amd64/kernel/fs/jbd2/jbd2.ko usr/lib/modules/1.2-amd64/modules.alias
		usr/lib/modules/1.2-amd64/modules.builtin usr/lib/modules/1.2-amd64/modules.dep usr/lib/modules/1.2-amd64/modules.softdep
		usr/lib/x86_64-linux-gnu/libloaded.so.1 usr/lib/x86_64-linux-gnu/libthing.so.1 usr/lib/x86_64-linux-gnu/libthing.so.1.2
		usr/sbin/hammer usr/sbin/modprobe usr/share/locale/a/b usr/share/toolbox/map`)
	if !slices.Equal(names, wanted) {
		t.Errorf("the RAM disk holds\n%s", strings.Join(names, "\n"))
	}
	agent, _ := os.ReadFile(c.Agent)
	for name, want := range map[string]string{
		"init": string(agent), "bin/sh": "static", "usr/share/toolbox/map": "map", "lib/firmware/rtl/a.fw": "fw",
		"lib/modules/1.2-amd64/kernel/fs/ext4/ext4.ko": module(t, "alias=fs-ext4", "depends=jbd2"),
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %d bytes, want %d, %v", name, len(got), len(want), err)
		}
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "etc/os-release")); !strings.Contains(string(b), "ingot boot environment 0.4-test") {
		t.Errorf("%s", b)
	}
}

// TestReproducible builds twice, in other places and at other times.
func TestReproducible(t *testing.T) {
	shelf := shelfOf(t)
	a, b := smallConfig(t, shelf), smallConfig(t, shelf)
	for _, c := range []Config{a, b} {
		if _, err := build(t.Context(), c, small); err != nil {
			t.Fatal(err)
		}
	}
	first, err := Verify(a.Out)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(first.Files, File{Name: manifestName}) {
		one, _ := os.ReadFile(filepath.Join(a.Out, f.Name))
		two, err := os.ReadFile(filepath.Join(b.Out, f.Name))
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s differs, %v", f.Name, err)
		}
	}
	if _, err := build(t.Context(), a, small); err != nil {
		t.Errorf("a boot environment is not replaced: %v", err)
	}
}

func TestVerify(t *testing.T) {
	c := smallConfig(t, shelfOf(t))
	if _, err := build(t.Context(), c, small); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(c.Out, "vmlinuz")
	put(t, name, "Signed kernel")
	if _, err := Verify(c.Out); err == nil || !strings.Contains(err.Error(), "vmlinuz is not what") {
		t.Errorf("%v", err)
	}
	os.Remove(name)
	if _, err := Verify(c.Out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	b, _ := os.ReadFile(filepath.Join(c.Out, manifestName))
	put(t, filepath.Join(c.Out, manifestName), strings.Replace(string(b), `"vmlinuz"`, `"../../etc/passwd"`, 1))
	if _, err := Verify(c.Out); err == nil || !strings.Contains(err.Error(), "the manifest names") {
		t.Errorf("%v", err)
	}
}

func TestRefusals(t *testing.T) {
	shelf := shelfOf(t)
	foreign := t.TempDir()
	put(t, filepath.Join(foreign, "thesis.doc"), "years of work")
	binary, _ := compiled(t)
	dynamic := filepath.Join(t.TempDir(), "agent")
	put(t, dynamic, binary)
	for want, change := range map[string]func(*Config, *recipe){
		"holds something":       func(c *Config, r *recipe) { c.Out = foreign },
		"needs shared":          func(c *Config, r *recipe) { c.Agent = dynamic },
		"no such file":          func(c *Config, r *recipe) { c.Agent = "/no/agent" },
		"package gone is not":   func(c *Config, r *recipe) { r.others = []string{"busybox-static", "gone"} },
		"no program saw":        func(c *Config, r *recipe) { r.programs = []program{{"toolbox", []string{"saw"}}} },
		"no package has etc/x":  func(c *Config, r *recipe) { r.files = []string{"etc/x"} },
		"the library libz.so.1": func(c *Config, r *recipe) { r.libraries = []string{"libz.so.1"} },
		"has not the form":      func(c *Config, r *recipe) { c.ISO.Server = "https://host/ quiet init=/bin/sh" },
		"64 hex digits":         func(c *Config, r *recipe) { c.ISO.Fingerprint = "" },
	} {
		c, r := smallConfig(t, shelf), small
		change(&c, &r)
		if _, err := build(t.Context(), c, r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if _, err := os.Stat(c.Out); c.Out != foreign && err == nil {
			t.Errorf("%s: something was left in %s", want, c.Out)
		}
	}
	if b, _ := os.ReadFile(filepath.Join(foreign, "thesis.doc")); string(b) != "years of work" {
		t.Error("another's folder was changed")
	}
	put(t, filepath.Join(shelf, sumsName), strings.Repeat("0", 64)+"  ipxe_1.0_amd64.deb\n")
	if _, err := build(t.Context(), smallConfig(t, shelf), small); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("a damaged package: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	os.Remove(filepath.Join(shelf, sumsName))
	if _, err := build(ctx, smallConfig(t, shelf), small); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestPrograms checks that every program that ingot runs is in the environment.
func TestPrograms(t *testing.T) {
	for _, name := range tool.Names() {
		there := links["usr/bin/"+string(name)] != "" || slices.Contains(applets, string(name)) || slices.Contains([]tool.Name{tool.AptGet, tool.AptCache, tool.Xorriso}, name)
		for _, p := range programs {
			there = there || p.debian == name.Package() && slices.Contains(p.names, string(name))
		}
		if !there {
			t.Errorf("%s of %s is not in the boot environment", name, name.Package())
		}
	}
}
