package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ingot-imaging/ingot/internal/boottest"
)

// preparedIn is the variable that names the folder in which everything is that needs
// the world outside: the programs, the boot environment, the reference PC's disk.
const preparedIn = "INGOT_LAB_PREPARED"

const reference = "reference.img"

func prepared() string { return os.Getenv(preparedIn) }

// prepare fills the folder. Debian's packages are kept between runs.
func prepare(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	packages := filepath.Join(cache, "ingot", "debs")
	if err := os.MkdirAll(packages, 0o755); err != nil {
		return err
	}
	ingot := filepath.Join(dir, "ingot")
	for _, command := range [][]string{
		{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", ingot, "../../cmd/ingot"},
		{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", ingot + "-agent", "../../cmd/ingot-agent"},
		{ingot, "bootenv", "build", "--out", filepath.Join(dir, "bootenv"), "--packages", packages},
	} {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", command, err, out)
		}
	}
	// It starts by any firmware, so that one image is for all PCs.
	disk := boottest.Disk{Firmware: boottest.Any, FileSystem: "ext4", Size: 2 << 30}
	return disk.Build(ctx, filepath.Join(dir, reference))
}
