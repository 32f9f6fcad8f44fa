package bootenv

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// lab is whether tests may take minutes and fetch packages: INGOT_LAB=1.
func lab(t *testing.T) {
	t.Helper()
	if os.Getenv("INGOT_LAB") == "" {
		t.Skip("a build from Debian's packages, started in QEMU: set INGOT_LAB=1")
	}
}

// debianConfig builds the program that stands in for the agent, and says how to
// build the real environment in dir.
func debianConfig(dir string) (Config, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return Config{}, err
	}
	agent := filepath.Join(dir, "agent")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", agent, "./testdata/agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return Config{}, fmt.Errorf("%w: %s", err, out)
	}
	return Config{
		Out: filepath.Join(dir, "bootenv"), Agent: agent, Version: "test",
		Packages: cmp.Or(os.Getenv("INGOT_DEBS"), filepath.Join(root, "work", "debs")),
	}, nil
}

// maxInitrd is the bar; the plan is half of it.
const maxInitrd = 120 << 20

// TestLabBuild makes the real thing twice, with and without the network, and says how
// large it is. INGOT_KEEP names a folder for it.
func TestLabBuild(t *testing.T) {
	first := built(t)
	c, err := debianConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	c.Offline, c.Out = true, cmp.Or(os.Getenv("INGOT_KEEP"), c.Out)
	c.Progress = func(line string) { t.Logf("%5.1f s %s", time.Since(began).Seconds(), line) }
	result, err := Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built in %.1f s", time.Since(began).Seconds())
	m := result.Manifest
	for _, f := range m.Files {
		t.Logf("%10d %s", f.Size, f.Name)
		if f.Name == "initrd.img" && f.Size > maxInitrd {
			t.Errorf("the RAM disk has %d bytes", f.Size)
		}
	}
	t.Logf("kernel %s, %d modules, %d firmware files, %d packages, %d MiB unpacked", m.Kernel, m.Modules, m.Firmware, len(m.Packages), m.Unpacked>>20)
	for _, n := range result.Notes {
		t.Log(n)
	}
	before, err := Verify(first)
	if err != nil || !slices.Equal(before.Files, m.Files) {
		t.Errorf("the second build differs, %v", err)
	}
}
