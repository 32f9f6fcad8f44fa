package boottest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const suite = "bookworm"

// mmdebstrapArgs make the smallest Debian that boots to a login prompt. The
// cloud kernel has the virtio and file system drivers and little else; the
// initrd holds only what finds the root, because software emulation is slow.
// The SSH server is there for its host keys and does not start.
var mmdebstrapArgs = [...]string{
	"--variant=minbase",
	"--include=linux-image-cloud-amd64,systemd-sysv,udev,zstd,openssh-server",
	"--dpkgopt=path-exclude=/usr/share/doc/*",
	"--dpkgopt=path-exclude=/usr/share/man/*",
	"--dpkgopt=path-exclude=/usr/share/locale/*",
	`--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d" &&` +
		` echo MODULES=list >"$1/etc/initramfs-tools/conf.d/boottest" &&` +
		` printf '%s\n' virtio_pci virtio_blk ext4 xfs btrfs >"$1/etc/initramfs-tools/modules"`,
	`--customize-hook=echo boottest >"$1/etc/hostname" && rm "$1"/etc/systemd/system/*/ssh.service`,
}

// defaultCache returns the folder of the user that tests and `make demo` share.
func defaultCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "ingot", "boottest"), nil
}

// rootTarball returns the path of the root file system's tarball in the cache
// folder, and makes it first when it is not there. Several processes may share a folder.
func rootTarball(ctx context.Context, cache string) (string, error) {
	if cache == "" {
		var err error
		if cache, err = defaultCache(); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	recipe := sha256.Sum256([]byte(strings.Join(mmdebstrapArgs[:], "\n")))
	path := filepath.Join(cache, fmt.Sprintf("debian-%s-%x.tar", suite, recipe[:4]))
	lock, err := os.Create(path + ".lock")
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	part := path + ".part"
	if err := mmdebstrap(ctx, part); err != nil {
		return "", err
	}
	return path, os.Rename(part, path)
}

// mmdebstrap installs Debian into a tarball, from the mirror that this machine's
// apt uses and the way it reaches it.
func mmdebstrap(ctx context.Context, path string) error {
	sources, err := run(ctx, "", "apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
		"Created-By: Packages", "Origin: Debian", "Codename: "+suite)
	if err != nil {
		return err
	}
	if sources == "" {
		return fmt.Errorf("apt knows no source for Debian %s: add it to its sources and run apt-get update", suite)
	}
	config, err := run(ctx, "", "apt-config", "dump")
	if err != nil {
		return err
	}
	args := append([]string{"--format=tar"}, mmdebstrapArgs[:]...)
	for line := range strings.Lines(config) {
		if strings.HasPrefix(line, "Acquire::http") || strings.HasPrefix(line, "Acquire::Check-") {
			args = append(args, "--aptopt="+strings.TrimRight(line, ";\n"))
		}
	}
	_, err = run(ctx, sources, "mmdebstrap", append(args, suite, path, "-")...)
	return err
}

// Unpack puts the Debian that Build installs into a folder, without what the
// patterns of tar's --exclude name ("./boot"): for tests that need its programs
// and files, not a disk.
func Unpack(ctx context.Context, dir string, exclude ...string) error {
	tarball, err := rootTarball(ctx, "")
	if err != nil {
		return err
	}
	args := []string{"-C", dir, "-xf", tarball}
	for _, pattern := range exclude {
		args = append(args, "--exclude="+pattern)
	}
	_, err = run(ctx, "", "tar", args...)
	return err
}
