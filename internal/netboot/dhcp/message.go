// Package dhcp answers PCs that boot from the network: which file they start.
//
// Decide is the heart: a pure table from what a client says of itself to what it
// is offered. Server asks it for every packet. Beside another DHCP server it is a
// ProxyDHCP server (PXE specification 2.1, section 2.2), which gives no addresses
// and answers none but PCs that boot; with a Range it gives addresses too.
//
// It owns packets, leases and sockets of DHCP. It does not own what the files are,
// nor who may have them.
package dhcp

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Type is the kind of a DHCP message: option 53.
type Type byte

// The kinds of messages, numbered by RFC 2132 section 9.6.
const (
	Discover Type = 1
	Offer    Type = 2
	Request  Type = 3
	Decline  Type = 4
	Ack      Type = 5
	Nak      Type = 6
	Release  Type = 7
	Inform   Type = 8
)

func (t Type) String() string {
	return strings.ToLower(dhcpv4.MessageType(t).String())
}

// Client is what a PC says of itself in a DHCP packet.
type Client struct {
	MAC       net.HardwareAddr // 6 bytes
	Class     string           // option 60 up to the first colon: "PXEClient", "HTTPClient", ""
	UserClass string           // option 77: "iPXE" for iPXE
	Arch      Arch             // option 93, or what option 60 says, or NoArch
	UUID      []byte           // option 97 without its type: 16 bytes as in SMBIOS, or nothing
	HTTP      bool             // iPXE that can fetch by HTTP (option 175.19)
	Host      string           // option 12, as sent: never trust it
}

// ID is the UUID as dmidecode prints it, or nothing.
func (c Client) ID() string {
	u := c.UUID
	if len(u) != 16 {
		return ""
	}
	// The first three fields are little-endian (SMBIOS 2.6, section 7.2.1).
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x",
		u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6], u[8:10], u[10:])
}

// Boots reports whether the client is a PC's firmware, or iPXE, that looks for
// something to boot, and no running system.
func (c Client) Boots() bool { return c.Class == classPXE || c.Class == classHTTP }

// Message is a DHCP packet from a client, or from another server.
type Message struct {
	Type      Type
	Client    Client
	FromBoot  bool       // a server's reply: BOOTREPLY
	Addr      netip.Addr // the client's own address, ciaddr; unset if it has none
	Relay     netip.Addr // giaddr
	Broadcast bool       // the client cannot receive unicast yet
	Requested netip.Addr // option 50
	Server    netip.Addr // option 54
	File      string     // boot file that a server offers: header or option 67

	raw *dhcpv4.DHCPv4
}

const (
	classPXE  = "PXEClient"
	classHTTP = "HTTPClient"

	// maxPacket is far above any firmware's packet, so that nothing is cut.
	maxPacket = 4096
)

// Options that package dhcpv4 has no reader for, by RFC 4578 and RFC 3004.
const (
	optionUserClass = dhcpv4.GenericOptionCode(77)
	optionArch      = dhcpv4.GenericOptionCode(93)
	optionUUID      = dhcpv4.GenericOptionCode(97)
	optionIPXE      = dhcpv4.GenericOptionCode(175)
)

var errNotEthernet = errors.New("the hardware address is not one of Ethernet")

// Parse reads a packet of port 67, 68 or 4011. Whatever is wrong in it that a
// decision does not need, such as an option of a wrong length, reads as absent.
func Parse(packet []byte) (Message, error) {
	raw, err := dhcpv4.FromBytes(packet)
	if err != nil {
		return Message{}, fmt.Errorf("read DHCP packet of %d bytes: %w", len(packet), err)
	}
	const ethernet = 1
	if raw.HWType != ethernet || len(raw.ClientHWAddr) != 6 || raw.ClientHWAddr[0]&1 != 0 || bytes.Equal(raw.ClientHWAddr, make([]byte, 6)) {
		return Message{}, fmt.Errorf("read DHCP packet: %w", errNotEthernet)
	}
	if raw.OpCode != dhcpv4.OpcodeBootRequest && raw.OpCode != dhcpv4.OpcodeBootReply {
		return Message{}, fmt.Errorf("read DHCP packet: operation %d is neither a request nor a reply", raw.OpCode)
	}
	m := Message{
		Type:      Type(raw.MessageType()),
		FromBoot:  raw.OpCode == dhcpv4.OpcodeBootReply,
		Addr:      address(raw.ClientIPAddr),
		Relay:     address(raw.GatewayIPAddr),
		Broadcast: raw.IsBroadcast(),
		Requested: address(raw.Options.Get(dhcpv4.OptionRequestedIPAddress)),
		Server:    address(raw.Options.Get(dhcpv4.OptionServerIdentifier)),
		File:      raw.BootFileName,
		Client:    client(raw),
		raw:       raw,
	}
	if m.File == "" {
		m.File = printable(raw.Options.Get(dhcpv4.OptionBootfileName))
	}
	return m, nil
}

func client(raw *dhcpv4.DHCPv4) Client {
	class, rest, _ := strings.Cut(printable(raw.Options.Get(dhcpv4.OptionClassIdentifier)), ":")
	c := Client{
		MAC:       raw.ClientHWAddr,
		Class:     class,
		UserClass: userClass(raw.Options.Get(optionUserClass)),
		Arch:      NoArch,
		HTTP:      hasSub(raw.Options.Get(optionIPXE), 19),
		Host:      printable(raw.Options.Get(dhcpv4.OptionHostName)),
	}
	if b := raw.Options.Get(optionArch); len(b) >= 2 {
		c.Arch = Arch(b[0])<<8 | Arch(b[1])
	} else if digits, ok := strings.CutPrefix(rest, "Arch:"); ok && len(digits) >= 5 {
		// "PXEClient:Arch:00007:UNDI:003016" (PXE 2.1, table 2-1).
		if n, err := strconv.ParseUint(digits[:5], 10, 16); err == nil {
			c.Arch = Arch(n)
		}
	}
	if b := raw.Options.Get(optionUUID); len(b) == 17 && b[0] == 0 {
		c.UUID = b[1:]
	}
	return c
}

// userClass reads option 77, which iPXE sends as plain text and others as RFC 3004
// wants it: strings with their length before them. The first one counts.
func userClass(b []byte) string {
	if len(b) > 1 && int(b[0]) < len(b) {
		return printable(b[1 : 1+int(b[0])])
	}
	return printable(b)
}

// hasSub reports whether the encapsulated options b contain one with that code
// and a value that is not zero.
func hasSub(b []byte, code byte) bool {
	value, ok := sub(b, code)
	return ok && len(value) > 0 && value[len(value)-1] != 0
}

// sub finds an encapsulated option: code, length, value (RFC 2132 section 8.4).
func sub(b []byte, code byte) (value []byte, ok bool) {
	for len(b) >= 2 {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		n := int(b[1])
		if b[0] == 255 || len(b) < 2+n {
			return nil, false
		}
		if b[0] == code {
			return b[2 : 2+n], true
		}
		b = b[2+n:]
	}
	return nil, false
}

// address is unset for 0.0.0.0 and for anything that is no IPv4 address.
func address(b []byte) netip.Addr {
	a, ok := netip.AddrFromSlice(b)
	if a = a.Unmap(); !ok || !a.Is4() || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}

// printable is b up to its first NUL, with a question mark for every byte that is
// not printable ASCII, since it ends in logs and on pages.
func printable(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, string(b))
}
