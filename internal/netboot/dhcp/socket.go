package dhcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrPortTaken is that another program answers DHCP on this interface.
var ErrPortTaken = errors.New("another program has this port: a DHCP server (dnsmasq, isc-dhcp-server, libvirt) runs on this machine; stop it or keep it off this interface")

// listen opens a UDP port on one interface. The port is not shared: with
// SO_REUSEADDR two DHCP servers would run side by side, and each would miss
// what the kernel gives to the other.
func listen(ctx context.Context, iface string, port int) (*net.UDPConn, error) {
	var failed error
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		err := c.Control(func(fd uintptr) {
			failed = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, iface)
		})
		return errors.Join(err, failed)
	}}
	c, err := config.ListenPacket(ctx, "udp4", fmt.Sprintf(":%d", port))
	if errors.Is(err, unix.EADDRINUSE) {
		err = ErrPortTaken
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		err = fmt.Errorf("%w: run as root, or with CAP_NET_BIND_SERVICE and CAP_NET_RAW", err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for DHCP on port %d of %s: %w", port, iface, err)
	}
	return c.(*net.UDPConn), nil
}

// send sends from an address of this machine, whatever others the interface has.
func send(c *net.UDPConn, from netip.Addr, to netip.AddrPort, payload []byte) error {
	oob := unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: from.As4()})
	_, _, err := c.WriteMsgUDPAddrPort(payload, oob, to)
	return err
}

// tap is a packet socket on one interface: whole frames, both directions.
type tap struct {
	*os.File
	mac net.HardwareAddr
}

// openTap opens a packet socket that receives frames of one kind. For IPv4 a
// filter in the kernel lets through nothing but UDP to the port of DHCP clients.
func openTap(iface *net.Interface, kind uint16) (*tap, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket (needs root or CAP_NET_RAW): %w", err)
	}
	t := &tap{File: os.NewFile(uintptr(fd), "packets of "+iface.Name), mac: iface.HardwareAddr}
	if kind == etherIPv4 {
		filter := offersOnly()
		err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: kind<<8 | kind>>8, Ifindex: iface.Index})
	}
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("open a packet socket on %s: %w", iface.Name, err)
	}
	return t, nil
}

// offersOnly is a filter (linux/filter.h) for UDP to port 68 without fragments:
// what DHCP servers send to clients.
func offersOnly() []unix.SockFilter {
	const (
		loadByte   = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		loadHalf   = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
		loadHalfX  = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
		headerSize = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH
		equal      = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		anyBit     = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		end        = unix.BPF_RET | unix.BPF_K
	)
	return []unix.SockFilter{
		{Code: loadByte, K: ethHeader + 9},
		{Code: equal, Jf: 6, K: protoUDP},
		{Code: loadHalf, K: ethHeader + 6},
		{Code: anyBit, Jt: 4, K: 0x3fff},
		{Code: headerSize, K: ethHeader},
		{Code: loadHalfX, K: ethHeader + 2},
		{Code: equal, Jf: 1, K: clientPort},
		{Code: end, K: 0xffff},
		{Code: end, K: 0},
	}
}
