package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
)

// wake sends a magic packet for the network interface mac on every network that
// this machine is on: six bytes 0xff, then the address sixteen times, to UDP port 9
// (AMD publication 20213).
func wake(ctx context.Context, mac string) error {
	hardware, err := net.ParseMAC(mac)
	if err != nil || len(hardware) != 6 {
		return fmt.Errorf("wake %q: it is no address of a network interface", mac)
	}
	packet := append(bytes.Repeat([]byte{0xff}, 6), bytes.Repeat(hardware, 16)...)
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	sent := false
	for _, i := range interfaces {
		for _, to := range broadcasts(i) {
			werr := send(ctx, to, packet)
			sent = sent || werr == nil
			err = errors.Join(err, werr)
		}
	}
	if sent {
		return nil
	}
	if err == nil {
		err = errors.New("this machine is on no network that takes broadcasts")
	}
	return fmt.Errorf("wake %s: %w", mac, err)
}

const discardPort = 9

// broadcasts are the addresses that reach all of an interface's IPv4 networks.
func broadcasts(i net.Interface) (all []net.IP) {
	if i.Flags&net.FlagBroadcast == 0 || i.Flags&net.FlagUp == 0 {
		return nil
	}
	addresses, err := i.Addrs()
	if err != nil {
		return nil
	}
	for _, a := range addresses {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil {
			continue
		}
		ip, mask := n.IP.To4(), net.IP(n.Mask).To4()
		to := make(net.IP, len(ip))
		for b := range ip {
			to[b] = ip[b] | ^mask[b]
		}
		all = append(all, to)
	}
	return all
}

func send(ctx context.Context, to net.IP, packet []byte) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp4", net.JoinHostPort(to.String(), fmt.Sprint(discardPort)))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write(packet)
	return err
}
