package bootenv

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// environment is the real boot environment with the stand-in for the agent, built
// once for all lab tests.
var environment = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ingot-lab-")
	if err != nil {
		return "", err
	}
	c, err := debianConfig(dir)
	if err != nil {
		return "", err
	}
	_, err = Build(context.Background(), c)
	return c.Out, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv("INGOT_LAB") != "" {
		if folder, err := environment(); err == nil {
			os.RemoveAll(filepath.Dir(folder))
		}
	}
	os.Exit(code)
}

func built(t *testing.T) string {
	t.Helper()
	lab(t)
	folder, err := environment()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// qemu runs a PC with two emulated cores until it turns itself off, and returns what
// the stand-in said on the first serial port, by the first word of each line.
func qemu(t *testing.T, args ...string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	args = append([]string{"-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config",
		"-display", "none", "-serial", "stdio", "-no-reboot"}, args...)
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", args...)
	var serial, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &serial, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s\n%s", err, &complaints, &serial)
	}
	said := map[string]string{}
	for _, m := range regexp.MustCompile(`@@ (\S+) ([^\r\n]*)`).FindAllStringSubmatch(serial.String(), -1) {
		said[m[1]] += m[2] + "\n"
	}
	if said["ready"] == "" {
		t.Fatalf("the agent did not start:\n%s", &serial)
	}
	return said
}

// disk returns the options for a new empty disk.
func disk(t *testing.T, id, device string) []string {
	t.Helper()
	name := filepath.Join(t.TempDir(), id)
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 16<<20); err != nil {
		t.Fatal(err)
	}
	return []string{"-drive", "if=none,format=raw,id=" + id + ",file=" + name, "-device", device + ",drive=" + id}
}

// secondsToAgent is the bar: from the kernel's start to the agent's, and until it has
// loaded the drivers.
const secondsToAgent = 25

// TestLabKernel starts kernel and RAM disk on a PC with one of each.
func TestLabKernel(t *testing.T) {
	folder := built(t)
	args := []string{"-machine", "q35", "-kernel", filepath.Join(folder, "vmlinuz"), "-initrd", filepath.Join(folder, "initrd.img"),
		"-append", "console=ttyS0,115200 quiet", "-device", "ahci,id=ahci", "-device", "qemu-xhci", "-device", "usb-kbd", "-device", "usb-uas,id=uas", "-device", "i6300esb",
		"-device", "virtio-scsi-pci,id=vscsi", "-device", "megasas,id=mega", "-device", "sdhci-pci"}
	args = slices.Concat(args, disk(t, "sata", "ide-hd,bus=ahci.0"), disk(t, "nvme", "nvme,serial=1"), disk(t, "virtio", "virtio-blk-pci"),
		disk(t, "stick", "usb-storage"),
		disk(t, "scsi", "scsi-hd,bus=vscsi.0"), disk(t, "raid", "scsi-hd,bus=mega.0"), disk(t, "card", "sd-card"), disk(t, "fast", "scsi-hd,bus=uas.0"))
	for _, nic := range []string{"e1000e", "virtio-net-pci", "usb-net", "e1000", "rtl8139", "vmxnet3"} {
		args = append(args, "-device", nic)
	}
	said := qemu(t, args...)
	for _, want := range []string{"=sd", "=nvme", "=virtio_blk", "=mmcblk"} {
		if !strings.Contains(said["disks"], want) {
			t.Errorf("no disk %s: %s", want, said["disks"])
		}
	}
	if n := strings.Count(said["disks"], "=sd"); n != 5 { // SATA, USB, USB attached SCSI, virtio-scsi, MegaRAID
		t.Errorf("%d SCSI disks: %s", n, said["disks"])
	}
	for _, want := range []string{"=e1000e", "=virtio_net", "=cdc_", "=e1000\n", "=8139", "=vmxnet3"} {
		if !strings.Contains(strings.ReplaceAll(said["nics"], " ", "\n"), want) {
			t.Errorf("no network card %s: %s", want, said["nics"])
		}
	}
	if said["watchdogs"] == "" || said["module"] != "" {
		t.Errorf("watchdogs %q, modules that failed: %s", said["watchdogs"], said["module"])
	}
	for tool, result := range said {
		if strings.HasPrefix(tool, "tool") && !strings.HasPrefix(result, "<nil>") {
			t.Errorf("%s: %s", tool, result)
		}
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimPrefix(said["init"], "at ")), 64)
	if limit := secondsToAgent * crowd(t); err != nil || seconds > limit {
		t.Errorf("the agent started after %q, limit %.0f s", said["init"], limit)
	}
	t.Logf("init %s ready %s memory %s disks %s nics %s", said["init"], said["ready"], said["MemAvailable:"], said["disks"], said["nics"])
}

