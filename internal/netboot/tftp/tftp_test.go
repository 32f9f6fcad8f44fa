package tftp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCleanName(t *testing.T) {
	for name, want := range map[string]string{
		"vmlinuz": "vmlinuz", "/grub/grub.cfg": "grub/grub.cfg", "//grubx64.efi": "grubx64.efi", "a//b": "a/b", "grub/x86_64-efi/command.lst": "grub/x86_64-efi/command.lst",
		"": "", "/": "", "..": "", "../etc/passwd": "", "/a/../../b": "", "a/..": "", "./a": "", `\Boot\BCD`: "", `..\x`: "", "a b": "", "a\x01": "", "grub/pc/52:54:00:12:34:56.cfg": "grub/pc/52:54:00:12:34:56.cfg", "é": "",
		strings.Repeat("a", 255): strings.Repeat("a", 255), strings.Repeat("a", 256): "",
	} {
		got, err := CleanName(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("CleanName(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestSizesAndOptions(t *testing.T) {
	files := folder{}
	for _, n := range []int{0, 1, 511, 512, 513, 1024, 1468 * 16, 1468*16 + 1, 100_000} {
		files[strconv.Itoa(n)] = random(n)
	}
	s := serve(t, Config{Files: files})
	for name, want := range files {
		for _, options := range [][]string{
			{}, {"blksize", "1468"}, {"blksize", "1468", "windowsize", "16"}, {"tsize", "0"}, {"windowsize", "3"}, {"BLKSIZE", "8", "windowsize", "64", "tsize", "0", "timeout", "1"},
			{"blksize", "7", "windowsize", "0", "nonsense", "x", "timeout", "900"}, {"blksize", "65464"},
		} {
			got, err := fetch(s.Addr(), name, options...)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s with %v: %d bytes, %v; want %d", name, options, len(got), err, len(want))
			}
		}
	}
}

// A file of more than 65,535 blocks is sent though block numbers have 16 bits.
func TestRollover(t *testing.T) {
	want := random(8*65536*2 + 3)
	s := serve(t, Config{Files: folder{"big": want}})
	for _, window := range []string{"1", "16"} {
		got, err := fetch(s.Addr(), "big", "blksize", "8", "windowsize", window)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("window %s: %d bytes, %v; want %d", window, len(got), err, len(want))
		}
	}
}

func TestLoss(t *testing.T) {
	want := random(200_000)
	s := serve(t, Config{Files: folder{"f": want}, firstTimeout: 50 * time.Millisecond})
	var clients sync.WaitGroup
	for _, options := range [][]string{{"blksize", "1468"}, {"blksize", "1468", "windowsize", "16"}, {"blksize", "1024", "windowsize", "4"}} {
		wire := lossy(t, s.Addr(), 8)
		clients.Go(func() {
			got, err := fetch(wire, "f", options...)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("with %v: %d bytes, %v; want %d", options, len(got), err, len(want))
			}
		})
	}
	clients.Wait()
}

