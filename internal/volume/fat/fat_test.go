package fat_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/fat"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const mib = 1 << 20

// variants are what mkfs.fat can make. Those with keep become fixtures.
var variants = []struct {
	name  string
	size  int64
	args  []string
	kind  string
	empty bool // mtools cannot put files on it
	keep  bool
}{
	{name: "fat12-floppy", size: 1440 << 10, args: []string{"-n", "FLOPPY"}, kind: "fat12", keep: true},
	{name: "fat12-one-table", size: 4 * mib, args: []string{"-F", "12", "-f", "1"}, kind: "fat12"},
	{name: "fat12-unaligned", size: 4 * mib, args: []string{"-a", "-F", "12", "-s", "4", "-r", "16"}, kind: "fat12"},
	{name: "fat16", size: 16 * mib, args: []string{"-F", "16", "-n", "SIXTEEN"}, kind: "fat16", keep: true},
	{name: "fat16-reserved", size: 40 * mib, args: []string{"-F", "16", "-R", "200", "-r", "1024"}, kind: "fat16"},
	{name: "fat16-4k-sectors", size: 64 * mib, args: []string{"-F", "16", "-S", "4096"}, kind: "fat16", keep: true},
	{name: "fat16-big-clusters", size: 600 * mib, args: []string{"-F", "16", "-s", "128"}, kind: "fat16"},
	{name: "fat32", size: 64 * mib, args: []string{"-F", "32", "-n", "A LABEL", "-i", "00c0ffee"}, kind: "fat32", keep: true},
	{name: "fat32-few-clusters", size: 34 * mib, args: []string{"-F", "32", "-s", "8"}, kind: "fat32", empty: true, keep: true},
	{name: "fat32-one-table", size: 64 * mib, args: []string{"-F", "32", "-f", "1"}, kind: "fat32"},
	{name: "fat32-1k-sectors", size: 128 * mib, args: []string{"-F", "32", "-S", "1024"}, kind: "fat32"},
	{name: "fat32-4k-sectors", size: 300 * mib, args: []string{"-F", "32", "-S", "4096"}, kind: "fat32"},
	{name: "fat32-backup-moved", size: 64 * mib, args: []string{"-F", "32", "-b", "12", "-R", "64"}, kind: "fat32"},
	{name: "fat32-large", size: 66 << 30, args: []string{"-F", "32", "-s", "128", "-n", "LARGE"}, kind: "fat32"},
	{name: "fat32-fake-mbr", size: 64 * mib, args: []string{"-F", "32", "--mbr=y"}, kind: "fat32"},
}

func TestVariants(t *testing.T) {
	for _, c := range variants {
		t.Run(c.name, func(t *testing.T) {
			path := volumetest.Mkfs(t, c.size, append(append([]string{"mkfs.fat"}, c.args...), "{}")...)
			if !c.empty {
				populate(t, path)
			}
			restored := judge(t, path, c.kind)
			if !c.empty && contents(t, restored) != contents(t, path) {
				t.Error("files of the restored volume differ from the original's")
			}
			if c.keep {
				volumetest.Keep(t, fat.New(), volumetest.Open(t, path), c.name)
			}
		})
	}
}

// TestFourTables is apart because fsck.fat takes at most two.
func TestFourTables(t *testing.T) {
	path := volumetest.Mkfs(t, 32*mib, "mkfs.fat", "-f", "4", "{}")
	populate(t, path)
	_, used := volumetest.Check(t, fat.New(), volumetest.Open(t, path))
	volumetest.AgainstPartclone(t, "vfat", path, used, 0)
	if contents(t, volumetest.Restore(t, path, used)) != contents(t, path) {
		t.Error("files of the restored volume differ from the original's")
	}
}