// crowd is how many programs want each core of this machine; at least 1.
func crowd(t *testing.T) float64 {
	t.Helper()
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	load, err := strconv.ParseFloat(strings.Fields(string(b))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return max(1, load/float64(runtime.NumCPU()))
}

const firmware = "/usr/share/OVMF/"

// TestLabStick starts the stick in every way.
func TestLabStick(t *testing.T) {
	folder := built(t)
	iso := filepath.Join(t.TempDir(), "stick.iso")
	server := ISOConfig{Server: "https://192.0.2.1:8443", Fingerprint: "sha256:" + strings.Repeat("5c", 32)}
	if err := ISO(t.Context(), folder, server, iso); err != nil {
		t.Fatal(err)
	}
	machines := map[string][]string{
		"BIOS": {"-machine", "pc,graphics=off"},
		"UEFI": {"-machine", "q35", "-device", "VGA", "-drive", "if=pflash,format=raw,readonly=on,file=" + firmware + "OVMF_CODE_4M.fd",
			"-drive", "if=pflash,format=raw,snapshot=on,file=" + firmware + "OVMF_VARS_4M.fd"},
		"Secure Boot": {"-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on",
			"-drive", "if=pflash,format=raw,readonly=on,file=" + firmware + "OVMF_CODE_4M.secboot.fd",
			"-drive", "if=pflash,format=raw,snapshot=on,file=" + firmware + "OVMF_VARS_4M.ms.fd"},
	}
	media := map[string][]string{
		"DVD":  {"-device", "ahci,id=a", "-drive", "if=none,id=m,media=cdrom,readonly=on,format=raw,file=" + iso, "-device", "ide-cd,drive=m,bus=a.0,bootindex=1"},
		"disk": {"-device", "ahci,id=a", "-drive", "if=none,id=m,snapshot=on,format=raw,file=" + iso, "-device", "ide-hd,drive=m,bus=a.0,bootindex=1"},
		"USB":  {"-device", "qemu-xhci", "-drive", "if=none,id=m,snapshot=on,format=raw,file=" + iso, "-device", "usb-storage,drive=m,bootindex=1"},
	}
	for kind, machine := range machines {
		for medium, drive := range media {
			t.Run(kind+" "+medium, func(t *testing.T) {
				said := qemu(t, slices.Concat(machine, drive)...)
				if want := "ingot.mode=agent ingot.server=" + server.Server + " ingot.fingerprint=" + server.Fingerprint; !strings.Contains(said["cmdline"], want) {
					t.Errorf("the command line is %s", said["cmdline"])
				}
				if uefi := said["uefi"] == "true\n"; uefi != (kind != "BIOS") {
					t.Errorf("UEFI is %q", said["uefi"])
				}
				if locked := strings.Contains(said["lockdown"], "[integrity]"); locked != (kind == "Secure Boot") {
					t.Errorf("the lockdown is %q", said["lockdown"])
				}
				if kind == "UEFI" && !strings.Contains(said["fb"], "EFI VGA") {
					t.Errorf("the screen is %q", said["fb"])
				}
				t.Logf("init %s", said["init"])
			})
		}
	}
}

// TestLabSignatures has sbsigntool look at what Secure Boot checks.
func TestLabSignatures(t *testing.T) {
	folder := built(t)
	for name, signer := range map[string]string{
		"shimx64.efi": "Microsoft", "mmx64.efi": "Debian", "grubx64.efi": "Debian", "iso/gcdx64.efi": "Debian", "vmlinuz": "Debian",
	} {
		out, err := exec.Command("sbverify", "--list", filepath.Join(folder, name)).CombinedOutput()
		if err != nil || !strings.Contains(string(out), signer) {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
	dir := unpack(t, filepath.Join(folder, "initrd.img"))
	modules := run(t, "sh", "-c", `find "$1" -name '*.ko' | xargs -n1 tail -c 28 | grep -c 'Module signature appended'; find "$1" -name '*.ko' | wc -l`, "sh", dir)
	if counts := strings.Fields(modules); len(counts) != 2 || counts[0] != counts[1] {
		t.Errorf("modules with a signature, and all: %s", modules)
	}
	checkDepmod(t, dir)
}

// checkDepmod has kmod's depmod make modules.dep anew.
func checkDepmod(t *testing.T, dir string) {
	t.Helper()
	m, err := filepath.Glob(filepath.Join(dir, "usr/lib/modules/*"))
	if err != nil || len(m) != 1 {
		t.Fatal(m, err)
	}
	lines := func() []string {
		b, err := os.ReadFile(filepath.Join(m[0], "modules.dep"))
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Split(string(b), "\n")
		for i, line := range all { // in which order equals come is not said
			words := strings.Fields(line)
			if len(words) > 1 {
				slices.Sort(words[1:])
			}
			all[i] = strings.Join(words, " ")
		}
		slices.Sort(all)
		return all
	}
	ours := lines()
	run(t, "depmod", "-b", dir, filepath.Base(m[0]))
	theirs := lines()
	for _, line := range theirs {
		if !slices.Contains(ours, line) {
			t.Errorf("depmod says %s", line)
		}
	}
}

// TestLabPrograms runs programs in the RAM disk as in a chroot.
func TestLabPrograms(t *testing.T) {
	dir := unpack(t, filepath.Join(built(t), "initrd.img"))
	for _, p := range programs {
		for _, name := range p.names {
			// What matters is that it starts: a missing library is exit code 127.
			cmd := exec.Command("chroot", dir, name, "--version")
			cmd.Stdin = strings.NewReader("")
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() >= 126 || strings.Contains(string(out), "error while loading") {
				t.Errorf("%s of %s: %s", name, p.debian, out)
			}
		}
	}
	script := `set -ex
mount -t proc proc /proc
export LC_ALL=C.UTF-8 MTOOLS_SKIP_CHECK=1
truncate -s 64M /f; mkfs.fat /f >/dev/null; echo text >/t; mcopy -i /f /t ::/Grüße.txt; mdir -b -i /f | grep -q Grüße.txt
truncate -s 32M /e; mke2fs -q -t ext4 /e; e2fsck -fn /e >/dev/null; resize2fs /e 16M >/dev/null 2>&1
truncate -s 320M /x; mkfs.xfs -q /x; xfs_repair -n /x >/dev/null 2>&1; xfs_db -r -c version /x >/dev/null
truncate -s 128M /b; mkfs.btrfs -q /b; btrfs check /b >/dev/null 2>&1
truncate -s 16M /n; mkntfs -qF /n >/dev/null; ntfsresize -if /n >/dev/null; ntfsfix -n /n >/dev/null
truncate -s 16M /z; mkfs.exfat /z >/dev/null; fsck.exfat -n /z >/dev/null
wimlib-imagex capture /etc /w.wim --quiet; wimlib-imagex info /w.wim | grep -q "Image Count"
for k in us uk de de-latin1 fr fr-latin9 es it pl br-abnt2; do loadkeys -b $k | grep -q bkeymap; done
for a in ` + strings.Join(applets, " ") + `; do which $a >/dev/null || { echo no $a; exit 1; }; done
test "$(readlink -f /bin/sh)" = /usr/bin/bash; case $(type mke2fs) in */sbin/mke2fs*) ;; *) exit 1 ;; esac
for a in $(ls -l /usr/bin | sed -n 's/.* \([^ ]*\) -> busybox$/\1/p'); do busybox --list | grep -qxF -- "$a" || { echo busybox has no $a; exit 1; }; done`
	cmd := exec.Command("unshare", "--mount", "chroot", dir, "/bin/sh", "-c", script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
