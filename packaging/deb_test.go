package packaging

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/boottest"
)

// TestPackage installs the package on a Debian, starts that in QEMU, and asks the
// service whether it works: its sandbox is systemd's business, so a real systemd judges.
func TestPackage(t *testing.T) {
	if testing.Short() {
		t.Skip("a Debian is started in emulation")
	}
	deb := build(t)
	disk := filepath.Join(t.TempDir(), "disk.img")
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	if err := (boottest.Disk{Firmware: boottest.BIOS, FileSystem: "ext4", Size: 2 << 30}).Build(ctx, disk); err != nil {
		t.Fatal(err)
	}
	install(t, disk, deb)
	port := freePort(t)
	m, err := boottest.Run(ctx, "a Debian with the package", []string{
		"-machine", "pc,graphics=off", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
		"-drive", "if=virtio,format=raw,file=" + disk, "-device", "virtio-net-pci,netdev=n", "-netdev", fmt.Sprintf("user,id=n,hostfwd=tcp:127.0.0.1:%d-:8443", port),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	if err := m.Wait("boottest login:"); err != nil {
		t.Fatalf("%v\n%s", err, m.Console())
	}
	url := fmt.Sprintf("https://127.0.0.1:%d", port)
	if got := get(t, url+"/healthz", 2*time.Minute); got != "ok\n" {
		t.Errorf("/healthz says %q; the console:\n%s", got, m.Console())
	}
	if got := get(t, url+"/metrics", time.Minute); !strings.Contains(got, "ingot_machines_online 0") {
		t.Errorf("/metrics says %q", got)
	}
	if got := get(t, url+"/setup", time.Minute); !strings.Contains(got, "<form") {
		t.Errorf("/setup has no form: %q", got)
	}
	judge(t, m)
}

// judge logs in and has systemd say how the service is.
func judge(t *testing.T, m *boottest.Machine) {
	for _, line := range []string{"root", "packaged",
		`echo "state=$(systemctl is-active ingot) user=$(ps -o user= -C ingot 2>/dev/null || stat -c %U /proc/$(systemctl show -P MainPID ingot))"`,
		`stat -c 'link=%a-%U' /var/lib/ingot/setup-link; journalctl -u ingot | grep -c 'setup#code' | sed 's/^/leaked=/'`,
	} {
		if err := m.Type(line); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
	}
	if err := m.Wait("state=active user=ingot", "link=600-ingot", "leaked=0"); err != nil {
		t.Errorf("%v\n%s", err, m.Console())
	}
}

func build(t *testing.T) string {
	t.Helper()
	run(t, "make", "-C", "..", "--no-print-directory", "deb")
	found, err := filepath.Glob("../bin/ingot_*.deb")
	if err != nil || len(found) == 0 {
		t.Fatalf("no package was made: %v", err)
	}
	newest := found[0]
	for _, f := range found {
		a, _ := os.Stat(f)
		b, _ := os.Stat(newest)
		if a.ModTime().After(b.ModTime()) {
			newest = f
		}
	}
	return newest
}

// install puts the package onto the disk's root, with a password and a network for
// the test.
func install(t *testing.T, disk, deb string) {
	t.Helper()
	dir := t.TempDir()
	run(t, "mount", "-o", "loop,offset=1048576", disk, dir)
	defer run(t, "umount", dir)
	run(t, "cp", deb, filepath.Join(dir, "ingot.deb"))
	for name, text := range map[string]string{
		"etc/systemd/network/wired.network": "[Match]\nName=e*\n[Network]\nDHCP=ipv4\n",
		"in.sh":                             "set -e\necho root:packaged | chpasswd\nsystemctl enable systemd-networkd\ndpkg --install /ingot.deb\nrm /ingot.deb\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "chroot", dir, "/bin/sh", "/in.sh")
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// get asks until there is an answer.
func get(t *testing.T, url string, limit time.Duration) string {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	var last error
	for began := time.Now(); time.Since(began) < limit; time.Sleep(time.Second) {
		resp, err := client.Get(url)
		if last = err; err != nil {
			continue
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if last = err; err == nil {
			return string(text)
		}
	}
	t.Errorf("%s does not answer: %v", url, last)
	return ""
}
