package resize

import (
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// blank is a file of zeros for a volume.
func blank(t *testing.T, kind string, size int64) Volume {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new.img")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return Volume{Path: path, Kind: kind}
}

func specOf(t *testing.T, v Volume) Spec {
	t.Helper()
	s, err := v.spec(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestMakeAgain makes every variant again by what was read of it.
func TestMakeAgain(t *testing.T) {
	for name, x := range variants() {
		t.Run(name, func(t *testing.T) {
			old := Volume{Path: mkfs(t, x), Kind: x.kind}
			spec := specOf(t, old)
			v := blank(t, "", x.size)
			if err := v.Make(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
			v.Kind = x.kind
			if err := v.Check(t.Context()); err != nil {
				t.Error(err)
			}
			want, got := names(t, old), names(t, v)
			delete(want, "UUID_SUB") // of the one device of a btrfs volume; nothing refers to it
			delete(got, "UUID_SUB")
			if !maps.Equal(want, got) {
				t.Errorf("it is %v, was %v", got, want)
			}
			again := specOf(t, v)
			if !slices.Equal(again.Features, spec.Features) {
				t.Errorf("features %q, were %q", again.Features, spec.Features)
			}
			again.Features, spec.Features, again.Boot, spec.Boot = nil, nil, nil, nil
			if !equal(again, spec) {
				t.Errorf("%+v, was %+v", again, spec)
			}
			if now := info(t, v); !now.Clean() || len(now.Notes) > 0 {
				t.Errorf("refusals %v, notes %q", now.Refusals, now.Notes)
			}
		})
	}
}

// equal compares all that is a number or a name.
func equal(a, b Spec) bool {
	return a.Kind == b.Kind && a.UUID == b.UUID && a.Label == b.Label && a.SectorSize == b.SectorSize && a.BlockSize == b.BlockSize &&
		a.ClusterSize == b.ClusterSize && a.NodeSize == b.NodeSize && a.InodeSize == b.InodeSize && a.Reserved == b.Reserved &&
		a.InodeRatio/64 == b.InodeRatio/64 && a.Size == b.Size
}

// TestMakeOther makes volumes of another kind or for another disk, by little more
// than a name.
func TestMakeOther(t *testing.T) {
	for name, s := range map[string]Spec{
		"ext4":     {Kind: "ext4", UUID: uuid, Label: `a"b'c`},
		"ext4-4kn": {Kind: "ext4", UUID: uuid, SectorSize: 4096, BlockSize: 1024},
		"xfs":      {Kind: "xfs", UUID: uuid, Label: "-q"},
		"xfs-4kn":  {Kind: "xfs", UUID: uuid, SectorSize: 4096},
		"btrfs":    {Kind: "btrfs", Label: "ä $(id)"},
		"ntfs-4kn": {Kind: "ntfs", UUID: "0123456789ABCDEF", Label: "Données", SectorSize: 4096, Start: 2048},
		"ntfs":     {Kind: "ntfs", Start: 1 << 33},
		"fat32":    {Kind: "fat32", UUID: "12AB-34CD", Label: "ESP", Start: 2048},
		"fat-4kn":  {Kind: "fat32", UUID: "12AB-34CD", SectorSize: 4096},
		"exfat":    {Kind: "exfat", UUID: "12AB-34CD", Label: "Daten", Start: 34},
		"swap":     {Kind: "swap", UUID: uuid, Label: "swap"},
	} {
		t.Run(name, func(t *testing.T) {
			v := blank(t, s.Kind, 300*mib)
			if err := v.Make(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if err := v.Check(t.Context()); err != nil {
				t.Error(err)
			}
			now := info(t, v)
			if s.UUID != "" && now.UUID != s.UUID || now.Label != s.Label || !now.Clean() {
				t.Errorf("%+v", now)
			}
			if s.SectorSize > 512 && now.BlockSize < 4096 {
				t.Errorf("blocks of %d bytes on sectors of %d", now.BlockSize, s.SectorSize)
			}
		})
	}
}

func TestMakeRefuses(t *testing.T) {
	for name, s := range map[string]Spec{
		"uuid":    {Kind: "ext4", UUID: "random"},
		"label":   {Kind: "ext4", Label: "a\nb"},
		"feature": {Kind: "ext4", Features: []string{"64bit,^has_journal"}},
		"option":  {Kind: "btrfs", Features: []string{"-r/etc"}},
		"block":   {Kind: "xfs", BlockSize: 4095},
		"start":   {Kind: "ntfs", Start: -1},
		"boot":    {Kind: "ntfs", Boot: make([]byte, 1<<20)},
		"reserve": {Kind: "ext4", Reserved: 501},
	} {
		v := blank(t, s.Kind, mib)
		before := sum(t, v.Path)
		if err := v.Make(t.Context(), s); err == nil || sum(t, v.Path) != before {
			t.Errorf("%s: %v", name, err)
		}
	}
	var no *NotPossibleError
	if err := blank(t, "", 1).Make(t.Context(), Spec{Kind: "zfs"}); !errors.As(err, &no) {
		t.Errorf("%v", err)
	}
}

// TestBootCode: what starts Windows by BIOS is there again.
func TestBootCode(t *testing.T) {
	code := make([]byte, bootBytes)
	for i := range code {
		code[i] = byte(i * 7)
	}
	code[510], code[511] = 0x55, 0xAA
	v := blank(t, "ntfs", 64*mib)
	if err := v.Make(t.Context(), Spec{Kind: "ntfs", Boot: code, Start: 63}); err != nil {
		t.Fatal(err)
	}
	if err := v.Check(t.Context()); err != nil {
		t.Error(err)
	}
	got := specOf(t, v).Boot
	if !slices.Equal(got[:3], code[:3]) || !slices.Equal(got[ntfsCode:], code[ntfsCode:]) {
		t.Error("the code is not what it was")
	}
	if got[bootHidden] != 63 {
		t.Errorf("it begins at %d", got[bootHidden])
	}
}

func TestRelocate(t *testing.T) {
	for _, name := range []string{"ntfs", "ntfs-big", "fat12", "fat16", "fat32", "fat32-4k", "exfat", "ext4"} {
		t.Run(name, func(t *testing.T) {
			x := variants()[name]
			v := Volume{Path: mkfs(t, x), Kind: x.kind}
			before, tags := sum(t, v.Path), names(t, v)
			if err := v.Relocate(0x01020304); err != nil {
				t.Fatal(err)
			}
			moves := x.kind == "ntfs" || x.kind == "exfat" || x.kind[:3] == "fat"
			if moves == (before == sum(t, v.Path)) {
				t.Error("its boot sector is as it was, or is none")
			}
			if err := v.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if now := info(t, v); !now.Clean() || len(now.Notes) > 0 || !maps.Equal(tags, names(t, v)) {
				t.Errorf("%+v", now)
			}
			if err := v.Relocate(1 << 40); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRefused: what is not clean, or not what it is said to be, is left alone.
func TestRefused(t *testing.T) {
	dirty := made(t, variants()["ntfs"])
	if _, err := dirty.Shrink(t.Context(), 32000000); err != nil { // which marks it
		t.Fatal(err)
	}
	other := Volume{Path: made(t, variants()["ext2"]).Path, Kind: "ext4"}
	noneThere := blank(t, "xfs", 300*mib)
	for name, v := range map[string]Volume{"dirty": dirty, "other kind": other, "nothing": noneThere, "no file": {Path: "/nowhere", Kind: "ntfs"}} {
		if _, err := v.Grow(t.Context()); err == nil {
			t.Errorf("%s: grown", name)
		}
	}
	if err := noneThere.Check(t.Context()); err == nil {
		t.Error("zeros pass as xfs")
	}
}

// TestCheckFinds: damage is an error that says what is wrong.
func TestCheckFinds(t *testing.T) {
	for name, place := range map[string]func([]byte) int64{
		"ext4":      func([]byte) int64 { return 3 * 4096 },
		"xfs":       func([]byte) int64 { return 4096 },
		"btrfs-old": func(p []byte) int64 { return int64(binary.LittleEndian.Uint64(p[btrfsSuper+0x58:])) }, // the chunk tree; mkfs puts it at its logical address
		"ntfs":      func(p []byte) int64 { return int64(p[0x30])*4096 + 5*1024 + 0x40 },                    // record of the root folder
		"fat16":     func(p []byte) int64 { return int64(p[fatReserved])*512 + 6 },
		"exfat":     func(p []byte) int64 { return int64(binary.LittleEndian.Uint32(p[0x50:]))*512 + 8 },
	} {
		x := variants()[name]
		v := Volume{Path: mkfs(t, x), Kind: x.kind}
		if err := v.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		damage(t, v, place)
		err := v.Check(t.Context())
		var failed *tool.FailedError
		if !errors.As(err, &failed) || failed.Output == "" {
			t.Errorf("%s: damage passes: %v", name, err)
		}
	}
}

// damage overwrites bytes at a place that depends on how the volume begins.
func damage(t *testing.T, v Volume, place func([]byte) int64) {
	t.Helper()
	err := change(v.Path, func(d disk) error {
		p, err := superblock(d, 0, 128<<10)
		if err == nil {
			_, err = d.WriteAt([]byte("damage damage damage damage damage damage"), place(p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
