package files

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*.iso", "a.iso", true}, {"*.iso", "x/y/a.iso", true}, {"*.iso", "a.iso/b", false},
		{"/*.iso", "a.iso", true}, {"/*.iso", "x/a.iso", false},
		{"cache", "a/cache", true}, {"a/cache", "b/a/cache", true}, {"a/cache", "a/b/cache", false},
		{"/tmp/**", "tmp", false}, {"/tmp/**", "tmp/a", true}, {"/tmp/**", "tmp/a/b", true}, {"/tmp/**", "x/tmp/a", false},
		{"/srv/**/tmp", "srv/tmp", true}, {"/srv/**/tmp", "srv/a/b/tmp", true}, {"/srv/**/tmp", "a/srv/tmp", false},
		{"/home/*/.cache/**", "home/me/.cache/x", true}, {"/home/*/.cache/**", "home/.cache/x", false},
		{"[ab]?", "bc", true}, {"[ab]?", "c", false}, {`\*`, "*", true}, {`\*`, "a", false},
		{"dir/", "dir", true}, {"**", "anything/at all", true}, {"A", "a", false},
	} {
		p, err := newPattern(c.pattern, false)
		must(t, err)
		if got := p.matches(strings.Split(c.name, "/")); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.name, got)
		}
	}
	p, err := newPattern("/Windows/TEMP", true)
	must(t, err)
	if !p.matches([]string{"WINDOWS", "Temp"}) {
		t.Error("upper and lower case differ on NTFS")
	}
	for _, bad := range []string{"", "/", "[a", "a/[/b"} {
		if _, err := newPattern(bad, false); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func plant(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(name), 0o644))
	}
}

func names(l *Listing) []string {
	var all []string
	for i := range l.Entries[1:] {
		all = append(all, l.Path(int32(i)+1))
	}
	slices.Sort(all)
	return all
}

func TestLeftOut(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "etc/fstab", "usr/a", "tmp/x/y", "tmp/z", "var/tmp/q", "home/tmp/kept", "home/big.iso")
	swap := make([]byte, 1<<20)
	copy(swap[4086:], swapMagic)
	must(t, os.WriteFile(filepath.Join(dir, "swapfile"), swap, 0o600))
	tree := walk(t, dir, WalkOptions{Exclude: []string{"*.iso"}})
	if got, want := strings.Join(names(tree.Listing), " "), "etc etc/fstab home home/tmp home/tmp/kept swapfile tmp usr usr/a var var/tmp"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var omitted []string
	for _, o := range tree.Omitted {
		omitted = append(omitted, fmt.Sprint(o.Name, " ", o.Bytes > 0))
	}
	if got := strings.Join(omitted, ", "); got != "*.iso true, /tmp/** true, /var/tmp/** true" {
		t.Errorf("says that it left out %s", got)
	}
	if i, _ := tree.Listing.Find("swapfile"); tree.Listing.Entries[i].length() != swapHead {
		t.Error("what was swapped out is taken")
	}
	if all := walk(t, dir, WalkOptions{All: true}); len(all.Listing.Entries) != 17 {
		t.Errorf("All takes %v", names(all.Listing))
	}
}

// TestLive changes files between looking at them and reading them.
func TestLive(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "same", "gone", "shorter", "longer", "written", "dir/same")
	tree := walk(t, dir, WalkOptions{Live: true})
	must(t, os.Remove(filepath.Join(dir, "gone")))
	must(t, os.Truncate(filepath.Join(dir, "shorter"), 2))
	must(t, os.WriteFile(filepath.Join(dir, "longer"), []byte("longer than before"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "written"), []byte("WRITTEN"), 0o644))
	c := tree.Contents()
	want := map[string]string{"same": "same", "gone": "", "shorter": "sh", "longer": "longer", "written": "WRITTEN"}
	for name, text := range want {
		i, _ := tree.Listing.Find(name)
		buf := bytes.Repeat([]byte{0xff}, chunk.Grid)
		must(t, block.ReadFull(c, buf, tree.Listing.Entries[i].At))
		if got := strings.TrimRight(string(buf), "\x00"); got != text {
			t.Errorf("%s holds %q, want %q", name, got, text)
		}
	}
	var changed []string
	for _, c := range tree.Changed() {
		changed = append(changed, c.Path+" "+c.What)
	}
	if got := strings.Join(changed, ", "); got != "/gone it was removed, /longer it was written to, /shorter it was written to, /written it was written to" {
		t.Errorf("says that these changed: %s", got)
	}
	still := walk(t, dir, WalkOptions{})
	must(t, os.Truncate(filepath.Join(dir, "longer"), 0))
	c = still.Contents()
	i, _ := still.Listing.Find("longer")
	if err := block.ReadFull(c, make([]byte, 10), still.Listing.Entries[i].At); err == nil {
		t.Error("a file that shrank in a volume that nobody writes to is no error")
	}
}

func TestDeepAndMany(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	for i := range 10_000 {
		plant(t, from, fmt.Sprintf("many/%d/%d", i%7, i))
	}
	root, err := os.OpenRoot(from)
	must(t, err)
	defer root.Close()
	at := root
	for range 150 { // 250 bytes each, far beyond what one path may have
		must(t, at.Mkdir(strings.Repeat("d", 250), 0o755))
		next, err := at.OpenRoot(strings.Repeat("d", 250))
		must(t, err)
		defer next.Close()
		at = next
	}
	f, err := at.Create("deep")
	must(t, err)
	f.WriteString("down here")
	f.Close()
	must(t, at.Symlink("nowhere", "link"))
	must(t, at.Link("deep", "zz"))
	apply(t, from, to)
}

// TestSameOrderAsDisk checks what makes images by files and by blocks share data.
func TestSameOrderAsDisk(t *testing.T) {
	dir, _ := volumetest.Mount(t, volumetest.Mkfs(t, 64<<20, "mkfs.ext4", "-q", "-b", "4096", "{}"))
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 50 {
		plant(t, dir, fmt.Sprintf("%08x", r.Uint32()))
		if i%10 == 0 {
			syncFS(t, dir)
		}
	}
	syncFS(t, dir)
	tree := walk(t, dir, WalkOptions{})
	same := 0
	for _, d := range tree.Listing.order {
		out := volumetest.Tool(t, "filefrag", "-v", filepath.Join(dir, tree.Listing.path(d)))
		place := strings.TrimSuffix(strings.Fields(strings.Split(out, "\n")[3])[3], "..")
		if place == fmt.Sprint(tree.Listing.data(d).At/chunk.Grid) {
			same++
		}
	}
	if same != 50 {
		t.Errorf("%d of 50 files lie where they lie on the disk", same)
	}
}
