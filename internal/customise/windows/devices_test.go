package windows

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/hive"
)

// GUIDs of two disks and their partitions.
const (
	oldDisk, newDisk = "75A6DE16-2CCC-4187-817F-94DC4067825F", "11111111-2CCC-4187-817F-94DC40678201"
	oldESP, newESP   = "9BCEC562-9909-4A8D-AC83-F0E44A86E9EE", "22222222-9909-4A8D-AC83-F0E44A86E902"
	oldWin, newWin   = "04388669-04C6-489E-B92F-3796898D56B4", "33333333-04C6-489E-B92F-3796898D5603"
	goneID           = "DEADBEEF-04C6-489E-B92F-3796898D5604"
	otherDisk        = "C921C5E6-5DBD-4886-97AB-155FEF17B42C"
	mib              = 1 << 20
)

func gptDisk() customise.Disk {
	return customise.Disk{OldID: oldDisk, ID: newDisk, GPT: true, Sector: 512, Volumes: []customise.Volume{
		{Partition: 1, OldID: oldESP, ID: newESP, OldStart: mib, Start: mib}, {Partition: 3, OldID: oldWin, ID: newWin, OldStart: 300 * mib, Start: 400 * mib},
	}}
}

// mbrDisk moves each partition to where the next one was.
func mbrDisk(old, now string) customise.Disk {
	return customise.Disk{OldID: old, ID: now, Sector: 512, Volumes: []customise.Volume{
		{Partition: 1, OldStart: mib, Start: mib}, {Partition: 2, OldStart: 100 * mib, Start: 200 * mib}, {Partition: 3, OldStart: 200 * mib, Start: 300 * mib},
	}}
}

func dmio(t testing.TB, guid string) []byte {
	t.Helper()
	b, ok := guidBytes(guid)
	if !ok {
		t.Fatal(guid)
	}
	return append([]byte(gptMark), b...)
}

func mbrName(signature uint32, offset uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(nil, signature), offset)
}

func TestGUID(t *testing.T) {
	b, ok := guidBytes("{9BCEC562-9909-4A8D-AC83-F0E44A86E9EE}"[1:37])
	if want := []byte("\x62\xc5\xce\x9b\x09\x99\x8d\x4a\xac\x83\xf0\xe4\x4a\x86\xe9\xee"); !ok || !bytes.Equal(b, want) {
		t.Errorf("%x", b)
	}
	for _, bad := range []string{"", "x", "9BCEC562", strings.Repeat("0", 34)} {
		if _, ok := guidBytes(bad); ok {
			t.Errorf("%q is a GUID", bad)
		}
	}
}

