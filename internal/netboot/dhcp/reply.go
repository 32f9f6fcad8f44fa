package dhcp

import (
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// A reply is a packet to be made, before it is bytes.
type reply struct {
	kind    Type
	to      Message
	server  netip.Addr
	addr    netip.Addr // given to the client, yiaddr; unset by a ProxyDHCP server
	boot    Decision
	options []dhcpv4.Option
}

// encode makes the bytes of a reply (RFC 2131 table 3; RFC 4578; PXE 2.1 section 2.4).
func (r reply) encode() []byte {
	q := r.to.raw
	p := &dhcpv4.DHCPv4{
		OpCode: dhcpv4.OpcodeBootReply, HWType: q.HWType, ClientHWAddr: q.ClientHWAddr,
		TransactionID: q.TransactionID, NumSeconds: q.NumSeconds, Flags: q.Flags,
		GatewayIPAddr: q.GatewayIPAddr, Options: dhcpv4.Options{},
	}
	if r.kind != Nak {
		p.ClientIPAddr = q.ClientIPAddr
	}
	if r.addr.IsValid() {
		p.YourIPAddr = r.addr.AsSlice()
	}
	p.UpdateOption(dhcpv4.OptMessageType(dhcpv4.MessageType(r.kind)))
	p.UpdateOption(dhcpv4.OptServerIdentifier(r.server.AsSlice()))
	for _, o := range r.options {
		p.UpdateOption(o)
	}
	if info := q.Options.Get(dhcpv4.OptionRelayAgentInformation); info != nil {
		p.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionRelayAgentInformation, info)) // RFC 3046 section 2.2
	}
	if r.boot.Answer {
		r.addBoot(p)
	}
	return p.ToBytes()
}

func (r reply) addBoot(p *dhcpv4.DHCPv4) {
	q := r.to.raw
	p.ServerIPAddr = r.server.AsSlice()
	p.BootFileName = r.boot.File
	p.UpdateOption(dhcpv4.OptClassIdentifier(r.boot.Class))
	if uuid := q.Options.Get(optionUUID); uuid != nil {
		p.UpdateOption(dhcpv4.OptGeneric(optionUUID, uuid)) // RFC 4578 section 2.3
	}
	if r.boot.Class == classHTTP || q.IsOptionRequested(dhcpv4.OptionBootfileName) {
		p.UpdateOption(dhcpv4.OptBootFileName(r.boot.File))
	}
	if r.boot.Class == classPXE {
		p.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionVendorSpecificInformation, r.vendor()))
	}
}

// vendor is option 43 of PXE: no menu, no discovery, the file of this packet is
// what to start (PXE_DISCOVERY_CONTROL bit 3, PXE 2.1 table 2-1). The item of a
// menu that the client says it chose is echoed.
func (r reply) vendor() []byte {
	const discoveryControl, bootItem, end = 6, 71, 255
	b := []byte{discoveryControl, 1, 1 << 3}
	if item, ok := sub(r.to.raw.Options.Get(dhcpv4.OptionVendorSpecificInformation), bootItem); ok && len(item) == 4 {
		b = append(append(b, bootItem, 4), item...)
	}
	return append(b, end)
}
