package bootenv

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
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

// standIn builds the program that stands in for the agent.
func standIn(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "agent")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", name, "./testdata/agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return name
}

func debianConfig(t *testing.T) Config {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	return Config{
		Out: filepath.Join(t.TempDir(), "bootenv"), Agent: standIn(t), Version: "test",
		Packages: cmp.Or(os.Getenv("INGOT_DEBS"), filepath.Join(root, "work", "debs")),
		Progress: func(line string) { t.Logf("%5.1f s %s", time.Since(began).Seconds(), line) },
	}
}

// TestLabBuild makes the real thing and says how large it is.
func TestLabBuild(t *testing.T) {
	lab(t)
	c := debianConfig(t)
	if keep := os.Getenv("INGOT_KEEP"); keep != "" {
		c.Out = keep
	}
	result, err := Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Manifest.Files {
		t.Logf("%10d %s", f.Size, f.Name)
	}
	m := result.Manifest
	t.Logf("kernel %s, %d modules, %d firmware files, %d packages, %d MiB unpacked", m.Kernel, m.Modules, m.Firmware, len(m.Packages), m.Unpacked>>20)
	for _, n := range result.Notes {
		t.Log(n)
	}
}
