package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// stream is standard output for results of any length. Unlike a plain write, one to
// a reader that does not read ends when ctx is done, and one to a reader that went
// away is an error, so that mounts are taken away in order.
func (a *App) stream(ctx context.Context) io.Writer {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // without this, writing would end the program
	return streamWriter{ctx, a.stdout}
}

type streamWriter struct {
	ctx context.Context
	to  io.Writer
}

func (w streamWriter) Write(p []byte) (n int, err error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	done := make(chan struct{})
	go func() {
		n, err = w.to.Write(p)
		close(done)
	}()
	select {
	case <-done:
		return n, err
	case <-w.ctx.Done():
		return 0, w.ctx.Err()
	}
}

// endOfStream is for when everything is cleaned up after err: where the reader of
// standard output went away, the program ends by the signal that says so.
func (a *App) endOfStream(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		signal.Reset(syscall.SIGPIPE)
		io.WriteString(a.stdout, "\n")
	}
	return err
}
