package lvm

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/ext"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestLinear has a fragmented root file system, swap and free space; LVM's tools
// and e2fsck judge a copy whose unused bytes are garbage.
func TestLinear(t *testing.T) {
	t.Parallel()
	g := newRig(t, 128*mib)
	g.lvm("pvcreate", g.devices[0])
	g.lvm("vgcreate", "-s", "1m", "vg0", g.devices[0])
	g.create("root", "20m")
	g.create("swap", "8m")
	g.create("data", "10m")
	g.lvm("lvextend", "-L", "+12m", "vg0/root")
	root := ext4(t, 32)
	g.fill("root", root)
	g.fill("swap", volumetest.Mkfs(t, 8*mib, "mkswap", "{}"))
	places := g.places("root")
	if len(places) != 2 {
		t.Fatalf("root lies at %v, want two places", places)
	}

	r := volumetest.Open(t, g.paths[0])
	v, used := volumetest.Check(t, reader(), r)
	info := v.Info()
	if want := strings.TrimSpace(g.lvm("pvs", "--noheadings", "-o", "uuid")); info.UUID != want || info.Label != "vg0" || info.BlockSize != mib {
		t.Errorf("got %+v, pvs says UUID %s", info, want)
	}
	if len(info.Notes) != 1 || !strings.Contains(info.Notes[0], "vg0/data is captured whole") {
		t.Errorf("notes %q", info.Notes)
	}
	var names []string
	for _, c := range v.(volume.Container).Children() {
		names = append(names, c.Name+" "+c.Info.Kind)
	}
	if got := strings.Join(names, ", "); got != "vg0/root ext4, vg0/swap swap, vg0/data unknown" {
		t.Errorf("children %s", got)
	}

	want := extent.Of(extent.Extent{Length: mib}, g.places("swap")[0], g.places("data")[0]).
		Union(translate(usedAlone(t, root), places))
	if missing := want.Subtract(used); len(missing) > 0 {
		t.Errorf("%d bytes are missing, first %v", missing.Bytes(), missing[0])
	}
	if more := used.Subtract(want); len(more) > 0 {
		t.Errorf("%d bytes too many, first %v", more.Bytes(), more[0])
	}
	checkRestored(t, g, used, root)
	checkOmissions(t, v, g.places("swap")[0])
	volumetest.Keep(t, reader(), r, "linear")
}

// usedAlone is the used map of a file system outside LVM.
func usedAlone(t *testing.T, path string) extent.List {
	_, used := volumetest.Check(t, ext.New(), volumetest.Open(t, path))
	return used
}

// translate moves a used map to where its volume lies.
func translate(used extent.List, places []extent.Extent) extent.List {
	var out extent.List
	at := int64(0)
	for _, p := range places {
		out = out.Union(used.Clip(extent.Extent{Start: at, Length: p.Length}).Shift(p.Start - at))
		at += p.Length
	}
	return out
}

// checkRestored lets LVM and e2fsck look at a copy of the used bytes.
func checkRestored(t *testing.T, g *rig, used extent.List, root string) {
	t.Helper()
	report := []string{"pvs", "--noheadings", "-o", "pv_uuid,pv_size,dev_size,pe_start,pv_pe_count,pv_pe_alloc_count,pv_mda_count,pv_ba_start,vg_name,vg_uuid,vg_seqno"}
	ranges := []string{"lvs", "--noheadings", "-o", "lv_name,lv_uuid,lv_size,seg_start_pe,seg_pe_ranges"}
	before := g.lvm(report...) + g.lvm(ranges...)
	restored := volumetest.Restore(t, g.paths[0], used)
	other := &rig{t: t}
	other.attach(restored)
	after := other.lvm(report...) + other.lvm(ranges...)
	if after = strings.ReplaceAll(after, other.devices[0], g.devices[0]); after != before {
		t.Errorf("LVM sees on the restored copy\n%swant\n%s", after, before)
	}
	other.lvm("vgck", "vg0")
	copied := extract(t, restored, other.places("root"))
	volumetest.Tool(t, "e2fsck", "-fn", copied)
	want, unmount := volumetest.Mount(t, root, "ro")
	defer unmount()
	got, unmountCopy := volumetest.Mount(t, copied, "ro")
	defer unmountCopy()
	if volumetest.Digest(t, got) != volumetest.Digest(t, want) {
		t.Error("files differ on the restored copy")
	}
}

// checkOmissions expects the swap volume's pages to be left out.
func checkOmissions(t *testing.T, v volume.Volume, swap extent.Extent) {
	t.Helper()
	omitted, err := v.(volume.Omitter).Omit(t.Context())
	if err != nil || len(omitted) != 1 {
		t.Fatalf("omissions %v, %v", omitted, err)
	}
	want := extent.Extent{Start: swap.Start + 4096, Length: swap.Length - 4096}
	if o := omitted[0]; o.Name != "vg0/swap: swap contents" || len(o.Extents) != 1 || o.Extents[0] != want {
		t.Errorf("omission %+v, want %v", o, want)
	}
}

