package netboot

import (
	"cmp"
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

	"github.com/ingot-imaging/ingot/internal/bootenv"
)

// TestMain runs the tests in a network namespace of their own, which goes with the
// process: nothing that they do is seen outside.
func TestMain(m *testing.M) {
	if os.Getenv("INGOT_NETBOOT_LAB_INSIDE") != "" || isFuzzing() {
		os.Exit(m.Run())
	}
	folder, remove, err := labEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot make the boot environment for the lab:", err)
		os.Exit(1)
	}
	code := inside(folder)
	remove()
	os.Exit(code)
}

// inside runs the tests in their namespace. folder is the boot environment for the lab.
func inside(folder string) int {
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), "INGOT_NETBOOT_LAB_INSIDE=1", labFolder+"="+folder)
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

// labFolder is the variable that names the boot environment for the lab.
const labFolder = "INGOT_LAB_BOOTENV"

// labEnvironment makes what the lab boots, of Debian's packages in the folder that
// INGOT_DEBS names: it is made here, since there is no network where the tests run. A
// folder that labFolder names is taken as it is.
func labEnvironment() (folder string, remove func(), err error) {
	if os.Getenv("INGOT_LAB") == "" || os.Getenv(labFolder) != "" {
		return os.Getenv(labFolder), func() {}, nil
	}
	packages, err := filepath.Abs(cmp.Or(os.Getenv("INGOT_DEBS"), "../../work/debs"))
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "ingot-netboot-lab")
	if err != nil {
		return "", nil, err
	}
	folder = filepath.Join(dir, "bootenv")
	// Any static program does for an agent: lab puts another RAM disk in its place.
	if _, err = bootenv.Build(context.Background(), bootenv.Config{Out: folder, Agent: busybox, Packages: packages}); err != nil {
		os.RemoveAll(dir)
	}
	return folder, func() { os.RemoveAll(dir) }, err
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
