package tool

import (
	"cmp"
	"context"
	"os/exec"
	"runtime"
	"syscall"
)

// Daemon is a program that runs in the foreground until it is stopped, as a FUSE
// file system does. It ends with this process, however that ends.
type Daemon struct {
	command Command
	cmd     *exec.Cmd
	tail    *tailBuffer
	done    chan struct{} // closed when it ended
	err     error         // valid after done
}

// Start starts c. The kernel kills it when the thread that started it is gone, so
// that thread is kept for it.
func (c Command) Start() (*Daemon, error) {
	ctx := context.Background()
	cmd, tail, err := c.prepare(ctx)
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr.Pdeathsig = cmp.Or(c.AtDeath, syscall.SIGKILL)
	d := &Daemon{c, cmd, tail, make(chan struct{}), nil}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_, d.err = c.judge(ctx, cmd, tail, cmd.Wait())
		close(d.done)
	}()
	return d, <-started
}

// Done is closed when the program has ended.
func (d *Daemon) Done() <-chan struct{} { return d.done }

// Wait waits for the end and returns a *FailedError when it was none in order.
func (d *Daemon) Wait() error {
	<-d.done
	return d.err
}

// Kill ends the program and waits for it.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill()
	<-d.done
}
