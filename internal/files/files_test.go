package files

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// syncFS writes one file system out. It does not wait for others, as sync(2) does.
func syncFS(t testing.TB, dir string) {
	t.Helper()
	f, err := os.Open(dir)
	must(t, err)
	defer f.Close()
	must(t, unix.Syncfs(int(f.Fd())))
}

// walk walks a tree until the test ends.
func walk(t testing.TB, dir string, opts WalkOptions) *Tree {
	t.Helper()
	opts.Place = host.FirstPlace
	tree, err := Walk(t.Context(), dir, opts)
	must(t, err)
	t.Cleanup(func() { tree.Close() })
	return tree
}

// volumeOf is what an image of a tree holds, its listing encoded and parsed.
func volumeOf(t testing.TB, tree *Tree) *Volume {
	t.Helper()
	v, err := Open(t.Context(), sourceOf(tree.Listing.Encode(), tree.Contents(), tree.Used()), 0)
	must(t, err)
	return v
}

func sourceOf(listing []byte, contents block.Reader, used extent.List) content.Source {
	vol := &image.Volume{Kind: "ext4", Method: image.FileByFile}
	regions := []image.Region{
		{Role: image.Listing, Size: int64(len(listing)), Volume: vol, Rest: image.Zeros},
		{Role: image.Contents, Size: contents.Size(), Volume: vol, Rest: image.Free},
	}
	return content.NewLive(regions, []extent.List{{{Length: regions[0].Size}}, used}, []block.Reader{bytes.NewReader(listing), contents})
}

// apply puts the files of one directory into another.
func apply(t testing.TB, from, to string) {
	t.Helper()
	tree := walk(t, from, WalkOptions{All: true})
	defer tree.Close()
	v := volumeOf(t, tree)
	losses, err := v.Apply(t.Context(), to, &progress.Work{})
	must(t, err)
	for _, l := range losses {
		t.Errorf("lost of %d files, such as %s: %s", l.Files, l.First, l.What)
	}
	compareEqual(t, v, to)
}

func compareEqual(t testing.TB, v *Volume, dir string) {
	t.Helper()
	must(t, v.Compare(t.Context(), dir, func(d Difference) { t.Errorf("%s: %s", d.Path, d.What) }))
}

// judge lets other programs compare two trees.
func judge(t testing.TB, from, to string) {
	t.Helper()
	if out := volumetest.Tool(t, "rsync", "-aHAXni", "--delete", "--checksum", from+"/", to+"/"); out != "" {
		t.Errorf("rsync finds differences:\n%s", out)
	}
	for _, dump := range []string{
		`find . -printf '%P %y %m %U %G %s %n %l %T@\n' | sort`,
		`find . -type f -printf '%P %A@\n' | sort`,
		`find . -print0 | sort -z | xargs -0 getfattr --absolute-names -hd -m - -e hex`,
		`find . \( -type f -o -type d \) -exec lsattr -d {} + 2>/dev/null | sed 's/[-eIhEV]//g' | sort`,
		`find . -type c -o -type b | sort | xargs -r stat -c '%n %t %T'`,
	} {
		run := func(dir string) string {
			cmd := exec.Command("sh", "-c", dump)
			cmd.Dir = dir
			out, _ := cmd.Output()
			return string(out)
		}
		if a, b := run(from), run(to); a != b {
			t.Errorf("%s\n%s", dump, firstDifference(a, b))
		} else if strings.TrimSpace(a) == "" && !strings.Contains(dump, "getfattr") {
			t.Errorf("%s shows nothing", dump)
		}
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] {
			return fmt.Sprintf("%s\nhave %q\nwant %q", strings.Join(x[max(0, i-12):i], "\n"), at(y, i), x[i])
		}
	}
	return fmt.Sprintf("have %q more", at(y, len(x)))
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return ""
}

var kinds = map[string][]string{
	"ext4":  {"mkfs.ext4", "-q", "{}"},
	"ext2":  {"mkfs.ext2", "-q", "{}"},
	"xfs":   {"mkfs.xfs", "-q", "{}"},
	"btrfs": {"mkfs.btrfs", "-q", "{}"},
}

// TestEveryKindOfFile takes a tree with everything that its file system can hold
// to a new file system of the same kind.
func TestEveryKindOfFile(t *testing.T) {
	for kind, mkfs := range kinds {
		t.Run(kind, func(t *testing.T) {
			from, _ := volumetest.Mount(t, volumetest.Mkfs(t, 320<<20, mkfs...), "noatime")
			to, _ := volumetest.Mount(t, volumetest.Mkfs(t, 320<<20, mkfs...), "noatime")
			everything(t, from, kind)
			syncFS(t, from)
			apply(t, from, to)
			judge(t, from, to)
			if kind == "btrfs" {
				if out := volumetest.Tool(t, "btrfs", "property", "get", "-ts", filepath.Join(to, "@home/snap"), "ro"); out != "ro=true\n" {
					t.Errorf("the snapshot is %s", out)
				}
				if out := volumetest.Tool(t, "btrfs", "subvolume", "get-default", to); !strings.HasSuffix(out, "path @home\n") {
					t.Errorf("the default subvolume is %s", out)
				}
			}
		})
	}
}