func TestPhysicalVolumes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		create []string // arguments of pvcreate
		whole  bool
		note   string
	}{
		{"bootloader-area", []string{"--bootloaderareasize", "1m"}, false, ""},
		{"two-metadata-areas", []string{"--pvmetadatacopies", "2"}, false, ""},
		{"label-in-sector-3", []string{"--labelsector", "3"}, false, ""},
		{"alignment", []string{"--dataalignment", "4m"}, false, ""},
		{"metadata-elsewhere", []string{"--pvmetadatacopies", "0"}, true, "kept on other physical volumes"},
		{"metadata-ignored", []string{"--metadataignore", "y"}, true, "kept on other physical volumes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, 64*mib, 16*mib)
			g.lvm(append(append([]string{"pvcreate"}, test.create...), g.devices[0])...)
			g.lvm("pvcreate", g.devices[1])
			g.lvm("vgcreate", "-s", "1m", "vg0", g.devices[0], g.devices[1])
			g.create("root", "12m", g.devices[0])
			root := ext4(t, 12)
			g.fill("root", root)
			r := volumetest.Open(t, g.paths[0])
			v, used := volumetest.Check(t, reader(), r)
			if whole := used.Bytes() == r.Size(); whole != test.whole {
				t.Errorf("%d of %d bytes used", used.Bytes(), r.Size())
			}
			if notes := strings.Join(v.Info().Notes, " "); !strings.Contains(notes, test.note) {
				t.Errorf("notes %q", notes)
			}
			volumetest.Keep(t, reader(), r, test.name)
			if test.whole {
				return
			}
			restored := volumetest.Restore(t, g.paths[0], used)
			other := &rig{t: t}
			other.attach(restored)
			other.attach(g.paths[1])
			volumetest.Tool(t, "e2fsck", "-fn", extract(t, restored, other.places("root")))
			other.lvm("pvck", "--dump", "headers", other.devices[0])
		})
	}
}

// TestRing changes the metadata until its text wraps around in a small area.
func TestRing(t *testing.T) {
	t.Parallel()
	g := newRig(t, 32*mib)
	g.lvm("pvcreate", "--metadatasize", "32k", "--dataalignment", "4k", g.devices[0])
	g.lvm("vgcreate", "-s", "1m", "vg0", g.devices[0])
	g.create("root", "4m")
	r := volumetest.Open(t, g.paths[0])
	for i := range 40 {
		g.lvm("vgchange", "--addtag", strings.Repeat("x", 100+i), "vg0")
		v, _ := volumetest.Check(t, reader(), r)
		if v.Info().Label != "vg0" || len(v.(volume.Container).Children()) != 1 {
			t.Fatalf("after %d changes: %+v", i+1, v.Info())
		}
		if wraps(t, r) {
			volumetest.Keep(t, reader(), r, "ring")
			return
		}
	}
	t.Error("the text never wrapped around")
}

// wraps reports whether the committed text of the first metadata area does.
func wraps(t *testing.T, r block.Reader) bool {
	t.Helper()
	header := make([]byte, sectorSize)
	if err := block.ReadFull(r, header, 4096); err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	return le.Uint64(header[mdaTextAt:])+le.Uint64(header[mdaTextAt+8:]) > le.Uint64(header[mdaSizeAt:])
}

func TestNoGroup(t *testing.T) {
	t.Parallel()
	g := newRig(t, 32*mib)
	g.lvm("pvcreate", g.devices[0])
	r := volumetest.Open(t, g.paths[0])
	v, used := volumetest.Check(t, reader(), r)
	if used.End() != mib || len(v.Info().Notes) != 1 {
		t.Errorf("%d bytes used, notes %q", used.Bytes(), v.Info().Notes)
	}
	volumetest.Keep(t, reader(), r, "no-group")
}

func TestRefusalInside(t *testing.T) {
	t.Parallel()
	g := newRig(t, 64*mib)
	g.lvm("vgcreate", "-s", "1m", "vg0", g.devices[0])
	g.create("root", "16m")
	root := ext4(t, 16)
	volumetest.Tool(t, "debugfs", "-w", "-R", "feature needs_recovery", root)
	g.fill("root", root)
	refusal := volumetest.Refused(t, reader(), volumetest.Open(t, g.paths[0]), volume.NeedsReplay)
	if !strings.HasPrefix(refusal.What, "vg0/root: ") {
		t.Errorf("refusal %q does not name the volume", refusal.What)
	}
}
