package deploy

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const mib = 1 << 20

// gptDisk is the table of a disk of 64 MiB, made by sgdisk, and its regions.
func gptDisk(t *testing.T) (*part.Table, []image.Region) {
	t.Helper()
	path := volumetest.Mkfs(t, 64*mib, "sgdisk", "-U", "11111111-0000-4000-8000-000000000000",
		"-n1:2048:+8M", "-t1:ef00", "-u1:11111111-0000-4000-8000-000000000001",
		"-n2:0:+40M", "-u2:11111111-0000-4000-8000-000000000002", "{}")
	return read(t, path), []image.Region{
		gap(0x4400, mib-0x4400),
		volumeAt(1, mib, 8*mib, "fat16", 3*mib),
		volumeAt(2, 9*mib, 40*mib, "ext4", 12*mib),
		gap(49*mib, 15*mib-33*512),
	}
}

// mbrDisk is the same with an MBR, made by sfdisk.
func mbrDisk(t *testing.T) (*part.Table, []image.Region) {
	t.Helper()
	path := volumetest.Mkfs(t, 64*mib, "true", "{}")
	sfdisk := exec.Command("sfdisk", "-q", path)
	sfdisk.Stdin = strings.NewReader("label: dos\nlabel-id: 0x11112222\nstart=2048, size=16384, type=c\nstart=18432, size=81920, type=83\n")
	if out, err := sfdisk.CombinedOutput(); err != nil {
		t.Fatalf("sfdisk: %v\n%s", err, out)
	}
	return read(t, path), []image.Region{
		gap(512, mib-512),
		volumeAt(1, mib, 8*mib, "fat32", 3*mib),
		volumeAt(2, 9*mib, 40*mib, "ext4", 12*mib),
		gap(49*mib, 15*mib),
	}
}

func read(t *testing.T, path string) *part.Table {
	t.Helper()
	table, err := tables.Read(volumetest.Open(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return &table
}

func gap(start, size int64) image.Region {
	return image.Region{Start: start, Size: size, Data: size, End: size, Rest: image.Zeros}
}

func volumeAt(partition int, start, size int64, kind string, data int64) image.Region {
	return image.Region{
		Partition: partition, Start: start, Size: size, Data: data, End: size, Rest: image.Free,
		Volume: &image.Volume{Kind: kind, Size: size, Method: image.UsedBlocks},
	}
}

// file and device are targets of the size of the source.
func file(size int64) Target {
	return Target{Path: "target.img", Size: size, SectorSize: 512, CanDiscard: true, DiscardZeroes: true, Blank: true}
}

func device(size int64) Target {
	return Target{Path: "/dev/sdb", Size: size, SectorSize: 512, CanDiscard: true}
}

// TestPlan holds printed plans against testdata; INGOT_UPDATE=1 writes them anew.
func TestPlan(t *testing.T) {
	table, regions := gptDisk(t)
	mbr, mbrRegions := mbrDisk(t)
	noDiscard := device(64 * mib)
	noDiscard.CanDiscard = false
	unfinished := device(64 * mib)
	unfinished.Unfinished = "lab:v1 (0123456789ab)"
	for name, test := range map[string]struct {
		table   *part.Table
		regions []image.Region
		target  Target
		opts    Options
	}{
		"gpt-file":       {table, regions, file(64 * mib), Options{}},
		"gpt-delta":      {table, regions, device(64 * mib), Options{}},
		"gpt-full":       {table, regions, device(64 * mib), Options{Full: true, Readback: true}},
		"gpt-zero":       {table, regions, device(64 * mib), Options{Free: Zero}},
		"gpt-keep":       {table, regions, noDiscard, Options{}},
		"gpt-bigger":     {table, regions, device(128 * mib), Options{}},
		"gpt-smaller":    {table, regions, device(56 * mib), Options{}},
		"gpt-new-ids":    {table, regions, device(64 * mib), Options{NewIDs: true}},
		"gpt-unfinished": {table, regions, unfinished, Options{}},
		"mbr-file":       {mbr, mbrRegions, file(64 * mib), Options{}},
		"mbr-delta":      {mbr, mbrRegions, device(64 * mib), Options{}},
		"mbr-new-ids":    {mbr, mbrRegions, device(64 * mib), Options{NewIDs: true}},
		"bare-file":      {nil, []image.Region{volumeAt(0, 0, 40*mib, "ext4", 12*mib)}, file(40 * mib), Options{}},
		"bare-bigger":    {nil, []image.Region{volumeAt(0, 0, 40*mib, "ext4", 12*mib)}, device(64 * mib), Options{Readback: true}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := NewPlan("lab:v2 (fedcba987654)", test.table, test.regions, 512, test.target, test.opts)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, p)
		})
	}
	t.Run("partition", func(t *testing.T) {
		p, err := NewVolumePlan("lab:v2 (fedcba987654)", regions[2], 2, 512, device(48*mib), Options{})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "partition", p)
	})
}

// fresh are the new IDs, which are never the same twice.
var fresh = regexp.MustCompile(`becomes [0-9A-Fa-f-]+`)

func golden(t *testing.T, name string, p *Plan) {
	t.Helper()
	var b bytes.Buffer
	p.Print(&b)
	got := fresh.ReplaceAll(b.Bytes(), []byte("becomes FRESH"))
	path := filepath.Join("testdata", name+".plan")
	if os.Getenv("INGOT_UPDATE") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestPlanRefused: what cannot be done is refused before there is a plan.
func TestPlanRefused(t *testing.T) {
	table, regions := gptDisk(t)
	big := device(64 * mib)
	big.SectorSize = 4096
	noDiscard := device(64 * mib)
	noDiscard.CanDiscard = false
	for name, test := range map[string]struct {
		table   *part.Table
		regions []image.Region
		target  Target
		opts    Options
		small   bool
		want    string
	}{
		"too small":       {table, regions, device(40 * mib), Options{}, true, "the target has 41943040 bytes and the image needs "},
		"too small, bare": {nil, regions[2:3], device(40*mib - 512), Options{}, true, "the target has 41942528 bytes and the image needs 41943040: 512 too few"},
		"sector size":     {table, regions, big, Options{}, false, "sectors of 512 bytes and the target has sectors of 4096"},
		"no discard":      {table, regions, noDiscard, Options{Free: Discard}, false, "cannot discard"},
		"not all of it":   {table, regions[:2], device(64 * mib), Options{}, false, "does not hold partition 2"},
		"no table":        {nil, regions, device(64 * mib), Options{}, false, "no partition table"},
	} {
		_, err := NewPlan("lab", test.table, test.regions, 512, test.target, test.opts)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		var small *TooSmallError
		var refused *RefusedError
		if errors.As(err, &small) != test.small || errors.As(err, &refused) == test.small {
			t.Errorf("%s: %T", name, err)
		}
	}
	if _, err := NewVolumePlan("lab", regions[2], 2, 512, device(64*mib), Options{NewIDs: true}); !errors.As(err, new(*RefusedError)) {
		t.Errorf("new IDs of a partition: %v", err)
	}
}
