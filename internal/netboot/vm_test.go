package netboot

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// vm is a PC in QEMU, emulated in software, with its serial console.
type vm struct {
	start time.Time
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{}
	ended chan struct{}
}

const (
	vmMAC  = "52:54:00:12:34:56"
	vmUUID = "12345678-9abc-def0-1122-334455667788"
)

// A firmware is what a PC has: the arguments of QEMU, made for a test.
type firmware func(t *testing.T) []string

// bios is SeaBIOS; QEMU's network cards bring iPXE along.
func bios(*testing.T) []string {
	return []string{"-machine", "pc,graphics=off", "-device", "virtio-net-pci,netdev=n,mac=" + vmMAC + ",bootindex=0"}
}

// uefi is OVMF with its own PXE, Secure Boot on and Microsoft's keys.
func uefi(t *testing.T) []string {
	vars := filepath.Join(t.TempDir(), "vars.fd")
	run(t, "cp", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", vars)
	return []string{
		"-machine", "q35,smm=on,graphics=off", "-global", "driver=cfi.pflash01,property=secure,value=on",
		"-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
		"-drive", "if=pflash,format=raw,unit=1,file=" + vars,
		"-device", "virtio-net-pci,netdev=n,romfile=,mac=" + vmMAC + ",bootindex=0", "-device", "virtio-rng-pci",
	}
}

// power turns a PC on whose network card is at the wire. It is off when the test ends.
func power(t *testing.T, fw firmware, more ...string) *vm {
	t.Helper()
	port(t, "tap0")
	ctx, cancel := context.WithCancel(context.Background())
	args := append(fw(t), "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024", "-uuid", vmUUID, "-nodefaults", "-no-user-config",
		"-display", "none", "-serial", "stdio", "-no-reboot", "-netdev", "tap,id=n,ifname=tap0,script=no,downscript=no")
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", append(args, more...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	v := &vm{start: time.Now(), grown: make(chan struct{}), ended: make(chan struct{})}
	var complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = v, &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(v.ended) }()
	t.Cleanup(func() {
		cancel()
		<-v.ended
		if complaints.Len() > 0 {
			t.Log("qemu:", complaints.String())
		}
		if t.Failed() || os.Getenv("INGOT_LAB_VERBOSE") != "" {
			t.Logf("console:\n%s", v.console())
		}
	})
	return v
}

func (v *vm) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.grown)
	v.grown = make(chan struct{})
	return v.text.Write(p)
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;=?]*[A-Za-z]|\r`)

// console is what the PC printed, without control sequences.
func (v *vm) console() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return escapes.ReplaceAllString(v.text.String(), "")
}

// wait waits until the PC printed text, and returns the time since it was turned on.
func (v *vm) wait(t *testing.T, text string, limit time.Duration) time.Duration {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		v.mu.Lock()
		grown := v.grown
		v.mu.Unlock()
		if strings.Contains(v.console(), text) {
			return time.Since(v.start).Round(100 * time.Millisecond)
		}
		select {
		case <-grown:
		case <-v.ended:
			t.Fatalf("QEMU ended before %q", text)
		case <-timer.C:
			t.Fatalf("no %q within %v", text, limit)
		}
	}
}

// cpio makes an archive of the "newc" kind that the kernel unpacks
// (Documentation/driver-api/early-userspace/buffer-format.rst).
func cpio(files map[string]string) []byte {
	var b bytes.Buffer
	add := func(name, content string, mode int) {
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", 0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0, name)
		pad(&b)
		b.WriteString(content)
		pad(&b)
	}
	folders := map[string]bool{}
	for name := range files {
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			folders[dir] = true
		}
	}
	for dir := range folders {
		if !folders[filepath.Dir(dir)] { // outermost first
			add(dir, "", 0o040755)
		}
	}
	for dir := range folders {
		if folders[filepath.Dir(dir)] {
			add(dir, "", 0o040755)
		}
	}
	for name, content := range files {
		add(name, content, 0o100755)
	}
	add("TRAILER!!!", "", 0)
	return b.Bytes()
}

func pad(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}