func TestMountedDevices(t *testing.T) {
	const sig, sig2 = 0xb3eba8f1, 0x12345678
	usb := []byte("_\x00?\x00?\x00_\x00U\x00S\x00B\x00")
	type values map[string][]byte
	tests := map[string]struct {
		disk      customise.Disk
		old, want values
	}{
		"GPT": {
			gptDisk(),
			values{`\DosDevices\C:`: dmio(t, oldWin), `\??\Volume{1}`: dmio(t, oldESP), `\DosDevices\D:`: dmio(t, goneID), `\DosDevices\E:`: usb, `\DosDevices\F:`: mbrName(sig, mib)},
			values{`\DosDevices\C:`: dmio(t, newWin), `\??\Volume{1}`: dmio(t, newESP), `\DosDevices\D:`: dmio(t, goneID), `\DosDevices\E:`: usb, `\DosDevices\F:`: mbrName(sig, mib)},
		},
		"MBR": {
			mbrDisk("b3eba8f1", "12345678"),
			values{`\DosDevices\C:`: mbrName(sig, 100*mib), `\DosDevices\D:`: mbrName(sig, 200*mib), `\DosDevices\E:`: usb, `\DosDevices\X:`: mbrName(sig, 999*mib), `\DosDevices\Y:`: mbrName(0xaaaa, mib)},
			values{`\DosDevices\C:`: mbrName(sig2, 200*mib), `\DosDevices\D:`: mbrName(sig2, 300*mib), `\DosDevices\E:`: usb, `\DosDevices\Y:`: mbrName(0xaaaa, mib)},
		},
		"MBR, same signature": {
			mbrDisk("b3eba8f1", "b3eba8f1"),
			values{`\DosDevices\C:`: mbrName(sig, 100*mib), `\DosDevices\D:`: mbrName(sig, 200*mib)},
			values{`\DosDevices\C:`: mbrName(sig, 200*mib), `\DosDevices\D:`: mbrName(sig, 300*mib)},
		},
		"hostile": {
			customise.Disk{OldID: "zz", ID: ""},
			values{`\DosDevices\C:`: mbrName(sig, 100*mib), "x": nil, "y": []byte(gptMark)},
			values{`\DosDevices\C:`: mbrName(sig, 100*mib), "x": nil, "y": []byte(gptMark)},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var puts []put
			for n, data := range test.old {
				puts = append(puts, put{mountedKey, hive.Bytes(n, data)})
			}
			b := believable(t, complete)
			b[system] = systemHive(t, puts...)
			root := b.root(t)
			j := job(nil)
			j.Disk = test.disk
			for range 2 { // a second Apply changes nothing more
				apply(t, root, j)
				h, err := hive.Open([]byte(file(t, root, system)))
				if err != nil {
					t.Fatal(err)
				}
				key, err := h.Find(mountedKey)
				if err != nil {
					t.Fatal(err)
				}
				got, err := key.Values()
				if err != nil || len(got) != len(test.want) {
					t.Errorf("%d values are left, want %d; %v", len(got), len(test.want), err)
				}
				for _, v := range got {
					if want, ok := test.want[v.Name]; !ok || !bytes.Equal(v.Data, want) {
						t.Errorf("%s is %x, want %x", v.Name, v.Data, want)
					}
				}
			}
		})
	}
}

// device is the data of a device element: a record behind a GUID.
func device(part, disk []byte, style uint32) []byte {
	le := binary.LittleEndian
	b := make([]byte, 16+recordSize)
	r := b[16:]
	le.PutUint32(r, 6)
	le.PutUint32(r[8:], recordSize)
	le.PutUint32(r[recordStyle:], style)
	copy(r[recordPart:], part)
	copy(r[recordDisk:], disk)
	return b
}

func gptDevice(t testing.TB, part, disk string) []byte {
	return device(dmio(t, part)[8:], dmio(t, disk)[8:], styleGPT)
}

func mbrDevice(signature uint32, offset uint64) []byte {
	n := mbrName(signature, offset)
	return device(n[4:], n[:4], styleMBR)
}

// ramdisk puts a record where that of a file of Windows RE has it.
func ramdisk(device []byte) []byte {
	b := bytes.Repeat([]byte{0}, 0x44)
	binary.LittleEndian.PutUint32(b[0x10:], 0)
	binary.LittleEndian.PutUint32(b[0x20:], 3)
	return slices.Concat(b, device[16:], []byte("\\\x00R\x00e\x00\x00\x00"))
}

