package mount

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// PathOf is a name of this process for an open folder, which leads there whatever
// is renamed meanwhile.
func PathOf(folder *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", folder.Fd()) }

// Bind shows the folder dir at target as well, an open folder. It returns where
// that is on this machine, for Unbind.
func Bind(dir string, target *os.File) (string, error) {
	at := PathOf(target)
	where, err := os.Readlink(at)
	if err != nil {
		return "", err
	}
	if err := unix.Mount(dir, at, "", unix.MS_BIND, ""); err != nil {
		return "", fmt.Errorf("show %s at %s: %w", dir, where, err)
	}
	return where, nil
}

// Unbind undoes Bind.
func Unbind(where string) error { return unmount(where) }
