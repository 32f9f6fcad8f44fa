package netboot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/dhcp"
	"github.com/ingot-imaging/ingot/internal/netboot/loader"
)

var (
	mac   = net.HardwareAddr{0x52, 0x54, 0, 0x12, 0x34, 0x56}
	peer  = netip.MustParseAddr("10.77.0.50")
	thief = netip.MustParseAddr("10.77.0.66")
)

// quiet is a server that listens nowhere.
func quiet(t testing.TB, c *control) *Server {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"vmlinuz": "kernel", "initrd.img": "initrd", "shimx64.efi": "shim", "manifest.json": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Addr: netip.MustParseAddr(serverAddr), Files: dir, Args: loader.Args{Facts: []loader.Fact{{Name: "server", Value: "https://10.77.0.1:8443"}}}}, c, c, c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.files.builds.close() })
	return s
}

func open(t *testing.T, s *Server, name string, peer netip.Addr) (string, error) {
	t.Helper()
	f, err := s.files.Open(t.Context(), name, peer)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	return string(b), err
}

func TestChoices(t *testing.T) {
	const grubAgent, grubDisk = "linux (tftp,10.77.0.1)/vmlinuz console=tty0 console=ttyS0,115200 quiet panic=30 ingot.server=https://10.77.0.1:8443 ingot.mac=52:54:00:12:34:56;", "starting the own disk"
	for name, test := range map[string]struct {
		control *control
		want    string
	}{
		"agent":       {&control{choice: Choice{Agent: true, Why: "A job waits."}}, grubAgent},
		"own disk":    {&control{choice: Choice{Why: "Nothing to do."}}, grubDisk},
		"failure":     {&control{choice: Choice{Agent: true}, err: errors.New("database is gone")}, "The server failed to say what to start"},
		"no answer":   {&control{choice: Choice{Agent: true}, delay: patience + time.Second}, "did not say within 2s"},
		"no new text": {&control{choice: Choice{Agent: true, Why: "'; reboot; '"}}, ", reboot,"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := quiet(t, test.control)
			begin := time.Now()
			text, err := open(t, s, loader.GRUB.Second(mac), peer)
			if err != nil || !strings.Contains(text, test.want) || !strings.Contains(text, "chainloader") || time.Since(begin) > patience+500*time.Millisecond {
				t.Errorf("after %v: %v\n%s", time.Since(begin), err, text)
			}
		})
	}
}

// The secret goes to the address that was told to start the agent, a few times.
func TestSecret(t *testing.T) {
	c := &control{choice: Choice{Agent: true, Why: "A job waits."}, secret: []byte("cpio")}
	s := quiet(t, c)
	if _, err := open(t, s, loader.Enrol, peer); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before a text was given: %v", err)
	}
	for range 3 { // opened more than once, it is one boot
		if _, err := open(t, s, loader.IPXE.Second(mac), peer); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.asked) != 1 {
		t.Errorf("asked %d times what one boot starts", len(c.asked))
	}
	if _, err := open(t, s, loader.Enrol, thief); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another PC: %v", err)
	}
	for range maxGiven {
		if got, err := open(t, s, loader.Enrol, peer); err != nil || got != "cpio" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	if _, err := open(t, s, loader.Enrol, peer); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("once too often: %v", err)
	}
	c.choice = Choice{Why: "Nothing to do."}
	s.boots.of[peer].made = time.Now().Add(-time.Minute)
	if _, err := open(t, s, loader.IPXE.Second(mac), peer); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, s, loader.Enrol, peer); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a boot of the own disk has a secret: %v", err)
	}
}

func TestBootsForget(t *testing.T) {
	var b boots
	now := time.Now()
	m := Machine{MAC: mac, Addr: peer}
	b.put(m, loader.GRUB, nil, Choice{Agent: true}, []byte("x"), nil, now)
	if _, ok := b.secret(peer, now.Add(bootTime+time.Second)); ok {
		t.Error("a secret lives longer than a boot")
	}
	b.put(Machine{MAC: mac, Addr: thief}, loader.GRUB, nil, Choice{}, nil, nil, now.Add(bootTime+time.Second))
	if len(b.of) != 1 {
		t.Errorf("%d boots are kept", len(b.of))
	}
}

func TestKnown(t *testing.T) {
	var k known
	now := time.Now()
	firmware := dhcp.Client{MAC: mac, Arch: dhcp.UEFIx64, UUID: bytes.Repeat([]byte{0x11}, 16)}
	k.learn(firmware, netip.Addr{}, now)
	k.learn(dhcp.Client{MAC: mac, Arch: dhcp.NoArch}, peer, now) // iPXE says less
	if m := k.from(peer); m.UUID != "11111111-1111-1111-1111-111111111111" || m.Arch != dhcp.UEFIx64 || m.Addr != peer {
		t.Errorf("%+v", m)
	}
	if m := k.at(mac, thief, now); m.Addr != thief || m.Arch != dhcp.UEFIx64 {
		t.Errorf("%+v", m)
	}
	for i := range 3 * maxKnown {
		k.learn(dhcp.Client{MAC: net.HardwareAddr{2, 0, 0, 0, byte(i >> 8), byte(i)}, Arch: dhcp.NoArch}, netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), now)
	}
	if len(k.byMAC) > maxKnown || len(k.byAddr) > 2*maxKnown {
		t.Errorf("%d PCs, %d addresses are remembered", len(k.byMAC), len(k.byAddr))
	}
}

