package mount

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// privateMark says in the environment that Private did its work.
const privateMark = "INGOT_PRIVATE_MOUNTS"

// Private gives this program its own view of the mounts, by starting it again: what
// it mounts from then on nobody else sees, and all of it is gone when it ends,
// even when it is killed. It returns at once when that was done before. Only root
// may do it.
func Private() error {
	if os.Getenv(privateMark) == "1" {
		return nil
	}
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	// The thread that calls exec becomes the program, and brings its mounts along.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return fmt.Errorf("private mounts (this needs root): %w", err)
	}
	// What others unmount must not stay in use by us: changes come in, none goes out.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	return fmt.Errorf("private mounts: start %s again: %w", self, syscall.Exec(self, os.Args, append(os.Environ(), privateMark+"=1")))
}
