package lvm

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestSpread has logical volumes that the first physical volume holds in part.
func TestSpread(t *testing.T) {
	t.Parallel()
	g := newRig(t, 64*mib, 64*mib)
	g.lvm("vgcreate", "-s", "1m", "vg0", g.devices[0], g.devices[1])
	g.create("striped", "8m", "-i2")
	g.create("spans", "70m")
	r := volumetest.Open(t, g.paths[0])
	v, used := volumetest.Check(t, reader(), r)
	want := extent.Of(append(append(g.places("striped"), g.places("spans")...), extent.Extent{Length: mib})...)
	if fmt.Sprint(used) != fmt.Sprint(want) {
		t.Errorf("used %v, want %v", used, want)
	}
	notes := strings.Join(v.Info().Notes, "\n")
	for _, part := range []string{"vg0/striped is captured whole: it is striped", "vg0/spans is captured whole", "2 physical volumes"} {
		if !strings.Contains(notes, part) {
			t.Errorf("%q is missing from notes\n%s", part, notes)
		}
	}
	volumetest.Keep(t, reader(), r, "spread")
}

// TestSegmentTypes has file systems under everything that must not be looked
// into. Without a device-mapper LVM will not make such volumes, but it restores
// their descriptions.
func TestSegmentTypes(t *testing.T) {
	t.Parallel()
	const plain = `type = "striped"
			stripe_count = 1
			stripes = ["pv0", %d]`
	for _, test := range []struct {
		name    string
		names   [4]string // of two file systems of 12 extents, and of two volumes of one
		visible string    // status of the file systems
		segment string    // of the volume on top
	}{
		{"mirror", [4]string{"top_mimage_0", "top_mimage_1", "x", "y"}, "", `type = "mirror"
			mirror_count = 2
			region_size = 1024
			mirrors = ["top_mimage_0", 0, "top_mimage_1", 0]`},
		{"raid1", [4]string{"top_rimage_0", "top_rimage_1", "top_rmeta_0", "top_rmeta_1"}, "", `type = "raid1"
			device_count = 2
			region_size = 1024
			raids = ["top_rmeta_0", "top_rimage_0", "top_rmeta_1", "top_rimage_1"]`},
		{"snapshot", [4]string{"origin", "cow", "x", "y"}, `, "VISIBLE"`, `type = "snapshot"
			chunk_size = 8
			origin = "origin"
			cow_store = "cow"`},
		{"thin-pool", [4]string{"top_tdata", "other", "top_tmeta", "y"}, "", `type = "thin-pool"
			metadata = "top_tmeta"
			pool = "top_tdata"
			transaction_id = 0
			chunk_size = 128
			discards = "passdown"
			zero_new_blocks = 1`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, 64*mib)
			g.lvm("vgcreate", "-s", "1m", "vg0", g.devices[0])
			g.create("base", "12m")
			g.fill("base", ext4(t, 12))
			g.describe(describeLV(test.names[0], test.visible, 12, fmt.Sprintf(plain, 0)) +
				describeLV(test.names[1], test.visible, 12, fmt.Sprintf(plain, 12)) +
				describeLV(test.names[2], "", 1, fmt.Sprintf(plain, 24)) +
				describeLV(test.names[3], "", 1, fmt.Sprintf(plain, 25)) +
				describeLV("top", `, "VISIBLE"`, 12, test.segment))
			r := volumetest.Open(t, g.paths[0])
			v, used := volumetest.Check(t, reader(), r)
			if want := extent.Of(extent.Extent{Length: 27 * mib}); fmt.Sprint(used) != fmt.Sprint(want) {
				t.Errorf("used %v, want %v\n%s", used, want, strings.Join(v.Info().Notes, "\n"))
			}
			for _, c := range v.(volume.Container).Children() {
				if c.Info.Kind != "unknown" {
					t.Errorf("%s was taken for %s", c.Name, c.Info.Kind)
				}
			}
			volumetest.Keep(t, reader(), r, test.name)
		})
	}
}

// describeLV is the metadata text of a logical volume of one segment.
func describeLV(name, status string, extents int, segment string) string {
	return fmt.Sprintf(`
		%s {
		id = "%s-AAAA-AAAA-AAAA-AAAA-AAAA-AAAAAA"
		status = ["READ", "WRITE"%s]
		flags = []
		segment_count = 1
		segment1 {
			start_extent = 0
			extent_count = %d
			%s
		}
		}`, name, uuidStart(name), status, extents, segment)
}

// uuidStart makes the first six characters of a UUID of a name.
func uuidStart(name string) string {
	sum := checksum([]byte(name))
	return fmt.Sprintf("%06d", sum%1_000_000)
}

// describe replaces the logical volumes in the group's metadata.
func (g *rig) describe(volumes string) {
	g.t.Helper()
	path := g.t.TempDir() + "/vg0"
	g.lvm("vgcfgbackup", "-f", path, "vg0")
	data, err := os.ReadFile(path)
	if err != nil {
		g.t.Fatal(err)
	}
	at := strings.Index(string(data), "logical_volumes {")
	text := string(data[:at]) + "logical_volumes {" + volumes + "\n}\n}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	g.lvm("vgcfgrestore", "--force", "--yes", "-f", path, "vg0")
}
