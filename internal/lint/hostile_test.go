package lint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/system"
)

// hostile is a Linux in which everything that is looked at is something else.
func hostile(dir string) error {
	fifos := []string{"etc/crypttab", "etc/machine-id", "etc/sssd/sssd.conf", "var/lib/dpkg/status", "home/mallory/.ssh/id", "etc/NetworkManager/system-connections/x"}
	loops := []string{"etc/dracut.conf", "root/.ssh", "etc/udev", "boot", "var/lib/cloud/instances"}
	large := []string{"etc/initramfs-tools/initramfs.conf", "home/mallory/.ssh/big", "etc/wpa_supplicant/a.conf"}
	for _, name := range slices.Concat(fifos, loops, large) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			return err
		}
	}
	var err error
	for _, name := range fifos {
		err = errors.Join(err, syscall.Mkfifo(filepath.Join(dir, name), 0o600))
	}
	for _, name := range loops {
		err = errors.Join(err, os.Symlink(filepath.Base(name), filepath.Join(dir, name)))
	}
	for _, name := range large {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), nil, 0o600), os.Truncate(filepath.Join(dir, name), 1<<40))
	}
	// Out of the image, and as deep as the kernel lets one make it in one go.
	err = errors.Join(err, os.MkdirAll(filepath.Join(dir, "tmp", strings.Repeat("d/", 1000)), 0o755))
	err = errors.Join(err, os.Mkdir(filepath.Join(dir, "home/x\x1b[31m\nroot"), 0o755))
	return errors.Join(err, os.Symlink("/etc/passwd", filepath.Join(dir, "etc/fstab.d")))
}

// TestHostile looks at a system that wants to hang, fill or mislead its reader.
func TestHostile(t *testing.T) {
	started := time.Now()
	f := fixture{linux: map[string]string{"root/.bash_history": "x", "home/x\x1b[31m\ny/.bash_history": "x"}, harm: hostile}
	f.linux["root"] = folder
	f.linux["root/"] = folder
	r := f.look(t)
	if took := time.Since(started); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	got := ids(r)
	if !slices.Contains(got, Histories) || !slices.Contains(got, NotLookedAt) || !slices.Contains(got, Caches) {
		t.Errorf("what was found: %v", got)
	}
	for _, f := range r.Findings {
		if strings.ContainsAny(f.What, "\x1b\n") || len(f.What) > 2000 {
			t.Errorf("%q goes to a terminal", f.What)
		}
	}
}

// TestManyFiles holds that counting has an end.
func TestManyFiles(t *testing.T) {
	f := fixture{linux: map[string]string{}, harm: func(dir string) error {
		for i := range maxMatches + 10 {
			if err := os.MkdirAll(filepath.Join(dir, "boot/loader/entries", fmt.Sprintf("%d.conf", i)), 0o755); err != nil {
				return err
			}
		}
		return nil
	}}
	r := f.look(t)
	if !slices.Contains(ids(r), NotLookedAt) {
		t.Errorf("what was found: %v", ids(r))
	}
}

// TestDamagedImage holds that what can be found is, and that the damage is told.
func TestDamagedImage(t *testing.T) {
	f := file("root/.bash_history", "x")
	job := f.job(t)
	job.Source = broken{job.Source}
	r, err := Look(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(r); !slices.Contains(got, NotLookedAt) {
		t.Errorf("what was found: %v", got)
	}
}

var errBroken = errors.New("a chunk is damaged")

// broken is a source of which only the listings can be read.
type broken struct{ content.RandomSource }

func (b broken) Open(ctx context.Context, region int) (content.Random, error) {
	r, err := b.RandomSource.Open(ctx, region)
	return unreadable{r}, err
}

type unreadable struct{ content.Random }

func (unreadable) ReadAt([]byte, int64) (int, error) { return 0, errBroken }

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	job := file("x", "").job(t)
	cancel()
	if _, err := Look(ctx, job); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestNames holds what a report says of the systems.
func TestNames(t *testing.T) {
	r := fixture{linux: map[string]string{}, windows: map[string]string{}}.look(t)
	want := []Found{{1, system.Linux, "Debian GNU/Linux 12"}, {2, system.Windows, "Windows 10 Pro 22631"}}
	if !slices.Equal(r.Systems, want) {
		t.Errorf("%+v, want %+v", r.Systems, want)
	}
}
