package bootenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestISO has xorriso, dosfstools and mtools look at a stick.
func TestISO(t *testing.T) {
	c := smallConfig(t, shelfOf(t))
	if _, err := build(t.Context(), c, small); err != nil {
		t.Fatal(err)
	}
	// xorriso gives "=" and "\" in names a meaning of its own.
	folder := filepath.Join(t.TempDir(), `odd=na\me`)
	if err := os.Rename(c.Out, folder); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "stick.iso")
	if err := ISO(t.Context(), folder, ISOConfig{}, out); err != nil {
		t.Fatal(err)
	}
	inner := t.TempDir()
	run(t, "xorriso", "-osirrox", "on", "-indev", out, "-extract", "/", inner)
	run(t, "chmod", "-R", "u+w", inner)
	for name, want := range map[string]string{
		"boot/vmlinuz": "signed kernel", "EFI/BOOT/BOOTX64.EFI": "shim", "EFI/BOOT/GRUBX64.EFI": "gcd", ".disk/info": "ingot boot environment 0.4-test\n",
	} {
		if got, err := os.ReadFile(filepath.Join(inner, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	grub, _ := os.ReadFile(filepath.Join(inner, "boot/grub/grub.cfg"))
	isolinux, _ := os.ReadFile(filepath.Join(inner, "isolinux/isolinux.cfg"))
	for _, menu := range []string{string(grub), string(isolinux)} {
		if !strings.Contains(menu, "ingot.mode=standalone") || strings.Contains(menu, "ingot.server") {
			t.Errorf("a menu without a server says\n%s", menu)
		}
	}
	efi := filepath.Join(inner, "boot/efi.img")
	if out, err := exec.Command("fsck.fat", "-n", efi).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if got := run(t, "mtype", "-i", efi, "::boot/grub/grub.cfg"); got != string(grub) {
		t.Errorf("UEFI reads another menu:\n%s", got)
	}
	if report := run(t, "xorriso", "-indev", out, "-report_el_torito", "plain", "-report_system_area", "plain"); !strings.Contains(report, "UEFI  y") || !strings.Contains(report, "BIOS  y") || !strings.Contains(report, "0xef") {
		t.Errorf("%s", report)
	}
}

// TestMenus checks what a stick with a server tells the agent.
func TestMenus(t *testing.T) {
	c := ISOConfig{Server: "https://[fd00::1]:8443", Fingerprint: "sha256:" + strings.Repeat("a1", 32)}
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	s := stick{manifest: &Manifest{Agent: "1"}, config: c, id: "0123"}
	want := "ingot.mode=agent ingot.server=https://[fd00::1]:8443 ingot.fingerprint=" + c.Fingerprint + " console=ttyS0,115200 console=tty0"
	for _, menu := range []string{s.grubConfig(), s.isolinuxConfig()} {
		if !strings.Contains(menu, want) {
			t.Errorf("%q is not in\n%s", want, menu)
		}
	}
	for _, server := range []string{"http://host", "https://", "https://a b", "https://host/x", "https://host?x", "https://u@host", "https://host\n", "https://h'"} {
		if (ISOConfig{server, c.Fingerprint}).check() == nil {
			t.Errorf("%q is a server", server)
		}
	}
}
