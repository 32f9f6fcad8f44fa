package fat

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var options = Options{Label: "INGOT", Serial: 0x12345678, Modified: time.Unix(1_700_000_000, 0)}

// TestImage has dosfstools and mtools look at a volume.
func TestImage(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 200_000) // more clusters than FAT12 has
	files := map[string][]byte{"EFI/BOOT/BOOTX64.EFI": big, "EFI/BOOT/GRUBX64.EFI": big[:5000], "BOOT/GRUB/GRUB.CFG": []byte("x"), "EMPTY": nil}
	for i := range 100 { // a folder of several clusters
		files[fmt.Sprintf("MANY/F%d", i)] = big[:i]
	}
	image, err := Image(files, options)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Image(files, options)
	if !bytes.Equal(image, again) {
		t.Error("the same files are other bytes")
	}
	name := filepath.Join(t.TempDir(), "fat.img")
	if err := os.WriteFile(name, image, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("fsck.fat", "-n", "-v", name).CombinedOutput(); err != nil || !strings.Contains(string(out), "16 bit") {
		t.Errorf("%v: %s", err, out)
	}
	for path, want := range files {
		got, err := exec.Command("mtype", "-i", name, "::"+path).Output()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s holds %d bytes, want %d: %v", path, len(got), len(want), err)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, name := range []string{"", "lower", "TOOLONGNAME", "A.LONG", "A//B", "../A", "A.B.C", "A/"} {
		if _, err := Image(map[string][]byte{name: nil}, options); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	if _, err := Image(map[string][]byte{"A": {}, "A/B": nil}, options); err == nil {
		t.Error("a name is a file and a folder")
	}
	if _, err := Image(map[string][]byte{"A": make([]byte, 200<<20)}, options); err == nil {
		t.Error("200 MiB fit")
	}
}
