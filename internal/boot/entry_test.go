package boot

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// debian is the entry that Debian's installer makes, as a real firmware stores it.
const debian = "010000006200640065006200690061006e00000004012a00010000000008000000000000000010000000000043b95e3fe1ff3a42a88a0b39b2c1a5a50202" +
	"04043400" + "5c004500460049005c00640065006200690061006e005c007300680069006d007800360034002e0065006600690000007fff0400"

var shim = Place{1, 2048, 1048576, "3F5EB943-FFE1-423A-A88A-0B39B2C1A5A5", `\EFI\debian\shimx64.efi`}

func TestLoadOption(t *testing.T) {
	raw, err := hex.DecodeString(debian)
	if err != nil {
		t.Fatal(err)
	}
	o, err := ParseLoadOption(raw)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := o.Place(); !ok || p != shim || o.Label != "debian" {
		t.Errorf("%q at %+v", o.Label, p)
	}
	if !bytes.Equal(o.Bytes(), raw) {
		t.Errorf("it is encoded as %x", o.Bytes())
	}
	path, err := shim.path()
	if err != nil || !bytes.Equal(path, o.Path) {
		t.Errorf("its path is made as %x, %v", path, err)
	}
}

// efibootmgr runs the judge on a folder.
func efibootmgr(t *testing.T, v Variables, args ...string) string {
	t.Helper()
	cmd := exec.Command("efibootmgr", args...)
	cmd.Env = append(os.Environ(), "EFIVARFS_PATH="+v.Dir+"/")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("efibootmgr %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// firmware makes the variables of a PC that has booted before.
func firmware(t *testing.T) Variables {
	t.Helper()
	v := Variables{Dir: t.TempDir()}
	setup, err := hex.DecodeString("0901000046006c006f00700070007900" + "0000" + "7fff0400")
	if err != nil {
		t.Fatal(err)
	}
	setup[4], setup[5] = 4, 0
	setup[0], setup[1] = 1, 0
	raw, _ := hex.DecodeString(debian)
	for name, data := range map[string][]byte{"Boot0000": setup, "Boot0003": raw, "Boot0004": {1, 2, 3}, "BootCurrent": {3, 0}} {
		if err := v.write(name, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.setOrder([]Number{0, 3, 4, 9}); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEnsureEntry(t *testing.T) {
	moved := shim
	moved.Start = 4096
	other := shim
	other.File = `\EFI\BOOT\BOOTX64.EFI`
	lower := shim
	lower.File = `\efi\DEBIAN\shimx64.efi`
	v := firmware(t)
	for _, step := range []struct {
		place Place
		want  Changes
	}{
		{shim, Changes{Number: 3, Order: []Number{3, 0, 4, 9}}},
		{lower, Changes{Number: 3, Order: []Number{3, 0, 4, 9}}},
		{other, Changes{Number: 1, Made: true, Order: []Number{1, 3, 0, 4, 9}}},
		{other, Changes{Number: 1, Order: []Number{1, 3, 0, 4, 9}}},
		{moved, Changes{Number: 2, Made: true, Removed: []Number{3}, Order: []Number{2, 1, 0, 4, 9}}},
		{moved, Changes{Number: 2, Order: []Number{2, 1, 0, 4, 9}}},
	} {
		got, err := EnsureEntry(v, Entry{"Debian GNU/Linux", step.place})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, step.want) {
			t.Fatalf("%+v gave %+v, want %+v", step.place, got, step.want)
		}
		order, err := v.Order()
		if err != nil || !slices.Equal(order, step.want.Order) {
			t.Fatalf("the order is %v, %v", order, err)
		}
	}
	if err := v.SetNext(2); err != nil {
		t.Fatal(err)
	}
	if n, ok, err := v.Next(); n != 2 || !ok || err != nil {
		t.Errorf("next is %v, %v, %v", n, ok, err)
	}
}

func TestEfibootmgrReadsOurs(t *testing.T) {
	v := firmware(t)
	if err := v.remove("Boot0004"); err != nil { // three bytes, which efibootmgr does not bear
		t.Fatal(err)
	}
	moved := shim
	moved.Partition, moved.Start, moved.Size = 2, 0x1234, 0x56789
	if _, err := EnsureEntry(v, Entry{"Büro \"1\"", moved}); err != nil {
		t.Fatal(err)
	}
	if err := v.SetNext(1); err != nil {
		t.Fatal(err)
	}
	out := efibootmgr(t, v, "-v")
	for _, want := range []string{
		"BootNext: 0001", "BootOrder: 0001,0000,", `Boot0001* Büro "1"`,
		`HD(2,GPT,3f5eb943-ffe1-423a-a88a-0b39b2c1a5a5,0x1234,0x56789)/File(\EFI\debian\shimx64.efi)`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("efibootmgr does not say %s but\n%s", want, out)
		}
	}
	if strings.Contains(out, "Boot0003") {
		t.Errorf("the entry for the partition's old place is still there:\n%s", out)
	}
}

// TestOursIsWhatEfibootmgrMakes compares byte for byte: efibootmgr makes an entry
// for a partition of a disk image.
func TestOursIsWhatEfibootmgrMakes(t *testing.T) {
	v := Variables{Dir: t.TempDir()}
	disk := filepath.Join(t.TempDir(), "disk.img")
	script := `truncate -s 64M "$1" && sfdisk -q "$1" <<<$'label: gpt\nstart=2048, size=65536, type=uefi, uuid=3F5EB943-FFE1-423A-A88A-0B39B2C1A5A5' && losetup -P -f --show "$1"`
	out, err := exec.Command("bash", "-c", script, "bash", disk).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	device := strings.TrimSpace(string(out))
	t.Cleanup(func() { exec.Command("losetup", "-d", device).Run() })
	efibootmgr(t, v, "-c", "-d", device, "-p", "1", "-L", "Linux", "-l", `\EFI\debian\grubx64.efi`)
	want, err := v.read("Boot0000")
	if err != nil {
		t.Fatal(err)
	}
	place := Place{1, 2048, 65536, shim.GUID, `\EFI\debian\grubx64.efi`}
	c, err := EnsureEntry(v, Entry{"Linux", place})
	if err != nil || c.Made {
		t.Errorf("efibootmgr's entry is not the one that is wanted: %+v, %v", c, err)
	}
	path, err := place.path()
	if err != nil {
		t.Fatal(err)
	}
	if got := (LoadOption{Attributes: active, Label: "Linux", Path: path}).Bytes(); !bytes.Equal(got, want) {
		t.Errorf("ours         %x\nefibootmgr's %x", got, want)
	}
}

func TestEnsureEntryRefuses(t *testing.T) {
	v := firmware(t)
	for _, p := range []Place{{}, {1, 2048, 1, "no GUID", `\x`}, {1, 0, 1, shim.GUID, `\x`}, {1, 1, 1, shim.GUID, ""}} {
		if _, err := EnsureEntry(v, Entry{"x", p}); err == nil {
			t.Errorf("%+v was accepted", p)
		}
	}
	if _, err := EnsureEntry(Variables{Dir: filepath.Join(v.Dir, "nothing")}, Entry{"x", shim}); err == nil {
		t.Error("a PC without variables got an entry")
	}
}

func TestLocksAreTakenOff(t *testing.T) {
	v := firmware(t)
	var asked []string
	v.Mutable = func(path string) error {
		asked = append(asked, filepath.Base(path)[:8])
		return nil
	}
	moved := shim
	moved.Start++
	if _, err := EnsureEntry(v, Entry{"x", moved}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"Boot0001", "BootOrde", "Boot0003"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
}

func FuzzLoadOption(f *testing.F) {
	raw, _ := hex.DecodeString(debian)
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := ParseLoadOption(b)
		if err != nil {
			return
		}
		again, err := ParseLoadOption(o.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		p, ok := o.Place()
		q, okAgain := again.Place()
		if p != q || ok != okAgain || fmt.Sprint(again) != fmt.Sprint(o) {
			t.Errorf("%+v became %+v", o, again)
		}
	})
}
