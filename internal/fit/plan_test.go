package fit

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	tables "github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/part/mbr"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestPictures holds plans of real layouts against testdata; INGOT_UPDATE=1 writes
// them anew.
func TestPictures(t *testing.T) {
	for _, test := range []struct {
		name   string
		disk   disk
		size   int64
		sector int
		opts   Options
	}{
		{"debian-uefi-same", debianUEFI(), 10 * gib, 512, Options{}},
		{"debian-uefi-40", debianUEFI(), 40 * gib, 512, Options{}},
		{"debian-uefi-6", debianUEFI(), 6 * gib, 512, Options{}},
		{"debian-uefi-none", debianUEFI(), 40 * gib, 512, Options{Grow: "none"}},
		{"debian-uefi-4k", debianUEFI(), 10 * gib, 4096, Options{}},
		{"debian-uefi-xfs", debianUEFI(), 20 * gib, 512, Options{FileSystems: map[int]string{2: "xfs"}}},
		{"debian-bios-40", debianBIOS(), 40 * gib, 512, Options{}},
		{"debian-bios-6", debianBIOS(), 6 * gib, 512, Options{}},
		{"debian-bios-3t", debianBIOS(), 3 * tib, 512, Options{}},
		{"windows-256", windows11(), 256 * gib, 512, Options{}},
		{"windows-32", windows11(), 32 * gib, 512, Options{}},
		{"windows-4k", windows11(), 64 * gib, 4096, Options{}},
		{"fedora-12", fedora(), 12 * gib, 512, Options{}},
		{"fedora-proportional", fedora(), 80 * gib, 512, Options{Grow: "proportional"}},
		{"data-200", dataDisk(), 200 * gib, 512, Options{}},
		{"data-proportional", dataDisk(), 200 * gib, 512, Options{Grow: "proportional"}},
		{"data-7", dataDisk(), 200 * gib, 512, Options{Grow: "7"}},
		{"data-72", dataDisk(), 72 * gib, 512, Options{}},
		{"data-60", dataDisk(), 60 * gib, 512, Options{}},
		{"data-30", dataDisk(), 30 * gib, 512, Options{}},
		{"lvm-40", debianLVM(), 40 * gib, 512, Options{}},
		{"lvm-20-to-19.7", debianLVM(), 20*gib - 300*mib, 512, Options{}},
		{"old-sectors-16", oldSectors(), 16 * gib, 512, Options{Grow: "5"}},
		{"old-sectors-5", oldSectors(), 5 * gib, 512, Options{}},
		{"bare-6", bare(), 6*gib + 512, 512, Options{}},
		{"bare-2", bare(), 2 * gib, 512, Options{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := NewPlan(test.disk.table, test.disk.volumes, Target{test.size, test.sector}, test.opts)
			if err != nil {
				t.Fatal(err)
			}
			checkPlan(t, test.disk, p)
			var b bytes.Buffer
			p.Picture(&b, 80, strings.HasPrefix(test.name, "fedora"))
			for line := range strings.Lines(b.String()) {
				if n := utf8.RuneCountInString(line) - 1; n > 80 {
					t.Errorf("line of %d columns: %s", n, line)
				}
			}
			golden(t, filepath.Join("testdata", test.name+".golden"), b.Bytes())
			sameJSON(t, p)
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if os.Getenv("INGOT_UPDATE") != "" {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got:\n%s\nwant %s, %v", got, name, err)
	}
}

func sameJSON(t *testing.T, p *Plan) {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again Plan
	if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(&again, p) {
		t.Errorf("JSON: %v\n got %+v\nwant %+v", err, &again, p)
	}
}

func TestRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		disk   disk
		size   int64
		sector int
		opts   Options
		want   any
		why    string
	}{
		{"too small", debianUEFI(), 4 * gib, 512, Options{}, new(*TooSmallError), "however it is fitted"},
		{"grow the swap", debianUEFI(), 40 * gib, 512, Options{Grow: "3"}, new(*OptionError), "Partitions 1 and 2 can grow"},
		{"grow nothing there", debianLVM(), 40 * gib, 512, Options{Grow: "9"}, new(*OptionError), "Partition 2 can grow"},
		{"grow a word", debianUEFI(), 40 * gib, 512, Options{Grow: "-1"}, new(*OptionError), "neither"},
		{"grow a container", debianBIOS(), 40 * gib, 512, Options{Grow: "2"}, new(*OptionError), "extended"},
		{"ntfs to ext4", windows11(), 64 * gib, 512, Options{FileSystems: map[int]string{3: "ext4"}}, new(*OptionError), "ntfs cannot become ext4"},
		{"unknown kind", debianUEFI(), 64 * gib, 512, Options{FileSystems: map[int]string{2: "zfs"}}, new(*OptionError), "cannot become zfs"},
		{"no such partition", debianUEFI(), 64 * gib, 512, Options{FileSystems: map[int]string{9: "xfs"}}, new(*OptionError), "no such partition"},
		{"rebuild LVM", debianLVM(), 64 * gib, 512, Options{Rebuild: map[int]bool{3: true}}, new(*OptionError), "cannot be made anew"},
		{"LVM on 4K sectors", debianLVM(), 64 * gib, 4096, Options{}, new(*RefusedError), "sectors of 512 bytes"},
		{"odd sectors", debianUEFI(), 64 * gib, 520, Options{}, new(*RefusedError), "520"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewPlan(test.disk.table, test.disk.volumes, Target{test.size, test.sector}, test.opts)
			if err == nil || !errors.As(err, test.want) || !strings.Contains(err.Error(), test.why) {
				t.Errorf("got %v, want %T with %q", err, test.want, test.why)
			}
		})
	}
}

