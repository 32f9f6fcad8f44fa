package view

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// guard ends a connection to the kernel when this process is killed.
//
// Without it a kill could leave processes that nothing can end: a thread that
// waits for a mount of one of our files waits for an answer that only this process
// could give; while it waits it keeps the connection open, and while that is open
// it is not told that nobody will answer.
//
// A guard learns of our death from the thread that started it. The last thread of
// a process may be one that waits, so there are two guards, by two threads.
type guard struct {
	daemon *tool.Daemon
	hold   *os.File // the guard ends when this is closed
}

const guards = 2

// guardScript waits for the end of its input, or for the signal that the kernel
// sends it when this process is dead, and only then ends the connection.
const guardScript = "trap 'echo 1 >&3; exit 0' TERM; read -r line"

// newGuard guards the connection of the file system that is mounted at dir.
func newGuard(dir string) (*guard, error) {
	abort, err := openAbort(dir)
	if err != nil {
		return nil, fmt.Errorf("guard %s: %w", dir, err)
	}
	defer abort.Close()
	input, hold, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer input.Close()
	d, err := tool.Command{Name: tool.Shell, Args: []string{"-c", guardScript}, Stdin: input, Files: []*os.File{abort}, AtDeath: unix.SIGTERM}.Start()
	if err != nil {
		hold.Close()
		return nil, err
	}
	return &guard{d, hold}, nil
}

// Close ends the guard and leaves the connection alone.
func (g *guard) Close() {
	g.hold.Close()
	<-g.daemon.Done()
}

// openAbort opens the file of the connection that ends it when it is written
// (Documentation/filesystems/fuse/fuse.rst of the kernel). The file system that
// has it is mounted nowhere.
func openAbort(dir string) (*os.File, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return nil, err
	}
	fs, err := unix.Fsopen("fusectl", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open fusectl: %w", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, fmt.Errorf("make fusectl: %w", err)
	}
	control, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("mount fusectl: %w", err)
	}
	defer unix.Close(control)
	name := fmt.Sprintf("%d/abort", unix.Minor(uint64(st.Dev)))
	fd, err := unix.Openat(control, name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s of fusectl: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// keepFromChildren makes that programs we start do not inherit the connection: one
// that outlives us would keep it open.
func keepFromChildren() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		var fd int
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if _, serr := fmt.Sscan(e.Name(), &fd); err != nil || serr != nil || !strings.HasPrefix(target, "/dev/fuse") {
			continue
		}
		unix.CloseOnExec(fd)
	}
	return nil
}
