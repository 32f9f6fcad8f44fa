package xfs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

var logVariants = []struct{ name, args string }{
	{"plain", "-l size=6m"},
	{"stripe4k", "-l size=8m,su=4k"},
	{"stripe256k", "-l size=20m,su=256k"},
	{"sector4k", "-s size=4096 -l size=8m"},
}

// TestLogState follows a log through the life of a file system, twice round its
// ring and more, and has xfs_logprint and xfs_repair judge each state.
func TestLogState(t *testing.T) {
	for _, v := range logVariants {
		t.Run(v.name, func(t *testing.T) {
			path := mkfs(t, 300*mib, append([]string{"mkfs.xfs", "-q", "-f"}, strings.Fields(v.args)...)...)
			judgeLog(t, path, "fresh")
			for round := range 8 {
				liveOneRound(t, path, fmt.Sprintf("round %d", round))
			}
			sb := geometry(t, path)
			l := logRing{r: volumetest.Open(t, path), offset: sb.logOffset()}
			if cycle, err := l.cycle(0); err != nil || cycle < 3 {
				t.Errorf("the log is in cycle %d, %v; the test is meant to go round it twice", cycle, err)
			}
		})
	}
}

// liveOneRound mounts, changes, syncs, freezes and unmounts an image, and judges
// copies taken at each point.
func liveOneRound(t *testing.T, path, name string) {
	t.Helper()
	dir, unmount := volumetest.Mount(t, path)
	defer unmount()
	judgeLog(t, snapshot(t, path), name+", mounted")
	churn(t, dir, 700)
	dirty := snapshot(t, path)
	judgeLog(t, dirty, name+", changed")
	volumetest.Tool(t, "sync", "-f", dir)
	judgeLog(t, snapshot(t, path), name+", synced")
	volumetest.Tool(t, "fsfreeze", "-f", dir)
	frozen := snapshot(t, path)
	volumetest.Tool(t, "fsfreeze", "-u", dir)
	judgeLog(t, frozen, name+", frozen")
	unmount()
	judgeLog(t, path, name+", unmounted")

	volumetest.Tool(t, "xfs_repair", "-L", "-f", dirty)
	judgeLog(t, dirty, name+", log zeroed by xfs_repair")
}

// churn makes and removes files and forces the log out every time.
func churn(t *testing.T, dir string, n int) {
	t.Helper()
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("%0200d", i))
		writeFile(t, name, []byte(name))
		if i%2 == 1 {
			if err := os.Remove(filepath.Join(dir, fmt.Sprintf("%0200d", i-1))); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Sync(); err != nil {
			t.Fatal(err)
		}
	}
}

// snapshot copies an image as it lies on disk at this moment.
func snapshot(t *testing.T, path string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "snapshot.img")
	volumetest.Tool(t, "cp", "--sparse=always", path, out)
	return out
}

// judgeLog compares our verdict on an image's log with that of xfs_logprint and
// of xfs_repair -n.
func judgeLog(t *testing.T, path, when string) {
	t.Helper()
	v, err := New().Open(context.Background(), volumetest.Open(t, path))
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	clean := v.Info().Clean()
	if !clean && (v.Info().Refusals[0].Reason != volume.NeedsReplay || !v.Info().Refusals[0].Waivable) {
		t.Fatalf("%s: refusals %+v", when, v.Info().Refusals)
	}
	printed := volumetest.Tool(t, "xfs_logprint", "-t", path)
	if theirs := strings.Contains(printed, "state: <CLEAN>"); theirs != clean {
		t.Errorf("%s: clean %v, xfs_logprint says %v", when, clean, theirs)
	}
	// The exit code speaks of the whole file system, which may well need repair.
	out, _ := exec.Command("xfs_repair", "-n", "-f", path).CombinedOutput()
	if theirs := !strings.Contains(string(out), "valuable metadata changes in a log"); theirs != clean {
		t.Errorf("%s: clean %v, xfs_repair says %v", when, clean, theirs)
	}
	if _, err := v.Used(context.Background()); clean && err != nil {
		t.Errorf("%s: clean, and yet %v", when, err)
	}
}
