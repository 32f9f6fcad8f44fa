package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestBoundedMemory captures a 2 TiB disk into a store that already holds 10 TiB
// of chunks, and deploys it, each in a process of its own whose peak memory it reads.
func TestBoundedMemory(t *testing.T) {
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk.img")
	must(t, os.WriteFile(disk, nil, 0o600))
	must(t, os.Truncate(disk, 2<<40))
	volumetest.Tool(t, "mkfs.ext4", "-q", "-F", "-N", "65536", "-J", "size=64", "-E", "nodiscard", disk)
	mnt, unmount := volumetest.Mount(t, disk)
	for i := range 8 {
		folder := filepath.Join(mnt, strconv.Itoa(i))
		must(t, os.Mkdir(folder, 0o755))
		volumetest.Tool(t, "fallocate", "-l", "320M", filepath.Join(folder, "file"))
	}
	unmount()
	for _, c := range []struct {
		verb    string
		mostMiB int
	}{{"capture", 384}, {"deploy", 192}} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestInMemory$", "-test.v")
		cmd.Env = append(os.Environ(), "INGOT_E2E_VERB="+c.verb, "INGOT_E2E_DIR="+dir, "GOMAXPROCS=2")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.verb, err, out)
		}
		peak := peakMiB(t, out)
		t.Logf("peak memory of %s: %d MiB", c.verb, peak)
		if peak > c.mostMiB {
			t.Errorf("%s took %d MiB, more than %d", c.verb, peak, c.mostMiB)
		}
	}
}

const peakLabel = "VmHWM:"

func peakMiB(t *testing.T, out []byte) int {
	t.Helper()
	_, rest, ok := bytes.Cut(out, []byte(peakLabel))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) == 0 {
		t.Fatalf("no peak memory in:\n%s", out)
	}
	kib, err := strconv.Atoi(fields[0])
	must(t, err)
	return kib >> 10
}

// TestInMemory is the process that TestBoundedMemory measures.
func TestInMemory(t *testing.T) {
	verb, dir := os.Getenv("INGOT_E2E_VERB"), os.Getenv("INGOT_E2E_DIR")
	if verb == "" {
		return
	}
	debug.SetGCPercent(25) // as the program does
	b, err := local.Open(filepath.Join(dir, "store"))
	must(t, err)
	s, err := store.OpenOrCreate(t.Context(), vast{b})
	must(t, err)
	disk := newSynthetic(t, volumetest.Open(t, filepath.Join(dir, "disk.img")))
	if verb == "capture" {
		captureVast(t, s, disk, filepath.Join(dir, "manifest"))
	} else {
		deployVast(t, s, disk, filepath.Join(dir, "manifest"))
	}
	status, err := os.ReadFile("/proc/self/status")
	must(t, err)
	_, rest, _ := strings.Cut(string(status), peakLabel)
	line, _, _ := strings.Cut(rest, "\n")
	fmt.Println(peakLabel, line)
}

func captureVast(t *testing.T, s *store.Store, disk *synthetic, manifest string) {
	plan, err := planCapture(t.Context(), disk.Reader, capture.Options{})
	must(t, err)
	c, err := run(t.Context(), s, through(t, plan, disk), "vast")
	must(t, err)
	if c.fresh < 2<<30 {
		t.Errorf("only %d bytes were new", c.fresh)
	}
	data, err := c.manifest.Encode()
	must(t, err)
	must(t, os.WriteFile(manifest, data, 0o600))
}

// deployVast deploys to a blank target, and then looks what it holds.
func deployVast(t *testing.T, s *store.Store, disk *synthetic, manifest string) {
	data, err := os.ReadFile(manifest)
	must(t, err)
	m, err := image.Parse(data)
	must(t, err)
	file, err := os.Create(manifest + ".target")
	must(t, err)
	defer file.Close()
	must(t, file.Truncate(disk.Size()))
	target := &sink{file: file, Memory: blocktest.NewMemory(disk.Size(), 512), source: disk, right: map[int64]*[1024]uint64{}}
	c := captured{store: s, manifest: m, plan: &capture.Plan{Disk: m.Disk}}
	for _, opts := range []deploy.Options{{Full: true}, {Readback: true}} {
		_, work, err := put(context.Background(), c, target, false, opts)
		must(t, err)
		t.Logf("written %d, same %d", work.Written.Load(), work.Same.Load())
	}
}
