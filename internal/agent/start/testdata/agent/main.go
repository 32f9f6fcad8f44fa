// Command agent is an ingot-agent for tests: process 1 and the agent are the real
// ones, the commands only pretend.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/agent/start"
)

func main() {
	if code, ok := start.Modprobe(os.Args[1:]); ok {
		os.Exit(code)
	}
	if os.Getpid() == 1 {
		start.Init("agent")
	}
	switch os.Args[1] {
	case "agent":
		crashOnce()
		os.Exit(start.Agent("test"))
	case "disks":
		fmt.Println(`[{"path": "/dev/vda", "model": "pretended", "serial": "S1", "transport": "virtio", "bytes": 1073741824, "sectorSize": 512}]`)
	case "deploy":
		for i := range 3 {
			fmt.Fprintf(os.Stderr, `{"progress": {"phase": "deploy", "done": %d, "total": 3000000, "left": %d}}`+"\n", i*1000000, 3-i)
			time.Sleep(500 * time.Millisecond)
		}
		fmt.Fprintln(os.Stderr, `{"log": "token is there: `+fmt.Sprint(os.Getenv("INGOT_TOKEN") != "")+`"}`)
		tell(start.AgentLog)
		fmt.Println(`{"what": "an image", "target": "/dev/vda", "seconds": 1.5}`)
	default:
		os.Exit(2)
	}
}

// tell reports a file line by line.
func tell(path string) {
	b, _ := os.ReadFile(path)
	for line := range strings.Lines(string(b)) {
		text, _ := json.Marshal(map[string]string{"log": line})
		fmt.Fprintln(os.Stderr, string(text))
	}
}

// crashOnce is a mistake in the agent, seconds after its start.
func crashOnce() {
	if _, err := os.Stat("/run/crashed"); err == nil {
		return
	}
	_ = os.WriteFile("/run/crashed", nil, 0o600)
	time.AfterFunc(2*time.Second, func() { panic("a mistake for the test") })
}
