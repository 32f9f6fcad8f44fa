package netboot

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/dhcp"
	"github.com/ingot-imaging/ingot/internal/netboot/loader"
)

// control is a server's logic that says the same to every PC.
type control struct {
	choice  Choice
	err     error
	delay   time.Duration
	secret  []byte
	mu      sync.Mutex
	asked   []Machine
	records []Record
}

func (c *control) Choose(ctx context.Context, m Machine) (Choice, error) {
	c.mu.Lock()
	c.asked = append(c.asked, m)
	c.mu.Unlock()
	time.Sleep(c.delay)
	return c.choice, c.err
}

func (c *control) Secret(context.Context, Machine) ([]byte, error) { return c.secret, nil }

func (c *control) Saw(r Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.records = append(c.records, r)
}

// has reports whether there is a record of that kind.
func (c *control) has(protocol, asked, offered string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.records {
		if r.Protocol == protocol && strings.Contains(r.Asked, asked) && strings.Contains(r.Offered, offered) {
			return true
		}
	}
	return false
}

// said reports whether a record gives that reason.
func (c *control) said(why string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.records, func(r Record) bool { return strings.Contains(r.Why, why) })
}

func (c *control) dump(t *testing.T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.records {
		t.Logf("%s %s %s %s %-9s %s -> %s: %s", r.At.Format("05.000"), r.MAC, r.Addr, r.Arch, r.Protocol, r.Asked, r.Offered, r.Why)
	}
}

// serve runs a server at the wire until the test ends.
func serve(t *testing.T, c *control, change func(*Config)) *Server {
	t.Helper()
	config := Config{Interface: "wire", Files: environment(t)}
	if change != nil {
		change(&config)
	}
	level := slog.LevelWarn
	if os.Getenv("INGOT_LAB_VERBOSE") != "" {
		level = slog.LevelDebug
	}
	s, err := New(config, c, c, c, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if t.Failed() || os.Getenv("INGOT_LAB_VERBOSE") != "" {
			c.dump(t)
		}
	})
	for deadline := time.Now().Add(5 * time.Second); !s.running.Load(); time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-ended:
			t.Fatal(err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not listen")
		}
	}
	return s
}

// environment is a boot environment: Debian's loaders, and a kernel.
func environment(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, from := range map[string]string{
		"shimx64.efi":   "/usr/lib/shim/shimx64.efi.signed",
		"grubx64.efi":   "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
		"undionly.kpxe": "/usr/lib/ipxe/undionly.kpxe",
	} {
		run(t, "cp", from, filepath.Join(dir, name))
	}
	write(t, filepath.Join(dir, "vmlinuz"), kernel("MARKER kernel"))
	write(t, filepath.Join(dir, "initrd.img"), cpio(map[string]string{"init": "#!/nothing\n"}))
	return dir
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// busybox is a static program, for RAM disks.
const busybox = "/bin/busybox"

// lab is a boot environment as bootenv makes it, with an init that says what it was
// given instead of the agent.
func lab(t *testing.T) string {
	t.Helper()
	if os.Getenv("INGOT_LAB") == "" {
		t.Skip("slow: INGOT_LAB=1 runs it")
	}
	dir := t.TempDir()
	for _, name := range []string{"shimx64.efi", "grubx64.efi", "undionly.kpxe", loader.HTTPImage, loader.Kernel} {
		run(t, "cp", filepath.Join(os.Getenv(labFolder), name), dir)
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	init := "#!/bin/busybox sh\n/bin/busybox mkdir -p /proc\n/bin/busybox mount -t proc proc /proc\n" +
		"echo; echo MARKER init runs; echo SECRET $(/bin/busybox cat /etc/ingot/enrol.json); echo CMDLINE $(/bin/busybox cat /proc/cmdline)\n" +
		"echo LOCKDOWN $(/bin/busybox dmesg | /bin/busybox grep -i 'secure boot enabled'); echo MARKER end; /bin/busybox sleep 1; /bin/busybox poweroff -f\n"
	write(t, filepath.Join(dir, loader.Initrd), cpio(map[string]string{"init": init, "bin/busybox": string(program)}))
	return dir
}

func enrol() []byte {
	return cpio(map[string]string{"etc/ingot/enrol.json": `{"secret":"s3cret"}`})
}

func checkMachine(t *testing.T, c *control, arch dhcp.Arch) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) == 0 {
		t.Fatal("nobody was asked what to start")
	}
	m := c.asked[0]
	mac, _ := net.ParseMAC(vmMAC)
	if m.MAC.String() != mac.String() || m.UUID != vmUUID || m.Arch != arch || !m.Addr.Is4() {
		t.Errorf("asked about %+v, want %s %s %s", m, vmMAC, vmUUID, arch)
	}
}

// uefiHTTP is OVMF that boots by HTTP first.
func uefiHTTP(t *testing.T) []string {
	return append(uefi(t), "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n", "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n")
}
