package resize

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/view"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const (
	uuid = "1b671a64-40d5-491e-99b0-da01ff1f3341"
	mib  = 1 << 20
)

// TestMain keeps mounts to this process. A mount namespace that another test's
// process made meanwhile would otherwise hold them.
func TestMain(m *testing.M) {
	if err := mount.Private(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// variant is a way to make a volume, and the sizes it is brought to. 0: not possible.
type variant struct {
	kind         string
	size         int64
	mkfs         []string
	grow, shrink int64
}

func variants() map[string]variant {
	return map[string]variant{
		"ext2":      {"ext2", 64 * mib, []string{"mke2fs", "-q", "-t", "ext2", "-b", "1024", "-L", "data one", "-U", uuid, "{}"}, 100 * mib, 40 * mib},
		"ext3":      {"ext3", 64 * mib, []string{"mke2fs", "-q", "-t", "ext3", "-m", "1", "-L", "three", "-U", uuid, "{}"}, 100*mib + 512, 48 * mib},
		"ext4":      {"ext4", 128 * mib, []string{"mke2fs", "-q", "-t", "ext4", "-L", "rööt", "-U", uuid, "{}"}, 300 * mib, 48*mib + 1024},
		"ext4-meta": {"ext4", 128 * mib, []string{"mke2fs", "-q", "-t", "ext4", "-O", "meta_bg,^resize_inode,inline_data,ea_inode", "-I", "512", "-m", "0", "-U", uuid, "{}"}, 200 * mib, 0},
		"xfs":       {"xfs", 300 * mib, []string{"mkfs.xfs", "-q", "-L", "root", "-m", "uuid=" + uuid, "{}"}, 640 * mib, 0},
		"xfs-old":   {"xfs", 300 * mib, []string{"mkfs.xfs", "-q", "-m", "bigtime=0,inobtcount=0,reflink=0,uuid=" + uuid, "-i", "size=1024", "{}"}, 400 * mib, 0},
		"btrfs":     {"btrfs", 300 * mib, []string{"mkfs.btrfs", "-q", "-L", "root fs", "-U", uuid, "{}"}, 512 * mib, 290 * mib},
		"btrfs-old": {"btrfs", 512 * mib, []string{"mkfs.btrfs", "-q", "-O", "^no-holes", "-R", "^free-space-tree", "-m", "single", "--csum", "xxhash", "-n", "4096", "-U", uuid, "{}"}, 600 * mib, 320 * mib},
		"ntfs":      {"ntfs", 64 * mib, []string{"mkntfs", "-F", "-f", "-q", "-L", "Wín dows", "{}"}, 128 * mib, 32000000},
		"ntfs-big":  {"ntfs", 96 * mib, []string{"mkntfs", "-F", "-f", "-q", "-c", "65536", "{}"}, 128*mib + 512, 64 * mib},
		"fat12":     {"fat12", 4 * mib, []string{"mkfs.fat", "-F", "12", "-s", "8", "-i", "1234abcd", "-n", "FLOPPY", "{}"}, 15 * mib, 0},
		"fat16":     {"fat16", 32 * mib, []string{"mkfs.fat", "-F", "16", "-s", "8", "-i", "1234abcd", "-n", "EFI", "{}"}, 200 * mib, 0},
		"fat32":     {"fat32", 64 * mib, []string{"mkfs.fat", "-F", "32", "-s", "1", "-i", "1234abcd", "-n", "ESP", "{}"}, 200 * mib, 0},
		"fat32-4k":  {"fat32", 300 * mib, []string{"mkfs.fat", "-F", "32", "-S", "4096", "-s", "1", "{}"}, 400 * mib, 0},
		"exfat":     {"exfat", 64 * mib, []string{"mkfs.exfat", "-L", "Späre", "{}"}, 0, 0},
		"swap":      {"swap", 8 * mib, []string{"mkswap", "-q", "-L", "sw", "-U", uuid, "{}"}, 16 * mib, 1 * mib},
	}
}

// mkfs makes an empty volume and returns its path.
func mkfs(t testing.TB, x variant) string {
	t.Helper()
	return volumetest.Mkfs(t, x.size, x.mkfs...)
}

// made makes a volume with files in it.
func made(t *testing.T, x variant) Volume {
	t.Helper()
	v := Volume{Path: mkfs(t, x), Kind: x.kind}
	if mount.Mountable(x.kind) {
		inside(t, v, func(dir string) { plant(t, dir, min(x.size/6, 8*mib)) })
	}
	return v
}

// inside calls do with the files of v.
func inside(t *testing.T, v Volume, do func(dir string)) {
	t.Helper()
	m, err := mount.Volume(t.Context(), v.Path, v.Kind, t.TempDir(), mount.Options{})
	if err != nil {
		t.Fatal(err)
	}
	do(m.Dir)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
}

// plant makes about n bytes of files. Some are removed again, so that what is left
// lies scattered up to where all of them lay.
func plant(t *testing.T, dir string, n int64) {
	t.Helper()
	r := rand.NewChaCha8([32]byte{1})
	folder := ""
	for i := 0; n > 0; i++ {
		if i%40 == 0 {
			folder = filepath.Join(dir, fmt.Sprintf("folder %d", i))
			if err := os.Mkdir(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		data := make([]byte, min(n, int64(1+r.Uint64()%(200<<10))))
		r.Read(data)
		n -= int64(len(data))
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("file %d", i)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < 1<<16; i += 3 {
		os.Remove(filepath.Join(dir, fmt.Sprintf("folder %d", i-i%40), fmt.Sprintf("file %d", i)))
	}
}

// digest is that of all files, or of what stands for them.
func digest(t *testing.T, v Volume) (sum string) {
	t.Helper()
	if !mount.Mountable(v.Kind) {
		return ""
	}
	m, err := mount.Volume(t.Context(), v.Path, v.Kind, t.TempDir(), mount.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(v.Kind, "fat") {
		// Folders were made by mtools just now.
		sum = volumetest.Tool(t, "sh", "-c", `cd "$0" && find . -type f -printf '%p %s %T@\n' -exec sha256sum {} + | sort`, m.Dir)
	} else {
		sum = volumetest.DigestFiles(t, m.Dir)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return sum
}

// shown shows v as a file whose changes leave it as it is.
func shown(t *testing.T, v Volume) (Volume, *view.Layer) {
	t.Helper()
	base := volumetest.Open(t, v.Path)
	layer, err := view.NewLayer(base, base.Size(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server, err := view.Serve(t.TempDir(), map[string]*view.Layer{"volume": layer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), layer.Close()); err != nil {
			t.Error(err)
		}
	})
	return Volume{Path: server.Path("volume"), Kind: v.Kind}, layer
}

// names are what a volume is known by from outside.
func names(t *testing.T, v Volume) map[string]string {
	tags := volumetest.Blkid(t, v.Path)
	maps.DeleteFunc(tags, func(k, _ string) bool {
		return k != "TYPE" && k != "LABEL" && k != "UUID" && k != "VERSION" && k != "BLOCKSIZE" && k != "UUID_SUB"
	})
	return tags
}

func info(t *testing.T, v Volume) volume.Info {
	t.Helper()
	s, err := surgeryOf(v.Kind, Checking)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := s.format.Open(t.Context(), volumetest.Open(t, v.Path))
	if err != nil {
		t.Fatal(err)
	}
	return opened.Info()
}

// TestGrowAndShrink works on views, as a deploy does; TestSmallest on files.
func TestGrowAndShrink(t *testing.T) {
	for name, x := range variants() {
		if x.grow == 0 && x.shrink == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			v := made(t, x)
			want, tags := digest(t, v), names(t, v)
			if x.grow > 0 {
				grown, layer := shown(t, v)
				if err := layer.Resize(x.grow); err != nil {
					t.Fatal(err)
				}
				notes, err := grown.Grow(t.Context())
				judge(t, grown, notes, err, x.grow, want, tags)
			}
			if x.shrink > 0 {
				shrunk, layer := shown(t, v)
				notes, err := shrunk.Shrink(t.Context(), x.shrink)
				if err == nil {
					err = layer.Resize(x.shrink)
				}
				judge(t, shrunk, notes, err, x.shrink, want, tags)
			}
		})
	}
}

// judge holds a volume that was brought to a size against what it was.
func judge(t *testing.T, v Volume, notes []string, err error, size int64, want string, tags map[string]string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Check(t.Context()); err != nil {
		t.Error(err)
	}
	now := info(t, v)
	least := size - now.BlockSize - 4096
	if strings.HasPrefix(v.Kind, "ext") {
		least -= 2 * mib // resize2fs leaves a last group out that is too small for its own tables
	}
	if now.Size > size || now.Size < least {
		t.Errorf("it has %d bytes, want %d", now.Size, size)
	}
	if got := names(t, v); !maps.Equal(got, tags) {
		t.Errorf("it is now %v, was %v", got, tags)
	}
	if v.Kind == "ntfs" && (len(notes) != 1 || len(now.Notes) > 0 || now.Clean()) {
		t.Errorf("notes %q, of the parser %q, refusals %v", notes, now.Notes, now.Refusals)
	}
	if v.Kind != "ntfs" && !now.Clean() {
		t.Errorf("it is left with %v", now.Refusals)
	}
	if got := digest(t, v); got != want {
		t.Error("its files are others than before")
	}
}

// TestSmallest shrinks every volume to what is said to be possible.
func TestSmallest(t *testing.T) {
	for name, x := range variants() {
		if x.shrink == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			v := made(t, x)
			want, tags := digest(t, v), names(t, v)
			n, err := v.Smallest(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d of %d MiB", n/mib, x.size/mib)
			n = (n + 4095) &^ 4095
			if n >= x.size {
				return // so small a volume of btrfs has too few chunks
			}
			notes, err := v.Shrink(t.Context(), n)
			if err == nil {
				err = os.Truncate(v.Path, n)
			}
			judge(t, v, notes, err, n, want, tags)
		})
	}
}

func sum(t *testing.T, path string) string {
	t.Helper()
	h := sha256.New()
	r := volumetest.Open(t, path)
	if _, err := io.Copy(h, io.NewSectionReader(r, 0, r.Size())); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestTooSmall(t *testing.T) {
	for _, name := range []string{"ext4", "btrfs", "ntfs", "swap"} {
		v := made(t, variants()[name])
		before := sum(t, v.Path)
		_, err := v.Shrink(t.Context(), 16<<10)
		var small *TooSmallError
		if !errors.As(err, &small) || small.Have != 16<<10 || small.Need < 40<<10 {
			t.Errorf("%s: %v", name, err)
		}
		if name != "btrfs" && sum(t, v.Path) != before {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestNotPossible(t *testing.T) {
	for kind, a := range map[string]Action{"xfs": Shrinking, "exfat": Growing, "fat32": Shrinking, "luks2": Checking, "unknown": Making} {
		_, err := Needs(kind, a)
		var no *NotPossibleError
		if !errors.As(err, &no) || no.Kind != kind || no.Action != a {
			t.Errorf("%s %s: %v", a, kind, err)
		}
	}
	if programs, err := Needs("ext4", Growing); err != nil || len(programs) != 2 {
		t.Errorf("%v, %v", programs, err)
	}
}

func TestStopped(t *testing.T) {
	v := made(t, variants()["ext4"])
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Shrink(ctx, 48*mib); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
