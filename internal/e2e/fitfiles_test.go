package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/block/loop"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// files captures the source's disk file by file and deploys that: rsync has
// nothing to say about the result, whatever file system it is on. Made one machine's
// own, on a file system of another kind, it boots.
func (f *fitTest) files(t *testing.T) {
	image := f.image + "-files"
	f.ingot.run(t, "capture", "--files", "--include-all", f.disk, image, "--quiet")
	target := blankFile(t, f.sizes.smaller)
	f.ingot.deploy(t, image, target)
	judgeTable(t, target)
	f.compareFiles(t, target)
	if f.fileSystem != "ext4" {
		return
	}
	for _, kind := range []string{"xfs", "btrfs"} {
		t.Run("as-"+kind, func(t *testing.T) {
			target := blankFile(t, f.sizes.bigger)
			done := f.ingot.deploy(t, image, target, "--profile", f.profile, "--fs", "root="+kind)
			dir, unmount := mountPart(t, target, rootPart(f.fw), "ro")
			own := identityOf(t, dir)
			sameTrees(t, f.tree, treeOf(t, dir), done.Changed)
			unmount()
			if f.sizes.boots(f.image + "-files-as-" + kind) {
				began := time.Now()
				f.boot(t, target, own)
				t.Logf("booted in %.0f s", time.Since(began).Seconds())
			}
		})
	}
}

// compareFiles has rsync compare the root of the source with that of a target.
func (f *fitTest) compareFiles(t *testing.T, target string) {
	var options []string
	switch f.fileSystem {
	case "xfs":
		options = []string{"nouuid"}
	case "btrfs":
		renewBtrfs(t, target, partitions(t, target)[rootPart(f.fw)])
	}
	from, unmountFrom := mountPart(t, f.disk, rootPart(f.fw), append(options, "ro")...)
	defer unmountFrom()
	to, unmountTo := mountPart(t, target, rootPart(f.fw), append(options, "ro")...)
	defer unmountTo()
	said := volumetest.Tool(t, "rsync", "-aHAXnic", "--delete", from+"/", to+"/")
	if said = strings.TrimSpace(said); said != "" {
		t.Errorf("rsync finds %d differences, among them:\n%.2000s", strings.Count(said, "\n")+1, said)
	}
}

// renewBtrfs gives a file system a UUID of its own: the kernel mounts no two with
// the same.
func renewBtrfs(t *testing.T, disk string, p partition) {
	t.Helper()
	dev, err := loop.Attach(disk, loop.Options{Offset: p.Start, Size: p.Size})
	must(t, err)
	volumetest.Tool(t, "btrfstune", "-f", "-u", dev.Path())
	must(t, dev.Close())
	released(t, disk)
}

// plantOdd makes files that a copy may easily get wrong.
func plantOdd(t *testing.T, root string) {
	t.Helper()
	dir := filepath.Join(root, "srv/odd")
	must(t, os.MkdirAll(dir, 0o2751))
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"capable", "acl", "attributes", "new\nline", "\xff\xfe not UTF-8"} {
		must(t, os.WriteFile(path(name), []byte("content of "+name), 0o4755))
	}
	must(t, os.WriteFile(path("sparse"), []byte("begin"), 0o600))
	must(t, os.Truncate(path("sparse"), 64*mib))
	must(t, os.Link(path("acl"), path("other name")))
	must(t, os.Symlink(strings.Repeat("far/", 200), path("link")))
	must(t, os.Lchown(path("link"), 1234, 5678))
	volumetest.Tool(t, "mknod", path("device"), "b", "7", "200")
	volumetest.Tool(t, "mkfifo", path("pipe"))
	setattr(t, path("attributes"), "user.note", "00ff00")
	setattr(t, path("attributes"), "trusted.note", "0102")
	setattr(t, path("capable"), "security.capability", "0100000200040000000000000000000000000000")
	setattr(t, path("acl"), "system.posix_acl_access", posixACL)
	must(t, os.Chtimes(path("capable"), time.Unix(1, 999_999_999), time.Unix(-3, 123_456_789)))
}

// posixACL is u::rwx u:1000:r-- g::r-x m::rwx o::r-x as struct
// posix_acl_xattr_header and its entries of linux/posix_acl_xattr.h.
const posixACL = "02000000" + "01000700ffffffff" + "02000400e8030000" + "04000500ffffffff" + "10000700ffffffff" + "20000500ffffffff"