// TestBadClusters: they are not free, and mkfs.fat forgets to take them off the free count.
func TestBadClusters(t *testing.T) {
	list := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(list, []byte("20000\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := volumetest.Mkfs(t, 64*mib, "mkfs.fat", "-F", "32", "-l", list, "{}")
	v, used := volumetest.Check(t, fat.New(), volumetest.Open(t, path))
	if bad := (extent.Extent{Start: 20000 << 10, Length: 1 << 10}); used.Clip(bad).Bytes() != bad.Length {
		t.Errorf("bad block %v is not in the map", bad)
	}
	if notes := v.Info().Notes; len(notes) != 1 || !strings.Contains(notes[0], "free count") {
		t.Errorf("notes %q; want one on the free count", notes)
	}
}

// judge holds one clean volume against every foreign tool and returns a restored copy.
func judge(t *testing.T, path, kind string) string {
	t.Helper()
	v, used := volumetest.Check(t, fat.New(), volumetest.Open(t, path))
	info := v.Info()
	if info.Kind != kind || len(info.Notes) > 0 {
		t.Errorf("kind %q, notes %q; want %q without notes", info.Kind, info.Notes, kind)
	}
	if info.Used >= 0 && info.Used != used.Bytes() {
		t.Errorf("FSInfo says %d bytes are used, the map has %d", info.Used, used.Bytes())
	}
	blkid := volumetest.Blkid(t, path)
	if got, want := [3]string{strings.ToUpper(kind), info.Label, info.UUID},
		[3]string{blkid["VERSION"], blkid["LABEL"], blkid["UUID"]}; got != want {
		t.Errorf("version, label, UUID %q; blkid says %q", got, want)
	}
	if got, want := used.Bytes(), fsckUsed(t, path, info); got != want {
		t.Errorf("%d bytes used; by fsck.fat's count of clusters it is %d", got, want)
	}
	if kind != "fat12" { // partclone 0.3.23 reads its table as 16-bit entries and loses files
		volumetest.AgainstPartclone(t, "vfat", path, used, 0)
	}

	restored := volumetest.Restore(t, path, used)
	volumetest.Tool(t, "fsck.fat", "-n", restored)
	return restored
}

// populate fills a good part of a volume with files in folders and deletes some
// of them again, so that the map has holes and files are fragmented.
func populate(t testing.TB, path string) {
	t.Helper()
	room := min(volumetest.Open(t, path).Size()/4, 2*mib)
	src := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 2 {
		for i := range 12 {
			dir := filepath.Join(src, fmt.Sprintf("folder %d", i%3))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			data := make([]byte, rng.Int64N(room/12))
			for j := range data {
				data[j] = byte(rng.Uint32())
			}
			name := fmt.Sprintf("round %d, a file with a long name %d", round, i)
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 3 {
			volumetest.Tool(t, "mcopy", "-i", path, "-s", "-D", "o", filepath.Join(src, fmt.Sprintf("folder %d", i)), "::/")
		}
		if round == 0 {
			volumetest.Tool(t, "mdel", "-i", path, "::/folder 1/*", "::/folder 2/*5")
		}
		if err := os.RemoveAll(src); err != nil {
			t.Fatal(err)
		}
	}
}

// fsckUsed is the size of the used map by fsck.fat's count: "3 files, 12/4051 clusters".
func fsckUsed(t *testing.T, path string, info volume.Info) int64 {
	t.Helper()
	out := volumetest.Tool(t, "fsck.fat", "-n", path)
	var inUse, all int64
	if _, err := fmt.Sscanf(out[strings.LastIndex(out, ", ")+2:], "%d/%d clusters", &inUse, &all); err != nil {
		t.Fatalf("fsck.fat %s: %v\n%s", path, err, out)
	}
	return info.Size - (all-inUse)*info.BlockSize
}

// contents is a digest of all files and folders, as mtools reads them.
func contents(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	listing := volumetest.Tool(t, "mdir", "-i", path, "-/", "-a", "::/")
	if !strings.Contains(listing, "bytes free") {
		return listing
	}
	volumetest.Tool(t, "mcopy", "-i", path, "-s", "-n", "::/", dir)
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", strings.TrimPrefix(path, dir), len(data), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return listing + hex.EncodeToString(h.Sum(nil))
}

func TestNotFAT(t *testing.T) {
	random := make([]byte, mib)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	random[510], random[511] = 0x55, 0xaa
	noise := filepath.Join(t.TempDir(), "noise")
	if err := os.WriteFile(noise, random, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"empty":  volumetest.Mkfs(t, mib, "true"),
		"tiny":   volumetest.Mkfs(t, 100, "true"),
		"random": noise,
		"ntfs":   volumetest.Mkfs(t, 8*mib, "mkfs.ntfs", "-q", "-F", "{}"),
		"exfat":  volumetest.Mkfs(t, 8*mib, "mkfs.exfat", "{}"),
		"mbr":    volumetest.Mkfs(t, 8*mib, "sh", "-c", "echo ,,0c | sfdisk -q {}"),
		"gpt":    volumetest.Mkfs(t, 8*mib, "sgdisk", "-n", "1:0:0", "{}"),
		"atari":  volumetest.Mkfs(t, 20*mib, "mkfs.fat", "-A", "{}"),
		"ext4":   volumetest.Mkfs(t, 8*mib, "mkfs.ext4", "-q", "{}"),
	} {
		if ok, err := fat.New().Recognise(volumetest.Open(t, path)); ok || err != nil {
			t.Errorf("%s: Recognise = %v, %v", name, ok, err)
		}
	}
}

func TestBitLockerToGoIsNotFAT(t *testing.T) {
	s := fixture(t, "fat32")
	s.Patch(3, []byte("MSWIN4.1"))
	s.Patch(0x1a8, []byte{0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01})
	if ok, err := fat.New().Recognise(s); ok || err != nil {
		t.Errorf("Recognise = %v, %v", ok, err)
	}
}

// TestOldVolume has neither a type string nor an extended boot record, as DOS 3 wrote it.
func TestOldVolume(t *testing.T) {
	s := fixture(t, "fat12-floppy")
	s.Patch(0x24, make([]byte, 26))
	v, _ := volumetest.Check(t, fat.New(), s)
	if info := v.Info(); info.UUID != "" || info.Label != "FLOPPY" {
		t.Errorf("UUID %q, label %q; want none, and the root directory's", info.UUID, info.Label)
	}
}

func fixture(t testing.TB, name string) *volumetest.Sparse {
	t.Helper()
	s, err := volumetest.ReadFixture(filepath.Join("testdata", name+".sparse.gz"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFixtures(t *testing.T) { volumetest.Fixtures(t, fat.New()) }

func FuzzFAT(f *testing.F) { volumetest.Fuzz(f, fat.New()) }
