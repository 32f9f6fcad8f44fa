package btrfs

import (
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// populate leaves behind what a year of use does: subvolumes, snapshots, shared
// and compressed and inline and preallocated extents, holes, deletions.
const populate = `
set -e
btrfs -q subvolume create home
btrfs -q subvolume create old
mkdir home/small
for i in $(seq 700); do echo "file $i of a great many, to make the trees grow" > home/small/$i; done
head -c 6000000 /dev/urandom > home/random
yes 'compressible text' | head -c 8000000 > home/text
cp --reflink=always home/random home/shared
dd if=/dev/urandom of=home/shared bs=4096 seek=100 count=3 conv=notrunc status=none
fallocate -l 3M home/preallocated
truncate -s 40M home/sparse
echo end >> home/sparse
setfattr -n user.note -v "$(head -c 3000 /dev/zero | tr '\0' x)" home/text
ln -s small home/link
cp -r home/small old/
head -c 5000000 /dev/urandom > old/gone
sync -f .
btrfs -q subvolume snapshot home snapshot
btrfs -q subvolume snapshot -r home frozen
btrfs -q subvolume delete -C old
rm -r home/small/1* snapshot/random
head -c 300000 /dev/urandom >> snapshot/text
btrfs -q subvolume set-default $(btrfs subvolume list . | awk '/path home$/ {print $2}') .
sync -f .
`

func shell(t *testing.T, dir, script string) {
	t.Helper()
	volumetest.Tool(t, "sh", "-c", "cd "+dir+"\n"+script)
}

// mount is volumetest.Mount of the top subvolume, of a file system that the
// kernel shall forget afterwards: a copy of it has the same UUID.
func mount(t *testing.T, path string, options ...string) (dir string, unmount func()) {
	t.Helper()
	volumetest.Tool(t, "btrfs", "device", "scan", "--forget")
	dir, umount := volumetest.Mount(t, path, append(options, "subvolid=5")...)
	return dir, func() {
		umount()
		volumetest.Tool(t, "btrfs", "device", "scan", "--forget")
	}
}

// restoredIs restores a volume by our map and fails unless all checkers of
// btrfs are content and its files are the ones of the digest.
func restoredIs(t *testing.T, path, digest string) {
	t.Helper()
	_, used := volumetest.Check(t, New(), volumetest.Open(t, path))
	restored := volumetest.Restore(t, path, used)
	volumetest.Tool(t, "btrfs", "check", "--readonly", "--check-data-csum", restored)
	dir, unmount := mount(t, restored)
	defer unmount()
	if got := volumetest.Digest(t, dir); got != digest {
		t.Error("the restored files differ")
	}
	scrub(t, dir)
}

// scrub lets the kernel read every block of both copies.
func scrub(t *testing.T, dir string) {
	t.Helper()
	if out := volumetest.Tool(t, "btrfs", "scrub", "start", "-B", dir); !strings.Contains(out, "no errors found") {
		t.Errorf("scrub: %s", out)
	}
}

func TestPopulated(t *testing.T) {
	tests := []struct {
		name    string
		size    int64
		mkfs    []string
		options []string
		after   string
	}{
		{"populated", 256 << 20, nil, []string{"compress=zstd"}, ""},
		{"populated-dup", 320 << 20, []string{"-d", "dup", "-n", "4k", "--csum", "xxhash"}, nil, ""},
		{"populated-mixed", 256 << 20, []string{"-M", "--csum", "blake2"}, []string{"compress-force=lzo"}, ""},
		{"populated-old", 256 << 20, []string{"-O", "^no-holes,^skinny-metadata", "-R", "^free-space-tree", "--csum", "sha256"}, []string{"space_cache=v1"}, ""},
		{"raid0-of-one", 320 << 20, nil, nil, "btrfs -q balance start -f -dconvert=raid0 -mconvert=single ."},
		{"worn", 320 << 20, nil, []string{"compress=zlib"},
			"btrfs -q quota enable . && btrfs -q balance start --full-balance . && btrfs -q filesystem resize 280m ."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := mkfs(t, test.size, test.mkfs...)
			dir, unmount := mount(t, path, test.options...)
			shell(t, dir, populate+test.after)
			digest := volumetest.Digest(t, dir)
			unmount()
			used := judge(t, path)
			volumetest.Keep(t, New(), volumetest.Open(t, path), test.name)
			againstPartclone(t, path, used)
			restoredIs(t, path, digest)
		})
	}
}

// TestConverted has chunks that lie where ext4 had its data, and rolls the
// restored file system back to ext4.
func TestConverted(t *testing.T) {
	path := volumetest.Mkfs(t, 256<<20, "mkfs.ext4", "-q", "-F", "-b", "4096", "{}")
	dir, unmount := volumetest.Mount(t, path)
	shell(t, dir, "mkdir a; for i in $(seq 500); do head -c 20000 /dev/urandom > a/$i; done; rm a/1*")
	digest := volumetest.Digest(t, dir)
	unmount()
	volumetest.Tool(t, "btrfs-convert", path)
	used := judge(t, path)
	volumetest.Keep(t, New(), volumetest.Open(t, path), "converted")

	restored := volumetest.Restore(t, path, used)
	volumetest.Tool(t, "btrfs", "check", "--readonly", "--check-data-csum", restored)
	volumetest.Tool(t, "btrfs-convert", "--rollback", restored)
	volumetest.Tool(t, "e2fsck", "-f", "-n", restored)
	rolledBack, unmountRolledBack := volumetest.Mount(t, restored)
	defer unmountRolledBack()
	if got := volumetest.Digest(t, rolledBack); got != digest {
		t.Error("the files differ after the rollback")
	}
}
