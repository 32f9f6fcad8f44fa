package netboot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the tests in a network namespace of their own, which goes with the
// process: nothing that they do is seen outside.
func TestMain(m *testing.M) {
	if os.Getenv("INGOT_NETBOOT_LAB_INSIDE") != "" || isFuzzing() {
		os.Exit(m.Run())
	}
	kernel, remove := labKernel()
	code := inside(kernel)
	remove()
	os.Exit(code)
}

// inside runs the tests in their namespace.
func inside(kernel string) int {
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), "INGOT_NETBOOT_LAB_INSIDE=1", "INGOT_LAB_KERNEL="+kernel)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(1, exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "these tests need root, for a network namespace of their own:", err)
		return 1
	}
	return 0
}

// labKernel is Debian's signed kernel for the lab, taken out of its package and not
// installed: the one that INGOT_LAB_KERNEL names, or the newest one of Debian's.
func labKernel() (name string, remove func()) {
	if os.Getenv("INGOT_LAB") == "" || os.Getenv("INGOT_LAB_KERNEL") != "" {
		return os.Getenv("INGOT_LAB_KERNEL"), func() {}
	}
	dir, err := os.MkdirTemp("", "ingot-netboot-lab")
	if err == nil {
		const get = `cd "$1" && p=$(apt-cache search --names-only '^linux-image-[0-9.]+-[0-9]+-amd64$' | cut -d' ' -f1 | sort -V | tail -n1) &&
			apt-get download "$p" && dpkg-deb -x linux-image-*.deb . && mv boot/vmlinuz-* vmlinuz`
		var out []byte
		if out, err = exec.Command("sh", "-c", get, "sh", dir).CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot get Debian's kernel for the lab:", err)
		os.Exit(1)
	}
	return filepath.Join(dir, "vmlinuz"), func() { os.RemoveAll(dir) }
}

func isFuzzing() bool {
	for _, arg := range os.Args {
		if strings.HasPrefix(arg, "-test.fuzz") && !strings.HasPrefix(arg, "-test.fuzzcachedir") {
			return true
		}
	}
	return false
}

const (
	serverAddr  = "10.77.0.1"
	foreignAddr = "10.77.0.2"
)

// wire is a switch with ingot's server on it, as interface "wire".
func wire(t *testing.T) {
	t.Helper()
	run(t, "ip", "link", "set", "lo", "up")
	run(t, "ip", "link", "add", "wire", "type", "bridge")
	run(t, "ip", "addr", "add", serverAddr+"/24", "dev", "wire")
	run(t, "ip", "link", "set", "wire", "up")
	t.Cleanup(func() { run(t, "ip", "link", "del", "wire") })
	if name := os.Getenv("INGOT_LAB_PCAP"); name != "" {
		dump := exec.Command("tcpdump", "-U", "-n", "-i", "wire", "-w", name, "arp or udp or icmp or tcp port 80")
		if err := dump.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = dump.Process.Signal(os.Interrupt); _ = dump.Wait() })
		time.Sleep(500 * time.Millisecond)
	}
}

// foreign runs dnsmasq as somebody else's DHCP server on the wire, in a namespace
// of its own.
func foreign(t *testing.T, options ...string) {
	t.Helper()
	run(t, "ip", "link", "add", "port", "type", "veth", "peer", "name", "other")
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", "port").Run() })
	script := `read go && ip addr add ` + foreignAddr + `/24 dev other && ip link set other up && ip addr add fd77::2/64 dev other nodad && ip link set lo up && exec dnsmasq "$@"`
	args := append([]string{"-c", script, "sh", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=other", "--bind-interfaces", "--user=root",
		"--dhcp-range=10.77.0.100,10.77.0.200,255.255.255.0,1h", "--enable-ra", "--dhcp-range=fd77::,ra-only", "--dhcp-leasefile=" + filepath.Join(t.TempDir(), "leases"), "--log-dhcp", "--pid-file"}, options...)
	cmd := exec.Command("sh", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Getenv("INGOT_LAB_VERBOSE") != "" {
		cmd.Stderr = os.Stderr
	}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	run(t, "ip", "link", "set", "other", "netns", fmt.Sprint(cmd.Process.Pid))
	run(t, "ip", "link", "set", "port", "master", "wire", "up")
	fmt.Fprintln(in, "go")
}

// port is a network card's end at the wire, for a VM.
func port(t *testing.T, name string) {
	t.Helper()
	run(t, "ip", "tuntap", "add", name, "mode", "tap")
	run(t, "ip", "link", "set", name, "master", "wire", "up")
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", name).Run() })
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
