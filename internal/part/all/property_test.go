package all_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestRandomTables lets the real tools make tables, and judge what we read and write.
func TestRandomTables(t *testing.T) {
	for seed := range uint64(4) {
		for _, sectorSize := range []int{512, 4096} {
			if sectorSize == 4096 && seed >= 2 {
				continue // tools wait a second after each write to a loop device
			}
			random := func() *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(sectorSize))) }
			t.Run(fmt.Sprintf("gpt-%d-%d", sectorSize, seed), func(t *testing.T) {
				t.Parallel()
				checkTable(t, gptDisk(t, random(), sectorSize), sectorSize)
			})
			t.Run(fmt.Sprintf("mbr-%d-%d", sectorSize, seed), func(t *testing.T) {
				t.Parallel()
				checkTable(t, mbrDisk(t, random(), sectorSize), sectorSize)
			})
		}
	}
}

// gptDisk lets sgdisk make a table with holes in its numbering and odd attributes.
func gptDisk(t *testing.T, random *rand.Rand, sectorSize int) string {
	path := blank(t, 64*mib+int64(random.IntN(9)*sectorSize))
	entries := []int{128, 128, 132, 256}[random.IntN(4)]
	args := []string{"-o", "-a", "1", "-S", strconv.Itoa(entries)}
	at := 1
	for range random.IntN(9) {
		number := 1 + random.IntN(entries)
		if strings.Contains(strings.Join(args, " "), fmt.Sprintf("-n %d:", number)) {
			continue
		}
		size := 1 + random.IntN(5)
		n := strconv.Itoa(number)
		args = append(args, "-n", fmt.Sprintf("%s:%dM:+%dM", n, at, size),
			"-t", n+":"+[]string{"8300", "ef00", "0700", "8200", "8e00"}[random.IntN(5)],
			"-c", n+":"+[]string{"root", "Daten äöü", "𝄞 clef", strings.Repeat("x", 36)}[random.IntN(4)],
			"-A", fmt.Sprintf("%s:set:%d", n, []int{0, 2, 60, 63}[random.IntN(4)]))
		at += size + random.IntN(3)
	}
	onDevice(t, path, sectorSize, func(dev string) { volumetest.Tool(t, "sgdisk", append(args, dev)...) })
	return path
}

// mbrDisk lets sfdisk make a table with logical partitions.
func mbrDisk(t *testing.T, random *rand.Rand, sectorSize int) string {
	path := blank(t, 96*mib+int64(random.IntN(9)*sectorSize))
	mib := func(n int) int { return n << 20 / sectorSize }
	script := fmt.Sprintf("label: dos\nlabel-id: %#x\n", random.Uint32())
	script += fmt.Sprintf("start=%d, size=%d, type=%x, bootable\n", mib(1), mib(7), []int{0x07, 0x0C, 0x83}[random.IntN(3)])
	if random.IntN(4) > 0 {
		script += fmt.Sprintf("start=%d, size=%d, type=%s\n", mib(8), mib(70), []string{"5", "f", "85"}[random.IntN(3)])
	}
	if strings.Count(script, "start=") == 2 {
		script += fmt.Sprintf("start=%d, size=%d, type=82\n", mib(80), mib(8))
		for i := range random.IntN(6) {
			script += fmt.Sprintf("start=%d, size=%d, type=83\n", mib(10+10*i)+random.IntN(9), mib(1+random.IntN(8)))
		}
	}
	onDevice(t, path, sectorSize, func(dev string) {
		cmd := exec.Command("sfdisk", "--quiet", dev)
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("sfdisk: %v\n%s%s", err, script, out)
		}
	})
	return path
}

// onDevice runs f on a path that tools take for a disk of the sector size.
func onDevice(t *testing.T, path string, sectorSize int, f func(dev string)) {
	t.Helper()
	if sectorSize == 512 {
		f(path)
		return
	}
	dev := strings.TrimSpace(volumetest.Tool(t, "losetup", "--show", "-f", "--sector-size", strconv.Itoa(sectorSize), path))
	defer exec.Command("losetup", "-d", dev).Run()
	// Held open, the device stays ours even if somebody else detaches it by mistake.
	hold, err := os.Open(dev)
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	f(dev)
}

