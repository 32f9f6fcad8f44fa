package start

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/trust"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// TestMachine starts a kernel with nothing but the agent and modules, in QEMU: it
// must survive a mistake of its own, find its devices, get an address, enrol, do a job and
// restart the machine. It
// takes a minute and a kernel from Debian, so it runs when INGOT_LAB is set.
func TestMachine(t *testing.T) {
	if os.Getenv("INGOT_LAB") == "" {
		t.Skip("INGOT_LAB is not set")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir := t.TempDir()
	kernel, modules := debianKernel(t, ctx, dir)
	s := newLabServer(t)
	root := filepath.Join(dir, "root")
	makeRoot(t, ctx, root, modules, s.url(t), s.fingerprint)
	initrd := filepath.Join(dir, "initrd")
	sh(t, ctx, fmt.Sprintf("cd %s && find . | cpio --quiet -o -H newc >%s", root, initrd))
	sh(t, ctx, "truncate -s 64M "+filepath.Join(dir, "disk.img"))

	console := &lockedBuffer{}
	qemu := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-machine", "q35,graphics=off", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none",
		"-serial", "stdio", "-no-reboot", "-kernel", kernel, "-initrd", initrd,
		"-append", "console=ttyS0 quiet panic=30",
		"-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,romfile=",
		"-device", "i6300esb", "-action", "watchdog=reset",
		"-drive", "if=none,id=d,format=raw,file="+filepath.Join(dir, "disk.img"), "-device", "nvme,drive=d,serial=NVME1")
	qemu.Stdout, qemu.Stderr = console, console
	qemu.WaitDelay = time.Second
	began := time.Now()
	err := qemu.Run() // -no-reboot: it ends when the machine restarts
	t.Logf("after %v: %v\n%s", time.Since(began).Round(time.Second), err, console)
	if err != nil {
		t.Fatal("the machine did not restart by itself")
	}
	s.judge(t, began)
	for _, want := range []string{"the agent ended with code 2", "a mistake for the test", "it is started again in 2s", "WAITING FOR APPROVAL", "lab-1", "DEPLOYING lab-pc:v3", "DONE: DEPLOY OF lab-pc:v3", "RESTARTING"} {
		if !strings.Contains(console.String(), want) {
			t.Errorf("the console does not say %q", want)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func sh(t *testing.T, ctx context.Context, script string) string {
	t.Helper()
	out, err := exec.CommandContext(ctx, "sh", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// debianKernel downloads Debian's kernel and returns it and the folder of its
// modules.
func debianKernel(t *testing.T, ctx context.Context, dir string) (kernel, modules string) {
	t.Helper()
	sh(t, ctx, fmt.Sprintf(`cd %s && p=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: //p' | head -n1) &&
		apt-get -q download $p && dpkg-deb -x $p*.deb deb && rm $p*.deb && depmod -b deb $(ls deb/lib/modules)`, dir))
	return sh(t, ctx, "echo "+filepath.Join(dir, "deb/boot/vmlinuz-*")), sh(t, ctx, "echo "+filepath.Join(dir, "deb/lib/modules/*"))
}

// makeRoot makes the root of the initrd: the agent as /init, modules for what QEMU
// shows, and what a server would leave for this boot.
func makeRoot(t *testing.T, ctx context.Context, root, modules, url, fingerprint string) {
	t.Helper()
	to := filepath.Join(root, "lib/modules", filepath.Base(modules))
	if err := os.MkdirAll(filepath.Join(root, "etc/ingot"), 0o755); err != nil {
		t.Fatal(err)
	}
	sh(t, ctx, fmt.Sprintf("mkdir -p %[1]s && cp %[2]s/modules.* %[1]s && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o %[3]s/init ./testdata/agent", to, modules, root))
	index, err := ReadModules(os.DirFS(modules))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append([]string{"virtio_pci", "virtio_net", "nvme", "i6300esb", "softdog"}, explicit[:]...) {
		for _, n := range index.Order(name) {
			file := index.File(n)
			sh(t, ctx, fmt.Sprintf("mkdir -p %[1]s/$(dirname %[3]s) && cp %[2]s/%[3]s %[1]s/%[3]s", to, modules, file))
		}
	}
	b, err := json.Marshal(wire.Enrol{Server: url, Fingerprint: fingerprint, Secret: "of this boot"})
	if err == nil {
		err = os.WriteFile(filepath.Join(root, wire.EnrolFile), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// labServer approves whoever asks for the second time, has one job, and remembers.
type labServer struct {
	fingerprint string
	listener    net.Listener

	mu      sync.Mutex
	hello   wire.Hello
	helloAt time.Time
	nexts   int
	reports []wire.Report
	result  *wire.Result
}

func newLabServer(t *testing.T) *labServer {
	t.Helper()
	a, err := trust.OpenAuthority(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := a.Issue([]string{"ingot.test"}, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := &labServer{fingerprint: a.Fingerprint().String()}
	s.listener, err = tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*certificate}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }
	mux.HandleFunc("POST "+wire.HelloPath, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewDecoder(r.Body).Decode(&s.hello)
		s.helloAt = time.Now()
		answer(w, wire.Welcome{Machine: "m-1", Name: "lab-1", State: wire.Pending, Session: "s", Now: time.Now()})
	})
	mux.HandleFunc("POST "+wire.NextPath, func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.nexts++
		if s.nexts < 3 {
			answer(w, wire.Order{State: wire.Pending, Name: "lab-1", Again: 2})
			return
		}
		answer(w, wire.Order{State: wire.Approved, Name: "lab-1", Job: &wire.Job{
			ID: "j-1", Kind: wire.Deploy, Attempt: 1, Image: "i-1", Title: "lab-pc:v3", Then: wire.Reboot, Token: "secret token",
		}})
	})
	mux.HandleFunc("POST "+wire.ReportPath, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		var report wire.Report
		_ = json.NewDecoder(r.Body).Decode(&report)
		s.reports = append(s.reports, report)
		answer(w, wire.Reply{})
	})
	mux.HandleFunc("POST "+wire.FinishPath, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.result = &wire.Result{}
		_ = json.NewDecoder(r.Body).Decode(s.result)
		answer(w, wire.Reply{})
	})
	server := &http.Server{Handler: mux}
	go server.Serve(s.listener)
	t.Cleanup(func() { server.Close() })
	return s
}

// url is how QEMU's user network reaches the host's loopback.
func (s *labServer) url(t *testing.T) string {
	t.Helper()
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "https://10.0.2.2:" + port
}

func (s *labServer) judge(t *testing.T, began time.Time) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Logf("hello after %v: %+v", s.helloAt.Sub(began).Round(100*time.Millisecond), s.hello)
	if s.hello.Secret != "of this boot" || s.hello.Inventory.Memory == 0 || len(s.hello.Inventory.NICs) != 1 || s.hello.Inventory.NICs[0].Addr == "" || len(s.hello.Inventory.Disks) != 1 {
		t.Errorf("hello: %+v", s.hello)
	}
	if s.result == nil || s.result.Outcome != wire.Done || s.result.Target != wire.Complete {
		t.Fatalf("result: %+v", s.result)
	}
	if len(s.reports) == 0 {
		t.Error("nothing was reported on the way")
	}
	for _, r := range s.reports {
		for _, l := range r.Log {
			t.Log(l.Text)
		}
	}
	for _, l := range s.result.Log {
		t.Log(l.Text)
	}
}
