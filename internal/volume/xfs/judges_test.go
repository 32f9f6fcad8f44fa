package xfs

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// againstXFSDB holds a used map against the free extents that xfs_db lists. It
// takes the blocks of the AGs' free lists for free too, we do not; it returns
// how many bytes those have.
func againstXFSDB(t *testing.T, path string, used extent.List) int64 {
	t.Helper()
	sb := geometry(t, path)
	var free, lists []extent.Extent
	at := func(group, start, length int64) extent.Extent {
		return extent.Extent{Start: (group*int64(sb.AGBlocks) + start) * sb.blockSize(), Length: length * sb.blockSize()}
	}
	lines := bufio.NewScanner(strings.NewReader(volumetest.Tool(t, "xfs_db", "-r", "-f", "-c", "freesp -d", path)))
	for lines.Scan() {
		var group, start, length int64
		if n, _ := fmt.Sscan(lines.Text(), &group, &start, &length); n != 3 {
			continue
		}
		if strings.Contains(lines.Text(), ".") {
			break // the histogram
		}
		free = append(free, at(group, start, length))
	}
	for group, starts := range freeLists(t, path, int(sb.AGCount)) {
		for _, start := range starts {
			lists = append(lists, at(int64(group), start, 1))
		}
	}
	inLists := extent.Of(lists...)
	size := int64(sb.Blocks) * sb.blockSize()
	want := extent.Of(free...).Subtract(inLists).Complement(size)
	if d := want.Subtract(used); len(d) > 0 {
		t.Errorf("%d bytes in use for xfs_db are not in our map, first %v", d.Bytes(), d[0])
	}
	if d := used.Subtract(want); len(d) > 0 {
		t.Errorf("%d bytes of our map are free for xfs_db, first %v", d.Bytes(), d[0])
	}
	return inLists.Bytes()
}

func geometry(t *testing.T, path string) *superblock {
	t.Helper()
	sb, err := readSuperblock(volumetest.Open(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return sb
}

// freeLists returns the blocks on each AG's free list (AGFL): flcount of them
// from flfirst on, round the end of the list's sector.
func freeLists(t *testing.T, path string, groups int) [][]int64 {
	t.Helper()
	args := []string{"-r", "-f"}
	for group := range groups {
		args = append(args, "-c", fmt.Sprintf("agf %d", group), "-c", "p flfirst flcount",
			"-c", fmt.Sprintf("agfl %d", group), "-c", "p bno")
	}
	var lists [][]int64
	for _, out := range strings.Split(volumetest.Tool(t, "xfs_db", append(args, path)...), "flfirst = ")[1:] {
		var first, count, last int64
		if _, err := fmt.Sscanf(out, "%d\nflcount = %d\nbno[0-%d] =", &first, &count, &last); err != nil {
			t.Fatalf("free list of AG %d: %v in %s", len(lists), err, out)
		}
		_, slots, _ := strings.Cut(out, "] =")
		entries := strings.Fields(slots)
		var list []int64
		for i := range count {
			var slot, start int64
			if _, err := fmt.Sscanf(entries[(first+i)%(last+1)], "%d:%d", &slot, &start); err != nil {
				t.Fatalf("free list of AG %d: %v in %s", len(lists), err, slots)
			}
			list = append(list, start)
		}
		lists = append(lists, list)
	}
	return lists
}

// prototype writes a prototype file for mkfs.xfs -p that makes n small files.
func prototype(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	content, proto := filepath.Join(dir, "content"), filepath.Join(dir, "proto")
	var b strings.Builder
	b.WriteString("/dev/null\n0 0\nd--755 0 0\n")
	for i := range n {
		fmt.Fprintf(&b, "file%05d ---644 0 0 %s\n", i, content)
	}
	b.WriteString("$\n")
	writeFile(t, content, []byte("the content of one small file\n"))
	writeFile(t, proto, []byte(b.String()))
	return proto
}

// fragment frees every second file of an image that cannot be mounted: it marks
// the inodes as free, and xfs_repair then gives back their blocks and builds new
// free-space trees.
func fragment(t *testing.T, path string) {
	t.Helper()
	args := []string{"-x", "-f"}
	lines := strings.Split(volumetest.Tool(t, "xfs_db", "-r", "-f", "-c", "path /", "-c", "ls", path), "\n")
	for i := 0; i < len(lines); i += 2 {
		if fields := strings.Fields(lines[i]); len(fields) > 5 && strings.HasPrefix(fields[5], "file") {
			args = append(args, "-c", "inode "+fields[1], "-c", "write core.mode 0")
		}
	}
	volumetest.Tool(t, "xfs_db", append(args, path)...)
	volumetest.Tool(t, "xfs_repair", "-f", path)
}

// deepest is the most levels a free-space tree of any AG has.
func deepest(t *testing.T, v *xfsVolume) uint32 {
	t.Helper()
	var most uint32
	for number := range v.sb.AGCount {
		agf, err := (&walk{r: v.r, sb: v.sb}).readAGHeader(number)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, agf.FreeLevels)
	}
	return most
}

// populate mounts an image, fills it with a tree whose free space is in
// thousands of pieces, and returns the tree's digest.
func populate(t *testing.T, path string, files int) string {
	t.Helper()
	blockSize := geometry(t, path).blockSize()
	dir, unmount := volumetest.Mount(t, path)
	defer unmount()
	random := rand.NewChaCha8([32]byte{1})
	for i := range files {
		sub := filepath.Join(dir, fmt.Sprintf("directory with a long name %02d", i%17))
		if err := os.MkdirAll(sub, 0o750); err != nil {
			t.Fatal(err)
		}
		content := make([]byte, i*97)
		random.Read(content)
		writeFile(t, filepath.Join(sub, fmt.Sprintf("file%d", i)), content)
	}
	punched := filepath.Join(dir, "punched")
	punch(t, punched, random, blockSize)
	for i := 1; i < files; i += 2 {
		if err := os.Remove(filepath.Join(dir, fmt.Sprintf("directory with a long name %02d/file%d", i%17, i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(strings.Repeat("x/", 500), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(punched, filepath.Join(dir, "hard link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setxattr(punched, "user.note", make([]byte, 3000), 0); err != nil {
		t.Fatal(err)
	}
	volumetest.Tool(t, "cp", "--reflink=auto", punched, filepath.Join(dir, "copy"))
	return volumetest.Digest(t, dir)
}

// punch makes a file of 4 MiB of data and 28 MiB of preallocated space, and
// gives every second block of it back.
func punch(t *testing.T, path string, random *rand.ChaCha8, blockSize int64) {
	t.Helper()
	const data, size, punchHole, keepSize = 4 * mib, 32 * mib, 2, 1
	content := make([]byte, data)
	random.Read(content)
	writeFile(t, path, content)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	for at := int64(0); at < size; at += 2 * blockSize {
		if err := syscall.Fallocate(int(f.Fd()), punchHole|keepSize, at, blockSize); err != nil {
			t.Fatal(err)
		}
	}
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o640); err != nil {
		t.Fatal(err)
	}
}