// checkTable holds our table against the tools', and what we write against both.
func checkTable(t *testing.T, path string, sectorSize int) {
	r := open(t, path, sectorSize)
	table := read(t, r)
	if len(table.Findings) > 0 {
		t.Errorf("findings %q", table.Findings)
	}
	againstSfdisk(t, path, table)
	sameBytes(t, r, table)
	sameJSON(t, table)
	spaceAddsUp(t, table)

	smallest := table.MinDiskSize()
	for _, size := range []int64{smallest, table.DiskSize + 100*mib, 3 << 40} {
		other, again := moved(t, table, size)
		againstSfdisk(t, other, again)
		sameBytes(t, open(t, other, sectorSize), again)
		verify(t, other, table)
	}
	var small *part.TooSmallError
	if _, err := all.Encode(table, smallest-1); !errors.As(err, &small) || small.Need != smallest {
		t.Errorf("encode for %d bytes: %v", smallest-1, err)
	}
}

// verify lets the tools check a table that we wrote.
func verify(t *testing.T, path string, table part.Table) {
	t.Helper()
	onDevice(t, path, table.SectorSize, func(dev string) {
		volumetest.Tool(t, "sfdisk", "--verify", "--quiet", dev)
		if table.Kind != part.GPT {
			return
		}
		if out := volumetest.Tool(t, "sgdisk", "-v", dev); !strings.Contains(out, "No problems found") {
			t.Errorf("sgdisk -v:\n%s", out)
		}
	})
}

// sfdiskTable is what sfdisk --json prints, in sectors.
type sfdiskTable struct {
	PartitionTable struct {
		Label, ID         string
		FirstLBA, LastLBA int64
		SectorSize        int
		Partitions        []struct {
			Node, Type, UUID, Name, Attrs string
			Start, Size                   int64
			Bootable                      bool
		}
	}
}

// againstSfdisk compares our table with sfdisk's, field by field.
func againstSfdisk(t *testing.T, path string, table part.Table) {
	t.Helper()
	var theirs sfdiskTable
	onDevice(t, path, table.SectorSize, func(dev string) {
		out, err := exec.Command("sfdisk", "--json", dev).Output()
		if err != nil {
			t.Fatalf("sfdisk --json %s: %v", dev, err)
		}
		if err := json.Unmarshal(out, &theirs); err != nil {
			t.Fatalf("sfdisk --json: %v\n%s", err, out)
		}
		for i, p := range theirs.PartitionTable.Partitions {
			theirs.PartitionTable.Partitions[i].Node = strings.TrimLeft(strings.TrimPrefix(p.Node, dev), "p")
		}
	})
	their := theirs.PartitionTable
	id := strings.TrimPrefix(their.ID, "0x")
	if kind := map[string]part.Kind{"dos": part.MBR, "gpt": part.GPT}[their.Label]; kind != table.Kind || id != table.ID {
		t.Errorf("table %s %s, sfdisk says %s %s", table.Kind, table.ID, kind, id)
	}
	if len(their.Partitions) != len(table.Partitions) {
		t.Fatalf("%d partitions, sfdisk says %d", len(table.Partitions), len(their.Partitions))
	}
	byNumber := map[int]part.Partition{}
	for _, p := range table.Partitions {
		byNumber[p.Number] = p
	}
	for _, p := range their.Partitions {
		number, _ := strconv.Atoi(p.Node)
		ours := byNumber[number]
		typ := p.Type
		if table.Kind == part.MBR {
			typ = fmt.Sprintf("%02s", typ)
		}
		sector := int64(table.SectorSize)
		if ours.Start != p.Start*sector || ours.Length != p.Size*sector || ours.Type != typ || ours.ID != p.UUID || ours.Name != p.Name {
			t.Errorf("partition %d: got %+v, sfdisk says %+v", number, ours, p)
		}
		if table.Kind == part.MBR && (ours.Flags == 0x80) != p.Bootable {
			t.Errorf("partition %d: flags %#x, sfdisk says bootable %v", number, ours.Flags, p.Bootable)
		}
		if table.Kind == part.GPT && attributes(ours.Flags) != p.Attrs {
			t.Errorf("partition %d: flags %#x, sfdisk says %q", number, ours.Flags, p.Attrs)
		}
	}
}

// attributes spells GPT attribute bits as sfdisk does.
func attributes(flags uint64) string {
	names := []string{"RequiredPartition", "NoBlockIOProtocol", "LegacyBIOSBootable"}
	var out []string
	for bit, name := range names {
		if flags>>bit&1 == 1 {
			out = append(out, name)
		}
	}
	var guids []string
	for bit := 48; bit < 64; bit++ {
		if flags>>bit&1 == 1 {
			guids = append(guids, strconv.Itoa(bit))
		}
	}
	if len(guids) > 0 {
		out = append(out, "GUID:"+strings.Join(guids, ","))
	}
	return strings.Join(out, " ")
}
