package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// The physical volumes of these tests hold one logical volume of insideSize
// bytes at insideAt, where the first physical extent lies by default.
const (
	insideAt   = 1 * mib
	insideSize = 20 * mib
)

// lvm runs an LVM command that sees one device only. Nothing is activated, since
// test machines have no device-mapper.
func lvm(t *testing.T, dev string, args ...string) {
	t.Helper()
	config := fmt.Sprintf("devices { use_devicesfile=0 filter=[%q,%q] } backup { backup=0 archive=0 } "+
		"global { activation=0 } activation { udev_sync=0 udev_rules=0 monitoring=0 }", "a|^"+dev+"$|", "r|.*|")
	cmd := exec.Command("/usr/sbin/lvm", append(args, "--config", config)...)
	cmd.Env = append(os.Environ(), "LVM_SUPPRESS_FD_WARNINGS=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("lvm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// mklvm makes a physical volume with one logical volume that holds an ext4.
func mklvm(t *testing.T, path string, sector int, _ *rand.Rand) {
	onLoop(t, path, sector, func(dev string) {
		lvm(t, dev, "pvcreate", "-q", dev)
		lvm(t, dev, "vgcreate", "-q", "vg0", dev)
		lvm(t, dev, "lvcreate", "-q", "-an", "-Zn", "-Wn", "-n", "root", "-L", fmt.Sprintf("%db", insideSize), "vg0")
	})
	inside := blankFile(t, insideSize)
	volumetest.Tool(t, "mkfs.ext4", "-q", "-F", inside)
	putInside(t, path, inside)
}

func changeInside(t *testing.T, path string, rng *rand.Rand) {
	inside := takeInside(t, path)
	grow(mountKernel, true)(t, inside, rng)
	putInside(t, path, inside)
}

func judgeInside(t *testing.T, path string) {
	onLoop(t, path, 512, func(dev string) { lvm(t, dev, "vgck", "vg0") })
	volumetest.Tool(t, "e2fsck", "-fn", takeInside(t, path))
}

// putInside copies a file's content into the logical volume.
func putInside(t *testing.T, path, inside string) {
	t.Helper()
	data, err := os.ReadFile(inside)
	must(t, err)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	_, err = f.WriteAt(data, insideAt)
	must(t, err)
}

// takeInside copies the logical volume into a file.
func takeInside(t *testing.T, path string) string {
	t.Helper()
	data := make([]byte, insideSize)
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	_, err = f.ReadAt(data, insideAt)
	must(t, err)
	inside := filepath.Join(t.TempDir(), "inside.img")
	must(t, os.WriteFile(inside, data, 0o600))
	return inside
}