func TestRefusals(t *testing.T) {
	var mu sync.Mutex
	var done []Transfer
	s := serve(t, Config{Files: folder{"f": nil}, Done: func(x Transfer) { mu.Lock(); done = append(done, x); mu.Unlock() }})
	for name, want := range map[string]string{"../f": errName.Error(), "missing": "file not found"} {
		if _, err := fetch(s.Addr(), name); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
	for packet, want := range map[string]string{
		"\x00\x02f\x00octet\x00":    "\x00\x05\x00\x02" + errWrite.Error() + "\x00",
		"\x00\x01f\x00netascii\x00": "\x00\x05\x00\x04" + errMode.Error() + "\x00",
	} {
		c, err := net.Dial("udp4", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, "\x00\x01no end", "")
		fmt.Fprint(c, packet)
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		b := make([]byte, 200)
		n, err := c.Read(b)
		if string(b[:n]) != want {
			t.Errorf("%q: got %q, %v; want %q", packet, b[:n], err, want)
		}
	}
	if got := s.Stats(); got.Refused != 3 || got.NotFound != 1 || got.Malformed != 2 || got.Requests != 1 {
		t.Errorf("counted %+v", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(done) != 4 {
		t.Errorf("%d transfers were told of, want 4: %v", len(done), done)
	}
}

// Firmware asks for the size and ends the transfer.
func TestSizeQuery(t *testing.T) {
	ended := make(chan Transfer, 1)
	s := serve(t, Config{Files: folder{"f": random(1000)}, Done: func(x Transfer) { ended <- x }})
	c, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.WriteToUDPAddrPort([]byte("\x00\x01f\x00octet\x00tsize\x000\x00"), s.Addr())
	b := make([]byte, 100)
	n, peer, err := c.ReadFromUDPAddrPort(b)
	if want := "\x00\x06tsize\x001000\x00"; err != nil || string(b[:n]) != want {
		t.Fatalf("got %q, %v; want %q", b[:n], err, want)
	}
	_, _ = c.WriteToUDPAddrPort([]byte("\x00\x05\x00\x08enough\x00"), peer)
	if x := <-ended; !errors.Is(x.Err, ErrAborted) || x.Size != 1000 || x.Bytes != 0 {
		t.Errorf("got %+v", x)
	}
}

func TestLimits(t *testing.T) {
	s := serve(t, Config{Files: folder{"f": random(1000)}, PerClient: 2})
	for range 4 { // silent clients keep their places for a while
		c, err := net.ListenUDP("udp4", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.WriteToUDPAddrPort([]byte("\x00\x01f\x00octet\x00"), s.Addr())
	}
	for deadline := time.Now().Add(5 * time.Second); s.Stats().Busy != 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v; want 2 busy", s.Stats())
		}
	}
}

// TestJudges has the programs that everybody uses fetch files.
func TestJudges(t *testing.T) {
	files := folder{"grub/grub.cfg": random(1468 * 20), "one": random(1), "big": random(512*65536 + 100)}
	s := serve(t, Config{Files: files})
	port := strconv.Itoa(int(s.Addr().Port()))
	judges := map[string]func(name, to string) []string{
		"atftp": func(name, to string) []string {
			return []string{"atftp", "-g", "-r", name, "-l", to, "127.0.0.1", port}
		},
		"atftp blksize": func(name, to string) []string {
			return []string{"atftp", "--option", "blksize 1468", "--option", "windowsize 8", "-g", "-r", name, "-l", to, "127.0.0.1", port}
		},
		"tftp-hpa": func(name, to string) []string {
			return []string{"tftp", "-m", "binary", "127.0.0.1", port, "-c", "get", name, to}
		},
	}
	for judge, command := range judges {
		for name, want := range files {
			t.Run(judge+"/"+name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				to := filepath.Join(t.TempDir(), "got")
				args := command(name, to)
				out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
				got, _ := os.ReadFile(to)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("got %d bytes, want %d: %v\n%s", len(got), len(want), err, out)
				}
			})
		}
	}
}

func TestUnreadableFile(t *testing.T) {
	s := serve(t, Config{Files: failing{}})
	if _, err := fetch(s.Addr(), "f"); err == nil || err.Error() != "the server cannot read this file" {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (failing) Open(context.Context, string, netip.Addr) (File, error) { return failing{}, nil }
func (failing) ReadAt([]byte, int64) (int, error)                      { return 0, fs.ErrPermission }
func (failing) Size() int64                                            { return 100 }
func (failing) Close() error                                           { return nil }

func FuzzRequest(f *testing.F) {
	f.Add([]byte("\x00\x01/grub/grub.cfg\x00octet\x00blksize\x001468\x00windowsize\x004\x00tsize\x000\x00"))
	f.Add([]byte("\x00\x02f\x00netascii\x00"))
	f.Add([]byte("\x00\x01a/../b\x00octet\x00timeout\x00255\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRequest(b)
		if err != nil {
			return
		}
		if r.block < minBlock || r.block > maxBlock || r.window < 1 || r.block*r.window > maxBuffer || r.timeout > 255 {
			t.Errorf("out of limits: %+v", r)
		}
		if strings.HasPrefix(r.name, "/") || !fs.ValidPath(r.name) || r.name == "." {
			t.Errorf("name %q", r.name)
		}
		if ack := r.optionAck(1 << 40); ack != nil && binary.BigEndian.Uint16(ack) != opOAck {
			t.Errorf("option ack %q", ack)
		}
	})
}

func BenchmarkWindow16(b *testing.B) {
	want := random(64 << 20)
	s := serve(b, Config{Files: folder{"f": want}})
	b.SetBytes(int64(len(want)))
	for b.Loop() {
		if got, err := fetch(s.Addr(), "f", "blksize", "1468", "windowsize", "16"); err != nil || len(got) != len(want) {
			b.Fatal(len(got), err)
		}
	}
}
