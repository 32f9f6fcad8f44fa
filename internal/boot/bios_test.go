package boot

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/boottest"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
)

const mib = 1 << 20

// A sector image in memory or in a file.
type diskFile struct {
	*os.File
	size int64
}

func (d diskFile) Size() int64 { return d.size }

func openDisk(t testing.TB, path string) diskFile {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return diskFile{f, info.Size()}
}

func sh(t testing.TB, script string, args ...string) string {
	t.Helper()
	out, err := exec.Command("bash", append([]string{"-euc", script, "bash"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// makeCore builds a GRUB that says hello on the serial line as soon as it runs.
func makeCore(t testing.TB, hello string) []byte {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf("serial --unit=0\nterminal_output serial\necho '%s login:'\nhalt\n", hello)
	if err := os.WriteFile(filepath.Join(dir, "early.cfg"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	sh(t, `grub-mkimage -O i386-pc -p /boot/grub -c "$1/early.cfg" -o "$1/core.img" biosdisk part_gpt part_msdos serial terminal echo halt`, dir)
	core, err := os.ReadFile(filepath.Join(dir, "core.img"))
	if err != nil {
		t.Fatal(err)
	}
	return core
}

// biosDisk makes a disk with a table and GRUB's core at the sector, as
// grub-bios-setup installs it: numbers in boot.img and diskboot.img say where.
func biosDisk(t testing.TB, table string, sector int64, core []byte) diskFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	sh(t, `truncate -s 64M "$1" && printf '%b' "$2" | sfdisk -q "$1"`, path, table)
	d := openDisk(t, path)
	first, err := os.ReadFile("/usr/lib/grub/i386-pc/boot.img")
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint64(first[coreSectorAt:], uint64(sector))
	core = bytes.Clone(core)
	binary.LittleEndian.PutUint64(core[firstListAt:], uint64(sector+1))
	for off, data := range map[int64][]byte{0: first[:codeSize], sector * sectorSize: core} {
		if _, err := d.WriteAt(data, off); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func readTable(t testing.TB, r block.Reader) part.Table {
	t.Helper()
	table, err := tables.Read(r)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

const (
	gptTable = `label: gpt\nstart=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649\nstart=8192, size=65536\n`
	mbrTable = `label: dos\nstart=2048, size=65536, type=83, bootable\n`
)

func TestCheckBIOS(t *testing.T) {
	core := makeCore(t, "check")
	parent, made := t, map[string]diskFile{}
	poke := func(d memory, off int64, data ...byte) { copy(d[off:], data) }
	for _, c := range []struct {
		name, table string
		sector      int64
		change      func(d memory)
		starts      string
		finding     string
		severity    Severity
	}{
		{"BIOS boot partition", gptTable, 2048, nil, "GRUB", "", ""},
		{"gap of an MBR", mbrTable, 1, nil, "GRUB", "", ""},
		{"inside a partition", mbrTable, 4096, nil, "GRUB", "in partition 1", Warning},
		{"in no partition of a GPT", gptTable, 5000, nil, "GRUB", "in no partition of a GPT", Warning},
		{"no code", gptTable, 2048, func(d memory) { poke(d, 0, make([]byte, codeSize)...) }, "", "", ""},
		{"core gone", gptTable, 2048, func(d memory) { poke(d, 2048*512, make([]byte, 512)...) }, "", "holds something else", Fatal},
		{"second part gone", gptTable, 2048, func(d memory) { poke(d, 2049*512, make([]byte, 512)...) }, "", "said to go on", Fatal},
		{"core behind the disk", gptTable, 2048, func(d memory) { poke(d, coreSectorAt+4, 1) }, "", "does not have", Fatal},
		{"core in the boot sector", gptTable, 2048, func(d memory) { poke(d, coreSectorAt, 0, 0) }, "", "does not have", Fatal},
		{"list off the disk", gptTable, 2048, func(d memory) { poke(d, 2048*512+firstListAt+7, 0xFF) }, "", "not on the disk", Fatal},
		{"list too short", gptTable, 2048, func(d memory) { poke(d, 2048*512+firstListAt+8, 2, 0) }, "", "of which 1024 are loaded", Fatal},
		{"list without end", gptTable, 2048, func(d memory) {
			poke(d, 2048*512+firstListAt-9*listSize, bytes.Repeat([]byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}, 10)...)
		}, "", "no end", Fatal},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := fmt.Sprint(c.table, c.sector)
			if made[key].File == nil {
				made[key] = biosDisk(parent, c.table, c.sector, core)
			}
			d := make(memory, made[key].Size())
			if err := block.ReadFull(made[key], d, 0); err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				c.change(d)
			}
			starts, findings, err := CheckBIOS(d, readTable(t, d))
			if err != nil {
				t.Fatal(err)
			}
			expect(t, findings, c.severity, c.finding)
			if starts != c.starts {
				t.Errorf("a BIOS starts %q, want %q", starts, c.starts)
			}
		})
	}
}

// expect wants one finding with the text, or none.
func expect(t *testing.T, findings []Finding, s Severity, text string) {
	t.Helper()
	switch {
	case text == "" && len(findings) > 0:
		t.Errorf("found %v", findings)
	case text != "" && (len(findings) != 1 || findings[0].Severity != s || !strings.Contains(findings[0].What, text)):
		t.Errorf("found %v, want %s with %q", findings, s, text)
	}
}

// TestMovedCoreBoots moves a BIOS boot partition and lets a BIOS judge.
func TestMovedCoreBoots(t *testing.T) {
	d := biosDisk(t, gptTable, 2048, makeCore(t, "moved"))
	from, to := extent.Extent{Start: 2048 * 512, Length: 2048 * 512}, int64(40*mib)
	writes, err := Relocate(d, from, to)
	if err != nil || len(writes) != 2 {
		t.Fatalf("%v, %v", writes, err)
	}
	content := make([]byte, from.Length)
	if err := block.ReadFull(d, content, from.Start); err != nil {
		t.Fatal(err)
	}
	for _, w := range append([]part.Write{
		{Offset: to, Data: content},
		{Offset: from.Start, Data: make([]byte, from.Length)},
	}, writes...) {
		if _, err := d.WriteAt(w.Data, w.Offset); err != nil {
			t.Fatal(err)
		}
	}
	sh(t, `printf 'label: gpt\nstart=%d, size=2048, type=21686148-6449-6E6F-744E-656564454649\n' $(($2 / 512)) | sfdisk -q --no-reread --wipe never "$1"`, d.Name(), fmt.Sprint(to))
	starts, findings, err := CheckBIOS(d, readTable(t, d))
	if err != nil || starts != "GRUB" {
		t.Errorf("%q, %v", starts, err)
	}
	expect(t, findings, "", "")
	boots(t, d.Name(), boottest.BIOS, "moved")
}

func boots(t *testing.T, path string, fw boottest.Firmware, hello string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	serial, err := boottest.Boot(ctx, path, fw)
	if err != nil || !strings.Contains(serial, hello+" login:") {
		t.Errorf("%v; the console:\n%s", err, serial)
	}
}

func TestRelocateLeavesAlone(t *testing.T) {
	core := makeCore(t, "x")
	d := biosDisk(t, mbrTable, 1, core)
	if w, err := Relocate(d, extent.Extent{Start: mib, Length: 32 * mib}, 4*mib); w != nil || err != nil {
		t.Errorf("a core in the gap: %v, %v", w, err)
	}
	d = biosDisk(t, gptTable, 2048, core)
	if w, err := Relocate(d, extent.Extent{Start: mib, Length: mib}, mib); w != nil || err != nil {
		t.Errorf("not moved: %v, %v", w, err)
	}
	if _, err := Relocate(d, extent.Extent{Start: mib, Length: mib}, mib+100); err == nil {
		t.Error("moved by part of a sector")
	}
	if _, err := d.WriteAt(make([]byte, 512), mib); err != nil {
		t.Fatal(err)
	}
	if _, err := Relocate(d, extent.Extent{Start: mib, Length: mib}, 4*mib); err == nil {
		t.Error("a core that is not there was moved")
	}
}

// TestActivePartition uses the field of FAT and NTFS as mkfs makes it.
func TestActivePartition(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk.img")
	sh(t, `truncate -s 64M "$1"; printf 'label: dos\nstart=2048, size=65536, type=7, bootable\n' | sfdisk -q "$1"
		truncate -s 32M "$1.ntfs"; mkntfs -q -F -p 2048 -H 255 -S 63 "$1.ntfs"; dd if="$1.ntfs" of="$1" bs=1M seek=1 conv=notrunc status=none`, path)
	d := openDisk(t, path)
	code := append([]byte{0x33, 0xC0}, "Invalid partition table\x00Error loading operating system\x00Missing operating system\x00"...)
	if _, err := d.WriteAt(code, 0); err != nil {
		t.Fatal(err)
	}
	starts, findings, err := CheckBIOS(d, readTable(t, d))
	if err != nil || starts != "Windows, partition 1" {
		t.Errorf("%q, %v", starts, err)
	}
	expect(t, findings, "", "")

	sector := make([]byte, 512)
	if err := block.ReadFull(d, sector, mib); err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(sector[hiddenAt:], 4096)
	if _, err := d.WriteAt(sector, mib); err != nil {
		t.Fatal(err)
	}
	_, findings, err = CheckBIOS(d, readTable(t, d))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, findings, Fatal, "begins in sector 4096, and it begins in 2048")
	sh(t, `sfdisk -q --no-reread -A "$1" -`, path)
	_, findings, err = CheckBIOS(d, readTable(t, d))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, findings, Warning, "no active partition")
}

// memory is a disk in memory.
type memory []byte

func (m memory) Size() int64 { return int64(len(m)) }
func (m memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m).ReadAt(p, off)
}

func FuzzBIOS(f *testing.F) {
	d := biosDisk(f, mbrTable, 1, makeCore(f, "x"))
	head := make([]byte, 2048)
	if err := block.ReadFull(d, head, 0); err != nil {
		f.Fatal(err)
	}
	f.Add(head, int64(512), int64(4096))
	table := part.Table{Kind: part.MBR, SectorSize: 512, Partitions: []part.Partition{{Number: 1, Start: 512, Length: 512, Flags: 0x80}}}
	f.Fuzz(func(t *testing.T, b []byte, start, to int64) {
		if len(b) < 1024 {
			return
		}
		if _, _, err := CheckBIOS(memory(b), table); err != nil {
			t.Error(err)
		}
		if start < 0 || to < 0 || start > 1<<40 || to > 1<<40 {
			return
		}
		writes, err := Relocate(memory(b), extent.Extent{Start: start, Length: 512}, to)
		for _, w := range writes {
			if err != nil || w.Offset < 0 || len(w.Data) > 512 {
				t.Errorf("%v, %v", w, err)
			}
		}
	})
}
