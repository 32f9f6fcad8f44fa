package lint

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// TestNTFS looks at a Windows where Windows has it: on NTFS, in whatever case, asleep.
func TestNTFS(t *testing.T) {
	dir := t.TempDir()
	disk, mnt := filepath.Join(dir, "disk"), filepath.Join(dir, "mnt")
	for _, args := range [][]string{{"truncate", "-s", "32M", disk}, {"mkntfs", "-F", "-q", "-L", "C", disk}, {"mkdir", mnt}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	m, err := mount.Volume(t.Context(), disk, "ntfs", mnt, mount.Options{})
	if err != nil {
		t.Fatal(err)
	}
	odd := map[string]string{
		"hiberfil.sys":    "HIBR" + strings.Repeat("\x00", 8192),
		"USERS/Anna/.SSH": folder, "USERS/Anna/.SSH/ID": "-----BEGIN RSA PRIVATE KEY-----\n",
		"programdata/microsoft/WLANSVC/profiles/interfaces/{1}/{2}.xml": "<WLANProfile><name>lab</name></WLANProfile>",
	}
	for name, text := range bareWindows(t) {
		odd[strings.ToUpper(name)] = text
	}
	write(t, mnt, odd)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}

	src, err := host.OpenSource(disk, host.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	found, err := survey.Look(t.Context(), src, all.Formats())
	if err != nil {
		t.Fatal(err)
	}
	job := Job{Live: true, Formats: all.Formats(), Scratch: dir}
	job.Manifest, job.Source = OfDisk(found, image.Disk{Size: src.Size(), SectorSize: 512})
	r, err := Look(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []ID{VolumeHibernated, WindowsAsleep, WirelessKeys, PrivateKeys} {
		if !slices.Contains(ids(r), want) {
			t.Errorf("no %s: %+v", want, r.Findings)
		}
	}
	if slices.Contains(ids(r), NotLookedAt) || len(r.Findings) != 4 || len(r.Systems) != 1 {
		t.Errorf("%+v of %+v", r.Findings, r.Systems)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left behind: %v", left)
	}
}
