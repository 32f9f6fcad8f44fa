package fit

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestTools lets sfdisk make disks, and sfdisk and sgdisk judge what became of
// their tables.
func TestTools(t *testing.T) {
	ext := Volume{Kind: "ext4", BlockSize: 4096, Smallest: 300 * mib, RebuildSize: 300 * mib, System: true}
	volumes := map[int]Volume{
		1: {Kind: "fat32", BlockSize: 4096, RebuildSize: 10 * mib}, 2: ext, 3: {Kind: "swap"},
		5: ext, 6: {Kind: "xfs", BlockSize: 4096, RebuildSize: 200 * mib}, 7: {Kind: "swap"},
	}
	scripts := map[string]string{
		"gpt": "label: gpt\n1M,512M,U\n514M,3G\n3600M,400M,S\n",
		"mbr": "label: dos\n1M,512M,c,*\nstart=600M,size=3490M,type=f\nstart=601M,size=1500M,type=83\nstart=2200M,size=1400M,type=83\nstart=3700M,size=380M,type=82\n",
		"old": "label: dos\nunit: sectors\nstart=63,size=1048257,type=c\nstart=1048320,size=7000000,type=5\nstart=1048383,size=3000000,type=83\nstart=4048446,size=3000000,type=83\n",
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := blank(t, 4*gib)
			volumetest.Tool(t, "sh", "-c", fmt.Sprintf("printf '%s' | sfdisk -q %s", script, path))
			table, err := tables.Read(volumetest.Open(t, path))
			if err != nil {
				t.Fatal(err)
			}
			var present []Volume
			for _, p := range table.Partitions {
				v, ok := volumes[p.Number]
				if ok && !p.Extended {
					v.Partition = p.Number
					v.End = p.Length
					present = append(present, v)
				}
			}
			for _, target := range []Target{{2 * gib, 512}, {3 * gib, 512}, {10*gib + 512, 512}, {3 << 40, 512}, {3 * gib, 4096}} {
				p, err := NewPlan(table, present, target, Options{})
				if err != nil {
					t.Fatal(err)
				}
				judge(t, p)
			}
		})
	}
}

// blank makes a sparse file of size bytes.
func blank(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}

// judge writes a plan's table and asks the tools what they think of it.
func judge(t *testing.T, p *Plan) {
	t.Helper()
	path := blank(t, p.Target.Size)
	writes, err := tables.Encode(p.Table, p.Target.Size)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range writes {
		if _, err := f.WriteAt(w.Data, w.Offset); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if p.Target.SectorSize != 512 {
		path = strings.TrimSpace(volumetest.Tool(t, "losetup", "--show", "-f", "--sector-size", strconv.Itoa(p.Target.SectorSize), path))
		defer volumetest.Tool(t, "losetup", "-d", path)
	}
	volumetest.Tool(t, "sfdisk", "--verify", "--quiet", path)
	if p.Table.Kind == part.GPT {
		if out := volumetest.Tool(t, "sgdisk", "-v", path); !strings.Contains(out, "No problems found") {
			t.Errorf("sgdisk -v:\n%s", out)
		}
	}
	var theirs struct {
		PartitionTable struct {
			Partitions []struct {
				Node        string
				Start, Size int64
			}
		}
	}
	out, err := exec.Command("sfdisk", "--json", path).Output() // warnings go elsewhere
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &theirs); err != nil {
		t.Fatal(err)
	}
	got := map[int][2]int64{}
	for _, e := range theirs.PartitionTable.Partitions {
		number, _ := strconv.Atoi(strings.TrimLeft(strings.TrimPrefix(e.Node, path), "p"))
		got[number] = [2]int64{e.Start * int64(p.Target.SectorSize), e.Size * int64(p.Target.SectorSize)}
	}
	for _, e := range p.Table.Partitions {
		if got[e.Number] != [2]int64{e.Start, e.Length} {
			t.Errorf("partition %d: sfdisk says %v, planned %d and %d", e.Number, got[e.Number], e.Start, e.Length)
		}
	}
	if len(got) != len(p.Table.Partitions) {
		t.Errorf("sfdisk sees %d partitions of %d", len(got), len(p.Table.Partitions))
	}
}
