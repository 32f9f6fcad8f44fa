// Command ingot-agent is the program of the boot environment. As process 1 it makes
// a machine out of a kernel and keeps the agent running; with arguments it is ingot
// itself, without what only a server has.
package main

import (
	"os"

	"github.com/ingot-imaging/ingot/internal/agent/start"
	"github.com/ingot-imaging/ingot/internal/cli"
)

// worker is the argument with which process 1 runs the agent.
const worker = "agent"

func main() {
	if code, ok := start.Modprobe(os.Args[1:]); ok {
		os.Exit(code)
	}
	if os.Getpid() == 1 {
		start.Init(worker)
	}
	if len(os.Args) == 2 && os.Args[1] == worker {
		os.Exit(start.Agent(cli.Version()))
	}
	os.Exit(cli.Program{}.Main())
}