func TestFixBCD(t *testing.T) {
	const sig, sig2 = 0xb3eba8f1, 0x12345678
	type elements map[string][]byte // by object and element
	tests := map[string]struct {
		store     string
		disk      customise.Disk
		old, want elements
		note      bool
	}{
		"GPT": {
			store: "EFI/Microsoft/Boot/BCD", disk: gptDisk(),
			old:  elements{`{a}\Elements\11000001`: gptDevice(t, oldWin, oldDisk), `{a}\Elements\21000001`: gptDevice(t, oldWin, oldDisk), `{b}\Elements\11000001`: gptDevice(t, oldESP, oldDisk), `{c}\Elements\21000001`: ramdisk(gptDevice(t, oldWin, oldDisk)), `{d}\Elements\31000003`: gptDevice(t, oldWin, otherDisk), `{d}\Elements\16000020`: gptDevice(t, oldWin, oldDisk)},
			want: elements{`{a}\Elements\11000001`: gptDevice(t, newWin, newDisk), `{a}\Elements\21000001`: gptDevice(t, newWin, newDisk), `{b}\Elements\11000001`: gptDevice(t, newESP, newDisk), `{c}\Elements\21000001`: ramdisk(gptDevice(t, newWin, newDisk)), `{d}\Elements\31000003`: gptDevice(t, oldWin, otherDisk), `{d}\Elements\16000020`: gptDevice(t, oldWin, oldDisk)},
		},
		"GPT, gone": {
			store: "efi/MICROSOFT/boot/bcd", disk: gptDisk(), note: true,
			old:  elements{`{a}\Elements\11000001`: gptDevice(t, goneID, oldDisk)},
			want: elements{`{a}\Elements\11000001`: gptDevice(t, goneID, oldDisk)},
		},
		"MBR": {
			store: "Boot/BCD", disk: mbrDisk("b3eba8f1", "12345678"),
			old:  elements{`{a}\Elements\11000001`: mbrDevice(sig, 100*mib), `{b}\Elements\11000001`: mbrDevice(sig, mib), `{c}\Elements\31000003`: ramdisk(mbrDevice(sig, 200*mib))},
			want: elements{`{a}\Elements\11000001`: mbrDevice(sig2, 200*mib), `{b}\Elements\11000001`: mbrDevice(sig2, mib), `{c}\Elements\31000003`: ramdisk(mbrDevice(sig2, 300*mib))},
		},
		"MBR, same signature": {
			store: "Boot/BCD", disk: mbrDisk("b3eba8f1", "b3eba8f1"),
			old:  elements{`{a}\Elements\11000001`: mbrDevice(sig, 100*mib), `{c}\Elements\31000003`: mbrDevice(sig, 200*mib)},
			want: elements{`{a}\Elements\11000001`: mbrDevice(sig, 200*mib), `{c}\Elements\31000003`: mbrDevice(sig, 300*mib)},
		},
		"other kinds": {
			store: "Boot/BCD", disk: mbrDisk("b3eba8f1", "12345678"),
			old:  elements{`{a}\Elements\11000001`: make([]byte, 32), `{b}\Elements\21000001`: nil, `{c}\Elements\x1`: mbrDevice(sig, mib)},
			want: elements{`{a}\Elements\11000001`: make([]byte, 32), `{b}\Elements\21000001`: nil, `{c}\Elements\x1`: mbrDevice(sig, mib)},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			puts := []put{{"Description", hive.String("KeyName", "BCD00000000")}, {`Objects\{e}`, hive.Number("x", 1)}}
			for path, data := range test.old {
				puts = append(puts, put{`Objects\` + path, hive.Bytes("Element", data)})
			}
			root := build{test.store: hiveFile(t, 3, puts...), "other/x": nil}.root(t)
			for range 2 {
				report, err := FixBCD(root, test.disk)
				if err != nil || len(report.Notes) > 0 != test.note {
					t.Fatalf("%v, %v", report, err)
				}
				for path, want := range test.want {
					if got := elementOf(t, root.Dir(), test.store, path); !bytes.Equal(got, want) {
						t.Errorf("%s is\n%x, want\n%x", path, got, want)
					}
				}
			}
		})
	}
}

func elementOf(t testing.TB, dir, store, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, store))
	if err != nil {
		t.Fatal(err)
	}
	h, err := hive.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	v, err := h.Value(`Objects\`+path, "Element")
	if err != nil {
		t.Fatal(err)
	}
	return v.Data
}

func TestFixBCDWithoutStore(t *testing.T) {
	report, err := FixBCD(build{"EFI/debian/grubx64.efi": nil}.root(t), gptDisk())
	if err != nil || len(report.Changed) > 0 {
		t.Errorf("%v, %v", report, err)
	}
}

// FuzzRecords: whatever an element holds, rewriting it keeps its length, and a
// second time changes nothing.
func FuzzRecords(f *testing.F) {
	f.Add(gptDevice(f, oldWin, oldDisk), true)
	f.Add(ramdisk(mbrDevice(0xb3eba8f1, mib)), false)
	f.Fuzz(func(t *testing.T, data []byte, gpt bool) {
		disk := mbrDisk("b3eba8f1", "12345678")
		if gpt {
			disk = gptDisk()
		}
		once, _ := newPlaces(disk).rewrite(data)
		twice, _ := newPlaces(disk).rewrite(once)
		if len(once) != len(data) || !bytes.Equal(once, twice) {
			t.Errorf("%x, %x, %x", data, once, twice)
		}
	})
}
