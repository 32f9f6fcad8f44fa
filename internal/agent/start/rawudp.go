package start

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Ports of DHCP.
const (
	serverPort = 67
	clientPort = 68
)

// A rawUDP sends and receives broadcasts of DHCP on an interface that has no
// address, which a socket of UDP cannot.
type rawUDP struct {
	f     *os.File
	index int
}

func openRaw(index int) (*rawUDP, error) {
	protocol := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_IP))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, int(protocol))
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: index}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("bind a packet socket to an interface: %w", err)
	}
	return &rawUDP{os.NewFile(uintptr(fd), "dhcp"), index}, nil
}

func (r *rawUDP) Close() error { return r.f.Close() }

// send broadcasts a message of a client to all servers.
func (r *rawUDP) send(payload []byte) error {
	protocol := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_IP))
	to := &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: r.index, Halen: 6, Addr: [8]byte{255, 255, 255, 255, 255, 255}}
	conn, err := r.f.SyscallConn()
	if err != nil {
		return err
	}
	packet := datagram(payload)
	werr := conn.Write(func(fd uintptr) bool {
		err = unix.Sendto(int(fd), packet, 0, to)
		return !errors.Is(err, unix.EAGAIN)
	})
	return errors.Join(werr, err)
}

// receive returns the next message for clients, or an error that wraps
// os.ErrDeadlineExceeded.
func (r *rawUDP) receive(deadline time.Time) ([]byte, error) {
	if err := r.f.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	for {
		n, err := r.f.Read(buf)
		if err != nil {
			return nil, err
		}
		if payload := forClient(buf[:n]); payload != nil {
			return payload, nil
		}
	}
}

const (
	ipHeader  = 20
	udpHeader = 8
	udp       = 17
)

// datagram puts headers before a payload: from nobody to everybody. Sources: RFC
// 791, section 3.1; RFC 768, where a checksum of 0 is none.
func datagram(payload []byte) []byte {
	b := make([]byte, ipHeader+udpHeader, ipHeader+udpHeader+len(payload))
	b[0] = 4<<4 | ipHeader/4
	binary.BigEndian.PutUint16(b[2:], uint16(ipHeader+udpHeader+len(payload)))
	b[8], b[9] = 64, udp
	copy(b[16:], []byte{255, 255, 255, 255})
	binary.BigEndian.PutUint16(b[10:], checksum(b[:ipHeader]))
	binary.BigEndian.PutUint16(b[ipHeader:], clientPort)
	binary.BigEndian.PutUint16(b[ipHeader+2:], serverPort)
	binary.BigEndian.PutUint16(b[ipHeader+4:], uint16(udpHeader+len(payload)))
	return append(b, payload...)
}

// checksum is that of RFC 1071 over an even number of bytes.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// forClient returns the payload of a datagram to a DHCP client, nil when b is
// something else. Fragments are none: servers keep to 576 bytes and to the MTU.
func forClient(b []byte) []byte {
	if len(b) < ipHeader || b[0]>>4 != 4 || b[9] != udp {
		return nil
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	fragment := binary.BigEndian.Uint16(b[6:])&0x3fff != 0
	if header < ipHeader || total > len(b) || total < header+udpHeader || fragment {
		return nil
	}
	u := b[header:total]
	if binary.BigEndian.Uint16(u[2:]) != clientPort || binary.BigEndian.Uint16(u) != serverPort {
		return nil
	}
	return u[udpHeader:min(len(u), max(udpHeader, int(binary.BigEndian.Uint16(u[4:]))))]
}
