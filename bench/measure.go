package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// sample is what one run of a step cost.
type sample struct {
	wall time.Duration
	cpu  time.Duration // user + system of all processes
	peak int64         // resident bytes: the sum of the processes' peaks
	size int64         // bytes of what was written, where that is a store or an archive
}

// command is a program and its arguments.
type command []string

// with returns the command with more arguments, in memory of its own.
func with[C ~[]string](c C, more ...string) C { return append(c[:len(c):len(c)], more...) }

// run runs the commands as one pipeline and measures it. Each process's CPU time
// and peak are what the kernel reports when it ends (wait4(2)), its children
// included. A small program's peak is never below this one's own, some 5 MiB.
func run(ctx context.Context, pipeline ...command) (sample, error) {
	var cmds []*exec.Cmd
	var stderrs []*bytes.Buffer
	var pipes []io.Closer
	defer func() { closeAll(pipes) }()
	for i, c := range pipeline {
		cmd := exec.CommandContext(ctx, c[0], c[1:]...)
		stderr := &bytes.Buffer{}
		cmd.Stderr = stderr
		if i > 0 {
			r, w, err := os.Pipe()
			if err != nil {
				return sample{}, err
			}
			cmds[i-1].Stdout, cmd.Stdin = w, r
			pipes = append(pipes, r, w)
		}
		cmds, stderrs = append(cmds, cmd), append(stderrs, stderr)
	}
	start := time.Now()
	var failed []error
	for i, cmd := range cmds {
		if err := cmd.Start(); err != nil {
			failed = append(failed, err)
			cmds = cmds[:i]
			break
		}
	}
	closeAll(pipes) // so that a process whose neighbour ends sees the end of the pipe
	var s sample
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, lastLines(stderrs[i])))
		}
		s.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		s.peak += cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024
	}
	s.wall = time.Since(start)
	return s, errors.Join(failed...)
}

func closeAll(files []io.Closer) {
	for _, f := range files {
		f.Close()
	}
}

// lastLines is the end of what a program complained about.
func lastLines(b *bytes.Buffer) string {
	const keep = 2000
	return strings.TrimSpace(string(b.Bytes()[max(0, b.Len()-keep):]))
}

// sizeOf is the bytes of a file, or of all files in a folder.
func sizeOf(path string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
