// Package cli is the command line that ingot's programs share: everything that
// works on disks, images and profiles of the machine it runs on.
//
// It owns flags, questions, the words of results and errors, exit codes and the
// wiring of the packages below. A program adds commands of its own (Program.More).
// It refuses knowledge that another front end would need again. Start at
// Program.Run; each command is one file, cmd_*.go.
package cli

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// Program is a program with this command line.
type Program struct {
	// More are the commands that only this program has; nil for none.
	More func(*App) []Group
	// Adjust changes the whole tree of commands: flags for all of them, shared ones
	// that can do more in this program; nil for nothing.
	Adjust func(a *App, root *cobra.Command)
}

// Group is a group of commands, as the help lists them.
type Group struct {
	Title    string
	Commands []*cobra.Command
}

// gcPercent keeps the heap close to what is in use: mostly buffers without
// pointers, which are cheap to look at again. Peak memory is a promise (the
// bounds are in internal/e2e), and this is a quarter of a capture's.
const gcPercent = 25

// Main runs the program as this process was called, and returns its exit code.
func (p Program) Main() int {
	debug.SetGCPercent(gcPercent)
	ctx, stop := signal.NotifyContext(context.Background(), interrupts()...)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends the program at once
	return p.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// interrupts are the signals that end work in good order. A hang-up is not one
// when the user asked for it to be ignored, with nohup.
func interrupts() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}
