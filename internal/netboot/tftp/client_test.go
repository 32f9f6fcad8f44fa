package tftp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// folder is files in memory.
type folder map[string][]byte

type content struct{ *bytes.Reader }

func (c content) Close() error { return nil }
func (c content) Size() int64  { return c.Reader.Size() }

func (f folder) Open(_ context.Context, name string, _ netip.Addr) (File, error) {
	b, ok := f[name]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	return content{bytes.NewReader(b)}, nil
}

// serve runs a server of files on loopback until the test ends.
func serve(t testing.TB, c Config) *Server {
	t.Helper()
	c.Addr = netip.MustParseAddrPort("127.0.0.1:0")
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s, err := Listen(t.Context(), c)
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
	})
	return s
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{7})
	_, _ = r.Read(b)
	return b
}

// fetch is a client of our own: what the standard programs cannot do, such as
// windows, and speed. options are pairs of name and value.
func fetch(server netip.AddrPort, name string, options ...string) ([]byte, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	_ = c.SetReadBuffer(4 << 20)
	rrq := append([]byte{0, opRead}, name+"\x00octet\x00"...)
	for _, o := range options {
		rrq = append(append(rrq, o...), 0)
	}
	var got bytes.Buffer
	block, window, inWindow := 512, 1, 0
	last := uint16(0)
	reply, peer, buf := rrq, server, make([]byte, 70000)
	for tries := 0; tries < 60; {
		if reply != nil {
			if _, err := c.WriteToUDPAddrPort(reply, peer); err != nil {
				return nil, err
			}
			inWindow = 0
		}
		_ = c.SetReadDeadline(time.Now().Add(150 * time.Millisecond))
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			tries++
			if peer != server {
				reply = binary.BigEndian.AppendUint16([]byte{0, opAck}, last)
			}
			continue
		}
		peer, reply = from, nil
		switch number := binary.BigEndian.Uint16(buf[2:]); buf[1] {
		case opError:
			return nil, errors.New(string(buf[4 : n-1]))
		case opOAck:
			fields := strings.Split(string(buf[2:n-1]), "\x00")
			for i := 0; i+1 < len(fields); i += 2 {
				switch fields[i] {
				case "blksize":
					fmt.Sscan(fields[i+1], &block)
				case "windowsize":
					fmt.Sscan(fields[i+1], &window)
				}
			}
			reply = []byte{0, opAck, 0, 0}
		case opData:
			if number != last+1 {
				if inWindow >= 0 {
					reply = binary.BigEndian.AppendUint16([]byte{0, opAck}, last)
				}
				continue
			}
			tries = 0
			last = number
			got.Write(buf[4:n])
			if inWindow++; inWindow >= window || n-4 < block {
				reply = binary.BigEndian.AppendUint16([]byte{0, opAck}, last)
			}
			if n-4 < block {
				_, _ = c.WriteToUDPAddrPort(reply, peer)
				return got.Bytes(), nil
			}
		}
	}
	return nil, errSilent
}

// lossy is a wire between clients and a server that loses and repeats packets.
func lossy(t *testing.T, server netip.AddrPort, percent int) netip.AddrPort {
	t.Helper()
	loopback := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
	front, err := net.ListenUDP("udp4", loopback)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(1, 2))
	copies := func() int { // of a packet
		mu.Lock()
		defer mu.Unlock()
		switch n := r.IntN(100); {
		case n < percent:
			return 0
		case n < percent+percent/2:
			return 2
		}
		return 1
	}
	t.Cleanup(func() { front.Close() })
	go func() {
		buf := make([]byte, 70000)
		for {
			n, client, err := front.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			// One client port is one transfer; its packets leave from a port of its own.
			back, err := net.ListenUDP("udp4", loopback)
			if err != nil {
				return
			}
			side, err := net.ListenUDP("udp4", loopback)
			if err != nil {
				return
			}
			t.Cleanup(func() { back.Close(); side.Close() })
			var peer netip.AddrPort
			var peerMu sync.Mutex
			go func() { // server to client
				buf := make([]byte, 70000)
				for {
					n, from, err := back.ReadFromUDPAddrPort(buf)
					if err != nil {
						return
					}
					peerMu.Lock()
					peer = from
					peerMu.Unlock()
					for range copies() {
						_, _ = side.WriteToUDPAddrPort(buf[:n], client)
					}
				}
			}()
			go func() { // client to server
				buf := make([]byte, 2000)
				for {
					n, _, err := side.ReadFromUDPAddrPort(buf)
					if err != nil {
						return
					}
					peerMu.Lock()
					to := peer
					peerMu.Unlock()
					for range copies() {
						_, _ = back.WriteToUDPAddrPort(buf[:n], to)
					}
				}
			}()
			_, _ = back.WriteToUDPAddrPort(buf[:n], server)
		}
	}()
	return front.LocalAddr().(*net.UDPAddr).AddrPort()
}
