package xfs

import (
	"os"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// What administrators do to a file system after it was made.

func TestRepaired(t *testing.T) {
	v := variant{size: 300 * mib, args: "-b size=1024 -l size=8m", levels: 3}
	path := v.make(t)
	populate(t, path, 200)
	volumetest.Tool(t, "xfs_repair", "-L", "-f", path) // zeroes the log, builds new trees
	v.checkMap(t, path)
	// Its log is zeroed; that of a file system in use makes a large fixture.
	volumetest.Keep(t, New(), volumetest.Open(t, path), "v5-fragmented")
}

func TestGrown(t *testing.T) {
	v := variant{size: 300 * mib, args: "-l size=8m"}
	path := v.make(t)
	if err := os.Truncate(path, 700*mib+12345); err != nil {
		t.Fatal(err)
	}
	dir, unmount := volumetest.Mount(t, path)
	defer unmount()
	volumetest.Tool(t, "xfs_growfs", dir)
	unmount()
	if sb := geometry(t, path); sb.AGCount <= 4 {
		t.Fatalf("%d AGs after growing", sb.AGCount)
	}
	v.checkMap(t, path)
}

// A new UUID leaves the one in the metadata as it was.
func TestNewUUID(t *testing.T) {
	const id = "11111111-2222-3333-4444-555555555555"
	for _, args := range []string{"-l size=8m", "-m crc=0 -l size=8m"} {
		v := variant{size: 300 * mib, args: args}
		path := v.make(t)
		volumetest.Tool(t, "xfs_admin", "-U", id, "-L", "relabelled", path)
		v.checkMap(t, path)
		volume, _ := volumetest.Check(t, New(), volumetest.Open(t, path))
		if info := volume.Info(); info.UUID != id || info.Label != "relabelled" {
			t.Errorf("%s: Info %+v", args, info)
		}
	}
}

// xfs_admin puts the lazy counter and the newer features on by way of xfs_repair.
func TestUpgraded(t *testing.T) {
	for _, step := range []struct{ made, upgrade string }{
		{"-m crc=0 -l size=8m,lazy-count=0", "-c1"},
		{"-m inobtcount=0,bigtime=0 -l size=8m", "-Oinobtcount=1,bigtime=1"},
	} {
		v := variant{size: 300 * mib, args: step.made}
		path := v.make(t)
		volumetest.Tool(t, "xfs_admin", step.upgrade, path)
		v.checkMap(t, path)
	}
}
