package lab

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Addresses on the wire.
const (
	serverAddr  = "10.77.0.1"
	foreignAddr = "10.77.0.2"
)

// newWire makes a switch with the server's interface "wire", and dnsmasq as somebody
// else's DHCP server at it.
func newWire(t *testing.T) {
	t.Helper()
	for _, words := range []string{
		"link set lo up", "link add wire type bridge", "addr add " + serverAddr + "/24 dev wire", "link set wire up",
		"link add port type veth peer name other",
	} {
		run(t, "ip", strings.Fields(words)...)
	}
	t.Cleanup(func() { run(t, "ip", "link", "del", "wire") })
	foreign(t)
	run(t, "ip", "link", "set", "port", "master", "wire", "up")
}

// foreign runs dnsmasq in a namespace of its own.
func foreign(t *testing.T) {
	script := `read go && ip addr add ` + foreignAddr + `/24 dev other && ip link set other up && ip link set lo up && exec dnsmasq "$@"`
	cmd := exec.Command("sh", "-c", script, "sh", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=other", "--bind-interfaces",
		"--user=root", "--dhcp-range=10.77.0.100,10.77.0.200,255.255.255.0,1h", "--dhcp-leasefile="+filepath.Join(t.TempDir(), "leases"), "--pid-file")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	run(t, "ip", "link", "set", "other", "netns", fmt.Sprint(cmd.Process.Pid))
	fmt.Fprintln(in, "go")
}

// plug makes the end of a cable for a PC.
func plug(t *testing.T, name string) {
	t.Helper()
	run(t, "ip", "tuntap", "add", name, "mode", "tap")
	run(t, "ip", "link", "set", name, "master", "wire", "up")
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", name).Run() })
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
