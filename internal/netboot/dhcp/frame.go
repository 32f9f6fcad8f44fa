package dhcp

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// Frames are made and read by hand, since a client without an address can be
// reached by its MAC address alone, which the kernel's UDP cannot do.

const (
	etherIPv4  = 0x0800
	etherARP   = 0x0806
	protoUDP   = 17
	ethHeader  = 14
	ipHeader   = 20
	udpHeader  = 8
	arpPayload = 28
)

var broadcastMAC = net.HardwareAddr{255, 255, 255, 255, 255, 255}

// udpFrame is an Ethernet frame with a UDP packet (RFC 791, RFC 768).
func udpFrame(from, to net.HardwareAddr, src, dst netip.AddrPort, payload []byte) []byte {
	b := make([]byte, ethHeader+ipHeader+udpHeader, ethHeader+ipHeader+udpHeader+len(payload))
	putEther(b, from, to, etherIPv4)

	ip := b[ethHeader:]
	ip[0] = 4<<4 | ipHeader/4
	binary.BigEndian.PutUint16(ip[2:], uint16(ipHeader+udpHeader+len(payload)))
	ip[8], ip[9] = 64, protoUDP
	copy(ip[12:], src.Addr().AsSlice())
	copy(ip[16:], dst.Addr().AsSlice())
	binary.BigEndian.PutUint16(ip[10:], checksum(0, ip[:ipHeader]))

	udp := ip[ipHeader:]
	binary.BigEndian.PutUint16(udp[0:], src.Port())
	binary.BigEndian.PutUint16(udp[2:], dst.Port())
	binary.BigEndian.PutUint16(udp[4:], uint16(udpHeader+len(payload)))
	b = append(b, payload...)
	udp = b[ethHeader+ipHeader:]
	pseudo := sum(uint32(protoUDP)+uint32(len(udp)), ip[12:20])
	binary.BigEndian.PutUint16(udp[6:], max(1, checksum(pseudo, udp)))
	return b
}

func putEther(b []byte, from, to net.HardwareAddr, kind uint16) {
	copy(b, to)
	copy(b[6:], from)
	binary.BigEndian.PutUint16(b[12:], kind)
}

func sum(start uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		start += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		start += uint32(b[0]) << 8
	}
	return start
}

// checksum is the Internet checksum (RFC 1071) of b and what was summed before.
func checksum(start uint32, b []byte) uint16 {
	s := sum(start, b)
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

// readUDP takes the payload of a UDP packet to port out of a frame. ok is false
// for anything else.
func readUDP(frame []byte, port uint16) (src netip.Addr, payload []byte, ok bool) {
	if len(frame) < ethHeader+ipHeader+udpHeader || binary.BigEndian.Uint16(frame[12:]) != etherIPv4 {
		return src, nil, false
	}
	ip := frame[ethHeader:]
	header, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	fragment := binary.BigEndian.Uint16(ip[6:]) &^ 0x4000
	if ip[0]>>4 != 4 || header < ipHeader || ip[9] != protoUDP || fragment != 0 || total > len(ip) || total < header+udpHeader {
		return src, nil, false
	}
	udp := ip[header:total]
	if binary.BigEndian.Uint16(udp[2:]) != port {
		return src, nil, false
	}
	return netip.AddrFrom4([4]byte(ip[12:16])), udp[udpHeader:], true
}

// arpProbe asks who has an address, without saying an own one (RFC 5227 section 2.1.1).
func arpProbe(from net.HardwareAddr, a netip.Addr) []byte {
	b := make([]byte, ethHeader+arpPayload)
	putEther(b, from, broadcastMAC, etherARP)
	arp := b[ethHeader:]
	copy(arp, []byte{0, 1, etherIPv4 >> 8, 0, 6, 4, 0, 1})
	copy(arp[8:], from)
	copy(arp[24:], a.AsSlice())
	return b
}

// arpOwner is the address that the sender of an ARP frame uses, unset if it uses none.
func arpOwner(frame []byte) netip.Addr {
	if len(frame) < ethHeader+arpPayload || binary.BigEndian.Uint16(frame[12:]) != etherARP {
		return netip.Addr{}
	}
	return address(frame[ethHeader+14 : ethHeader+18])
}
