package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/boottest"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestBoot captures Debian disks with the program and deploys them to larger,
// blank ones, which then boot to the login prompt.
func TestBoot(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of software emulation")
	}
	dir := t.TempDir()
	ingot := filepath.Join(dir, "ingot")
	volumetest.Tool(t, "go", "build", "-o", ingot, "../../cmd/ingot")
	for _, c := range []struct {
		firmware   boottest.Firmware
		fileSystem string
		options    []string
	}{
		{boottest.UEFI, "ext4", []string{"--new-ids"}},
		{boottest.BIOS, "xfs", []string{"--readback"}},
	} {
		t.Run(string(c.firmware), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
			defer cancel()
			run := func(args ...string) {
				t.Helper()
				cmd := exec.CommandContext(ctx, ingot, append(args, "--store", filepath.Join(dir, "store"))...)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("ingot %v: %v\n%s", args, err, out)
				}
			}
			name := string(c.firmware)
			source, target := filepath.Join(t.TempDir(), "source.img"), blankFile(t, 3<<30+7*mib)
			must(t, boottest.Disk{Firmware: c.firmware, FileSystem: c.fileSystem, Size: 2 << 30}.Build(ctx, source))
			run("capture", source, name)
			run(append([]string{"deploy", name, target, "--yes"}, c.options...)...)
			serial, err := boottest.Boot(ctx, target, c.firmware)
			if err != nil {
				t.Fatalf("%v; the console:\n%s", err, serial)
			}
		})
	}
}