// everything plants one of each.
func everything(t *testing.T, dir, kind string) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, size int, mode os.FileMode) string {
		must(t, os.MkdirAll(filepath.Dir(path(name)), 0o755))
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		must(t, os.WriteFile(path(name), b, 0o600))
		must(t, os.Chmod(path(name), mode))
		return path(name)
	}
	for i, size := range []int{0, 1, 4095, 4096, 4097, 100_000, 5 << 20, 20<<20 + 7} {
		write(fmt.Sprintf("sizes/%d", i), size, 0o644)
	}
	must(t, os.Chmod(write("modes/setuid", 10, 0o755), os.ModeSetuid|os.ModeSetgid|0o755))
	must(t, os.Chmod(path("modes"), os.ModeSticky|os.ModeSetgid|0o770))
	write("modes/none", 10, 0)
	must(t, os.Lchown(write("owned", 5, 0o640), 12345, 1<<31+5))
	must(t, os.Chtimes(write("past", 5, 0o640), time.Unix(-86400*365, 1), time.Unix(-5, 999999999)))
	odd := "odd "
	for c := 1; c < 256; c++ {
		if c != '/' {
			odd += string([]byte{byte(c)})
		}
	}
	for i := 0; i < len(odd); i += 100 {
		write("names/"+odd[i:min(i+100, len(odd))], 3, 0o600)
	}
	must(t, os.Symlink("nowhere/at all", path("names/link\xff")))
	must(t, os.Symlink(strings.Repeat("x", 1000), path("long")))
	must(t, os.Lchown(path("long"), 7, 8))
	must(t, unix.Lutimes(path("long"), []unix.Timeval{{Sec: 5}, {Sec: 6}}))
	must(t, unix.Mkfifo(path("fifo"), 0o622))
	must(t, unix.Mknod(path("socket"), unix.S_IFSOCK|0o755, 0))
	must(t, unix.Mknod(path("null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	must(t, unix.Mknod(path("disk"), unix.S_IFBLK|0o660, int(unix.Mkdev(259, 70000))))
	must(t, os.Link(path("sizes/5"), path("modes/another name")))
	must(t, os.Link(path("sizes/5"), path("a name that comes first")))
	must(t, os.Link(path("fifo"), path("zz fifo")))
	must(t, os.Link(path("long"), path("sizes/long")))
	sparse(t, path("sparse"), 100<<20, 40<<20, 60<<20+5)
	sparse(t, path("all hole"), 1<<20)
	write("zeros", 0, 0o600)
	must(t, os.WriteFile(path("zeros"), make([]byte, 3<<20+9), 0o600))
	must(t, os.MkdirAll(path("empty/empty"), 0o700))
	attributes(t, path, write, kind)
}

func sparse(t *testing.T, path string, size int64, at ...int64) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	must(t, f.Truncate(size))
	for _, off := range at {
		_, err := f.WriteAt([]byte(strings.Repeat("data", 3000)), off)
		must(t, err)
	}
	must(t, f.Sync())
}

// attributes plants extended attributes, access control lists and flags.
func attributes(t *testing.T, path func(string) string, write func(string, int, os.FileMode) string, kind string) {
	t.Helper()
	for _, name := range []string{"user.plain", "trusted.mine", "security.selinux"} {
		must(t, unix.Lsetxattr(write("attrs/"+name, 9, 0o644), name, []byte("value\x00of "+name), 0))
	}
	must(t, unix.Lsetxattr(path("attrs"), "user.dir", []byte{1}, 0))
	must(t, unix.Lsetxattr(path("long"), "trusted.link", []byte("on a link"), 0))
	volumetest.Tool(t, "setcap", "cap_net_raw+ep", write("attrs/capable", 99, 0o755))
	volumetest.Tool(t, "setfacl", "-m", "u:4711:rw,g:12:---,m:r", write("attrs/acl", 99, 0o640))
	volumetest.Tool(t, "setfacl", "-d", "-m", "u:4711:rwx", path("attrs"))
	write("attrs/inherits", 1, 0o600)
	flags := map[string]string{"immutable": "+i", "append": "+a", "nodump": "+dA"}
	if kind == "btrfs" {
		flags["nocow"], flags["packed"] = "+C", "+c"
	}
	for name, flag := range flags {
		file := write("flags/"+name, 0, 0o600)
		volumetest.Tool(t, "chattr", strings.Trim(flag, "ia")+"A", file)
		must(t, os.WriteFile(file, []byte("some bytes"), 0o600))
		t.Cleanup(func() { exec.Command("chattr", "-ia", file).Run() })
		if name == "append" || name == "immutable" {
			must(t, os.Link(file, path("flags/other "+name)))
			volumetest.Tool(t, "chattr", flag, file)
		}
	}
	if kind == "btrfs" {
		volumetest.Tool(t, "btrfs", "subvolume", "create", path("@home"))
		write("@home/user/file", 70_000, 0o600)
		volumetest.Tool(t, "btrfs", "subvolume", "snapshot", "-r", path("@home"), path("@home/snap"))
		volumetest.Tool(t, "btrfs", "subvolume", "set-default", path("@home"))
	}
}
