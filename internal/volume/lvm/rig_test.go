package lvm

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/ext"
	"github.com/ingot-imaging/ingot/internal/volume/swap"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const mib = 1 << 20

func reader() volume.Format { return New([]volume.Format{ext.New(), swap.New()}) }

// rig is a set of loop devices that LVM's tools see instead of the machine's own.
type rig struct {
	t       *testing.T
	paths   []string
	devices []string
}

// newRig makes a device for each size in bytes.
func newRig(t *testing.T, sizes ...int64) *rig {
	t.Helper()
	g := &rig{t: t}
	for i, size := range sizes {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("pv%d.img", i))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		g.attach(path)
	}
	return g
}

func (g *rig) attach(path string) {
	g.t.Helper()
	dev := strings.TrimSpace(volumetest.Tool(g.t, "losetup", "--show", "-f", path))
	// Held open, the device stays ours even if somebody else detaches it by mistake.
	f, err := os.Open(dev)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() {
		f.Close()
		exec.Command("losetup", "-d", dev).Run()
	})
	g.paths, g.devices = append(g.paths, path), append(g.devices, dev)
}

// lvm runs a command and returns its output. There is no device-mapper where the
// tests run, so nothing is ever activated. It ends with every change on the disk.
func (g *rig) lvm(args ...string) string {
	g.t.Helper()
	filter := ""
	for _, dev := range g.devices {
		filter += fmt.Sprintf("%q,", "a|^"+dev+"$|")
	}
	config := "devices { use_devicesfile=0 filter=[" + filter + `"r|.*|"] } backup { backup=0 archive=0 } ` +
		"global { activation=0 } activation { udev_sync=0 udev_rules=0 monitoring=0 } allocation { raid_stripe_all_devices=0 }"
	cmd := exec.Command("/usr/sbin/lvm", append(args, "--config", config)...)
	cmd.Env = append(os.Environ(), "LVM_SUPPRESS_FD_WARNINGS=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		g.t.Fatalf("lvm %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// create makes a logical volume without touching its content.
func (g *rig) create(name, size string, more ...string) {
	g.t.Helper()
	g.lvm(append([]string{"lvcreate", "-an", "-Zn", "-Wn", "-n", name, "-L", size, "vg0"}, more...)...)
}

// places asks LVM where a logical volume lies on the first device, in order.
func (g *rig) places(lv string) []extent.Extent {
	g.t.Helper()
	number := func(command, field, object string) int64 {
		out := g.lvm(command, "--noheadings", "--nosuffix", "--units", "b", "-o", field, object)
		n, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
		if err != nil {
			g.t.Fatal(err)
		}
		return n
	}
	start, size := number("pvs", "pe_start", g.devices[0]), number("vgs", "vg_extent_size", "vg0")
	var out []extent.Extent
	for _, place := range strings.Fields(g.lvm("lvs", "--noheadings", "-o", "seg_pe_ranges", "--sort", "seg_start", "vg0/"+lv)) {
		dev, pes, _ := strings.Cut(place, ":")
		var first, last int64
		if _, err := fmt.Sscanf(pes, "%d-%d", &first, &last); err != nil {
			g.t.Fatalf("place %q: %v", place, err)
		}
		if dev == g.devices[0] {
			out = append(out, extent.Extent{Start: start + first*size, Length: (last - first + 1) * size})
		}
	}
	return out
}

// fill puts a file's content into a logical volume on the first device.
func (g *rig) fill(lv, content string) {
	g.t.Helper()
	data, err := os.ReadFile(content)
	if err != nil {
		g.t.Fatal(err)
	}
	f, err := os.OpenFile(g.devices[0], os.O_WRONLY, 0)
	if err != nil {
		g.t.Fatal(err)
	}
	defer f.Close()
	for _, e := range g.places(lv) {
		n := min(e.Length, int64(len(data)))
		if _, err := f.WriteAt(data[:n], e.Start); err != nil {
			g.t.Fatal(err)
		}
		data = data[n:]
	}
	if err := f.Sync(); err != nil || len(data) > 0 {
		g.t.Fatalf("%d bytes of %s are left, %v", len(data), content, err)
	}
}

// extract copies a logical volume out of an image of the first device.
func extract(t *testing.T, image string, places []extent.Extent) string {
	t.Helper()
	data, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, e := range places {
		out = append(out, data[e.Start:e.End()]...)
	}
	path := filepath.Join(t.TempDir(), "lv.img")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ext4 makes a file system of size MiB with this package's sources in it.
func ext4(t *testing.T, size int64) string {
	t.Helper()
	return volumetest.Mkfs(t, size*mib, "mkfs.ext4", "-q", "-F", "-d", ".", "{}")
}
