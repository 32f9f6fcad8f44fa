package xfs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

var logVariants = []struct {
	name, args string
	cycle      uint32 // that the log is to reach, one more than the times round the ring
}{
	{"plain", "-l size=6m", 3},
	{"stripe4k", "-l size=8m,su=4k", 2},
	{"stripe256k", "-l size=20m,su=256k", 2},
	{"sector4k", "-s size=4096 -l size=8m", 2},
}

// TestLogState follows a log through the life of a file system, round its ring
// more than once, and has xfs_logprint and xfs_repair judge each state.
func TestLogState(t *testing.T) {
	for _, v := range logVariants {
		t.Run(v.name, func(t *testing.T) {
			path := mkfs(t, 300*mib, append([]string{"mkfs.xfs", "-q", "-f", "-i", "size=2048"}, strings.Fields(v.args)...)...)
			judgeLog(t, path, "fresh")
			sb := geometry(t, path)
			l := logRing{r: volumetest.Open(t, path), offset: sb.logOffset()}
			for round := 1; ; round++ {
				if cycle, err := l.cycle(0); err != nil || round > 20 {
					t.Fatalf("the log is in cycle %d after %d rounds, %v", cycle, round, err)
				} else if cycle >= v.cycle {
					break
				}
				liveOneRound(t, path, round)
			}
		})
	}
}

// liveOneRound mounts, changes, syncs, freezes and unmounts an image, and judges
// copies taken at each point.
func liveOneRound(t *testing.T, path string, round int) {
	t.Helper()
	judge := func(path, state string) { judgeLog(t, path, fmt.Sprintf("round %d, %s", round, state)) }
	dir, unmount := volumetest.Mount(t, path)
	defer unmount()
	judge(snapshot(t, path), "mounted")
	churn(t, dir, round)
	dirty := snapshot(t, path)
	judge(dirty, "changed")
	volumetest.Tool(t, "sync", "-f", dir)
	judge(snapshot(t, path), "synced")
	volumetest.Tool(t, "fsfreeze", "-f", dir)
	frozen := snapshot(t, path)
	volumetest.Tool(t, "fsfreeze", "-u", dir)
	judge(frozen, "frozen")
	unmount()
	judge(path, "unmounted")
	if round == 2 {
		volumetest.Tool(t, "xfs_repair", "-L", "-f", dirty)
		judge(dirty, "log zeroed by xfs_repair")
	}
}

// churn gives 2500 files an attribute that fills the inode, all of which goes
// through the log.
func churn(t *testing.T, dir string, round int) {
	t.Helper()
	value := bytes.Repeat([]byte{byte(round)}, 1600)
	for i := range 2500 {
		name := filepath.Join(dir, fmt.Sprint(i))
		if round == 1 {
			writeFile(t, name, nil)
		}
		if err := syscall.Setxattr(name, "user.filler", value, 0); err != nil {
			t.Fatal(err)
		}
	}
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		t.Fatal(err)
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