// TestOddChain keeps two logical partitions without a boot record between them, as
// long as nothing moves, and gives them one when something does.
func TestOddChain(t *testing.T) {
	const size = 64 * mib
	s := volumetest.NewSparse(size)
	record := func(lba int64, entries ...mbr.Entry) {
		sector := make([]byte, mbr.Size)
		for slot, e := range entries {
			e.Put(sector, slot)
		}
		mbr.Sign(sector)
		s.Patch(lba*512, sector)
	}
	record(0, mbr.Entry{Type: 5, Start: 2048, Size: 100000})
	record(2048, mbr.Entry{Type: 0x83, Start: 64, Size: 10000}, mbr.Entry{Type: 0x82, Start: 10064, Size: 10000})
	table, err := tables.Read(s)
	if err != nil {
		t.Fatal(err)
	}
	d := disk{table, []Volume{{Partition: 5, Kind: "ext4", End: 1, Smallest: -1, RebuildSize: -1}, {Partition: 6, Kind: "swap"}}}
	same, err := NewPlan(d.table, d.volumes, Target{size, 512}, Options{})
	if err != nil || same.Changes() || !reflect.DeepEqual(same.Table, table) {
		t.Errorf("%+v, %v", same, err)
	}
	larger, err := NewPlan(d.table, d.volumes, Target{2 * size, 512}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkPlan(t, d, larger)
	checkReadBack(t, larger)
	if larger.Steps[0].Action != Grow || larger.Steps[1].Action != Move {
		t.Errorf("%+v", larger.Steps)
	}
}

// TestSwapOfFiles makes swap space anew that no image holds.
func TestSwapOfFiles(t *testing.T) {
	d := debianUEFI()
	for i := range d.volumes {
		d.volumes[i].Files = true
	}
	p, err := NewPlan(d.table, d.volumes, Target{10 * gib, 512}, Options{Grow: "none"})
	if err != nil || p.Steps[1].Action != Rebuild || p.Steps[2].Action != Remake {
		t.Errorf("%+v, %v", p, err)
	}
}