func TestHTTP(t *testing.T) {
	c := &control{choice: Choice{Agent: true}, secret: []byte("cpio")}
	s := quiet(t, c)
	for name, test := range map[string]struct {
		method, path, ranges string
		status               int
		body                 string
	}{
		"file":             {"GET", "/vmlinuz", "", 200, "kernel"},
		"head":             {"HEAD", "/vmlinuz", "", 200, ""},
		"range":            {"GET", "/vmlinuz", "bytes=2-3", 206, "rn"},
		"two slashes":      {"GET", "//shimx64.efi", "", 200, "shim"},
		"missing":          {"GET", "/nothing", "", 404, ""},
		"builder's notes":  {"GET", "/manifest.json", "", 404, ""},
		"way out":          {"GET", "/../etc/passwd", "", 400, ""},
		"escaped way out":  {"GET", "/%2e%2e/etc/passwd", "", 400, ""},
		"backslash":        {"GET", `/..%5cetc%5cpasswd`, "", 400, ""},
		"NUL":              {"GET", "/vmlinuz%00", "", 400, ""},
		"long":             {"GET", "/" + strings.Repeat("a", 300), "", 400, ""},
		"root":             {"GET", "/", "", 400, ""},
		"link":             {"GET", "/link", "", 404, ""},
		"folder":           {"GET", "/grub", "", 404, ""},
		"write":            {"PUT", "/vmlinuz", "", 400, ""},
		"secret of nobody": {"GET", "/enrol.cpio", "", 404, ""},
	} {
		r := httptest.NewRequest(test.method, "http://10.77.0.1/", nil)
		r.URL.Path, r.RemoteAddr = unescape(t, test.path), "10.77.0.50:1000"
		if test.ranges != "" {
			r.Header.Set("Range", test.ranges)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != test.status || test.body != "" && w.Body.String() != test.body {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
		if test.status == 200 && w.Header().Get("Content-Length") == "" {
			t.Errorf("%s: no length", name)
		}
	}
	if got := s.Stats().HTTP; got.Refused != 7 || got.NotFound != 5 || got.Requests != 16 || got.Bytes != 12 {
		t.Errorf("counted %+v", got)
	}
	if !c.has("http", "vmlinuz", "all of it") || !c.has("http", "nothing", "nothing") || !c.has("http", "a name that no boot file has", "nothing") {
		c.dump(t)
		t.Error("records are missing")
	}
}

func TestRecordsAreNotRepeated(t *testing.T) {
	c := &control{}
	s := quiet(t, c)
	for range 5 {
		s.sawDHCP(dhcp.Event{Client: dhcp.Client{MAC: mac, Class: "PXEClient", Arch: dhcp.UEFI32}, Proxy: true, Asked: "discover", Decision: dhcp.Decision{Why: "No loader."}})
	}
	s.sawDHCP(dhcp.Event{Client: dhcp.Client{MAC: mac, Class: "dhcpcd", Arch: dhcp.NoArch}, Asked: "request"})
	if len(c.records) != 1 || c.records[0].Arch != "UEFI x86 (32 bits)" || c.records[0].Offered != "nothing" {
		c.dump(t)
		t.Errorf("%d records", len(c.records))
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{Addr: netip.MustParseAddr(serverAddr), Files: t.TempDir()}
	secret := good
	secret.Args = loader.Args{Facts: []loader.Fact{{Name: "x", Value: "a b"}}}
	nowhere := good
	nowhere.Files = filepath.Join(t.TempDir(), "nothing")
	for want, c := range map[string]Config{
		"has no vmlinuz: make it with 'ingot bootenv build'": good, "may not be on a command line": secret, "made by 'ingot bootenv build'": nowhere, "netboot on nosuchif": {Interface: "nosuchif"},
	} {
		if _, err := New(c, nil, nil, nil, slog.Default()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func FuzzHTTPPath(f *testing.F) {
	for _, path := range []string{"/vmlinuz", "/../x", "/grub/pc/52:54:00:12:34:56.cfg", "/ipxe/52-54-00-12-34-56.ipxe", "//", "/a/./b", "/enrol.cpio"} {
		f.Add(path)
	}
	s := quiet(f, &control{})
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest("GET", "http://10.77.0.1/", nil)
		r.URL.Path, r.RemoteAddr = path, "10.77.0.50:1000"
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r.WithContext(context.Background()))
		if w.Code != 200 && w.Code != 404 && w.Code != 400 {
			t.Errorf("%q: %d", path, w.Code)
		}
		if strings.Contains(w.Body.String(), "root:") {
			t.Errorf("%q: a way out", path)
		}
	})
}

func unescape(t *testing.T, path string) string {
	t.Helper()
	p, err := url.PathUnescape(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
