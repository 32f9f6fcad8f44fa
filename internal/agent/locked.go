package agent

import (
	"os/exec"
	"runtime"
)

// runLocked runs cmd from a thread that lives as long as it does: the kernel sends
// the signal at a parent's death when the thread is gone that started the child.
func runLocked(cmd *exec.Cmd) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- cmd.Run()
	}()
	return <-done
}
