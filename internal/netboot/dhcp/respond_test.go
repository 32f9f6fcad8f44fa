package dhcp

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var small = Range{First: netip.MustParseAddr("10.77.0.100"), Last: netip.MustParseAddr("10.77.0.103"), Bits: 24, Router: other, DNS: []netip.Addr{other}, Lease: time.Hour}

func fullServer(t testing.TB, store LeaseStore) *responder {
	t.Helper()
	p, err := newPool(t.Context(), small, us, store)
	if err != nil {
		t.Fatal(err)
	}
	return &responder{site: site, pool: p}
}

// answer is what a client gets, as the client reads it; nil is silence.
func answer(t *testing.T, r *responder, p *dhcpv4.DHCPv4, port int, now time.Time) (*dhcpv4.DHCPv4, *Event) {
	t.Helper()
	reply, e := r.respond(t.Context(), parse(t, p.ToBytes()), port, now)
	if reply == nil {
		return nil, e
	}
	return parse(t, reply.encode()).raw, e
}

func TestProxy(t *testing.T) {
	r := &responder{site: site}
	m := parse(t, firmware(t, "discover-ovmf-pxe"))
	m.raw.UpdateOption(dhcpv4.OptRelayAgentInfo(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(1), []byte("port7"))))
	m.raw.GatewayIPAddr = other.AsSlice() // through a relay, so that nothing can be borrowed
	got, e := answer(t, r, m.raw, serverPort, start)
	if got == nil || got.MessageType() != dhcpv4.MessageTypeOffer || !got.YourIPAddr.IsUnspecified() || got.ServerIPAddr.String() != us.String() ||
		got.BootFileName != "shimx64.efi" || got.ClassIdentifier() != "PXEClient" || got.TransactionID != m.raw.TransactionID || !got.IsBroadcast() {
		t.Fatalf("offer %v", got)
	}
	for code, want := range map[uint8]string{97: string(m.raw.Options[97]), 43: "\x06\x01\x08\xff", 82: string(m.raw.Options[82])} {
		if string(got.Options[code]) != want {
			t.Errorf("option %d is %x, want %x", code, got.Options[code], want)
		}
	}
	if !e.Proxy || !e.Decision.Answer || e.Asked != "discover" || !strings.Contains(e.Decision.Why, "names 10.77.0.1 as next server") {
		t.Errorf("event %+v", e)
	}

	// Port 4011: the same as ACK, with the client's own address, and its choice echoed.
	m.raw.UpdateOption(dhcpv4.OptMessageType(dhcpv4.MessageTypeRequest))
	m.raw.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionVendorSpecificInformation, []byte{71, 4, 0, 0, 0, 0, 255}))
	m.raw.ClientIPAddr = netip.MustParseAddr("10.77.0.150").AsSlice()
	got, e = answer(t, r, m.raw, proxyPort, start)
	if got == nil || got.MessageType() != dhcpv4.MessageTypeAck || got.BootFileName != "shimx64.efi" || got.ClientIPAddr.String() != "10.77.0.150" ||
		string(got.Options[43]) != "\x06\x01\x08\x47\x04\x00\x00\x00\x00\xff" || e.Addr.String() != "10.77.0.150" {
		t.Errorf("ack %v", got)
	}

	// HTTP boot: the URL as an option too.
	got, _ = answer(t, r, parse(t, firmware(t, "discover-ovmf-http")).raw, serverPort, start)
	if got == nil || got.ClassIdentifier() != "HTTPClient" || got.BootFileNameOption() != "http://10.77.0.1/httpboot.img" || got.Options.Has(dhcpv4.OptionVendorSpecificInformation) {
		t.Errorf("offer %v", got)
	}
}

func TestProxyIsSilent(t *testing.T) {
	r := &responder{site: site}
	pxe := dhcpv4.OptClassIdentifier("PXEClient:Arch:00007:UNDI:003016")
	toOther := dhcpv4.OptServerIdentifier(other.AsSlice())
	wants := dhcpv4.OptRequestedIPAddress(small.First.AsSlice())
	reply := packet(t, Offer, 1, pxe)
	reply.OpCode = dhcpv4.OpcodeBootReply
	for name, test := range map[string]struct {
		packet *dhcpv4.DHCPv4
		port   int
		event  bool
	}{
		"running system":        {packet(t, Discover, 1), serverPort, false},
		"its request":           {packet(t, Request, 1, wants), serverPort, false},
		"its request, 4011":     {packet(t, Request, 1, wants), proxyPort, false},
		"discover to 4011":      {packet(t, Discover, 1, pxe), proxyPort, false},
		"takes another's offer": {packet(t, Request, 1, pxe, toOther, wants), serverPort, true},
		"takes none of ours":    {packet(t, Request, 1, pxe, dhcpv4.OptServerIdentifier(us.AsSlice()), wants), serverPort, false},
		"32-bit UEFI":           {packet(t, Discover, 1, dhcpv4.OptClassIdentifier("PXEClient:Arch:00006:UNDI:003016")), serverPort, true},
		"a server's packet":     {reply, serverPort, false},
		"release":               {packet(t, Release, 1, pxe), serverPort, false},
	} {
		got, e := answer(t, r, test.packet, test.port, start)
		if got != nil || (e != nil) != test.event {
			t.Errorf("%s: answered %v, event %+v", name, got, e)
		}
	}
}

func TestFull(t *testing.T) {
	r := fullServer(t, nil)
	offer, e := answer(t, r, packet(t, Discover, 1), serverPort, start)
	if offer == nil || offer.MessageType() != dhcpv4.MessageTypeOffer || !r.pool.holds(address(offer.YourIPAddr)) || e.Given != address(offer.YourIPAddr) {
		t.Fatalf("offer %v", offer)
	}
	if offer.SubnetMask().String() != "ffffff00" || offer.Router()[0].String() != other.String() || offer.DNS()[0].String() != other.String() || offer.IPAddressLeaseTime(0) != time.Hour || offer.BootFileName != "" {
		t.Errorf("offer %v", offer)
	}
	wants := dhcpv4.OptRequestedIPAddress(offer.YourIPAddr)
	if got, _ := answer(t, r, packet(t, Request, 1, wants, dhcpv4.OptServerIdentifier(other.AsSlice())), serverPort, start); got != nil {
		t.Errorf("answered a request to another server: %v", got)
	}
	if got, _ := answer(t, r, packet(t, Request, 1, wants, dhcpv4.OptServerIdentifier(us.AsSlice())), serverPort, start); got == nil || got.MessageType() != dhcpv4.MessageTypeAck || !got.YourIPAddr.Equal(offer.YourIPAddr) {
		t.Errorf("request: %v", got)
	}
	// Somebody else cannot have it, until the lease ends.
	if got, _ := answer(t, r, packet(t, Request, 2, wants), serverPort, start.Add(59*time.Minute)); got == nil || got.MessageType() != dhcpv4.MessageTypeNak || !got.YourIPAddr.IsUnspecified() {
		t.Errorf("request of another's address: %v", got)
	}
	if got, _ := answer(t, r, packet(t, Request, 2, wants), serverPort, start.Add(61*time.Minute)); got == nil || got.MessageType() != dhcpv4.MessageTypeAck {
		t.Errorf("request of an address whose lease ended: %v", got)
	}
	// Firmware gets a boot file with its address.
	got, e := answer(t, r, parse(t, firmware(t, "discover-ovmf-pxe")).raw, serverPort, start)
	if got == nil || got.YourIPAddr.IsUnspecified() || got.BootFileName != "shimx64.efi" || e.Given != address(got.YourIPAddr) {
		t.Errorf("offer to firmware: %v", got)
	}
	inform := packet(t, Inform, 3)
	inform.ClientIPAddr = netip.MustParseAddr("10.77.0.9").AsSlice()
	if got, _ := answer(t, r, inform, serverPort, start); got == nil || got.MessageType() != dhcpv4.MessageTypeAck || got.Options.Has(dhcpv4.OptionIPAddressLeaseTime) || !got.YourIPAddr.IsUnspecified() {
		t.Errorf("inform: %v", got)
	}
}

func TestOnePCKeepsItsAddress(t *testing.T) {
	r := fullServer(t, nil)
	stages := [][]dhcpv4.Option{
		{}, {dhcpv4.OptClientIdentifier([]byte("firmware"))}, {dhcpv4.OptClientIdentifier([]byte("\xff\x00linux"))},
	}
	var first string
	for _, options := range stages {
		offer, _ := answer(t, r, packet(t, Discover, 1, options...), serverPort, start)
		if offer == nil || first != "" && offer.YourIPAddr.String() != first {
			t.Fatalf("offer %v, the first was %s", offer, first)
		}
		first = offer.YourIPAddr.String()
		options = append(options, dhcpv4.OptRequestedIPAddress(offer.YourIPAddr), dhcpv4.OptServerIdentifier(us.AsSlice()))
		if ack, _ := answer(t, r, packet(t, Request, 1, options...), serverPort, start); ack.MessageType() != dhcpv4.MessageTypeAck {
			t.Fatalf("ack %v", ack)
		}
	}
}

func TestRangeFullDeclineRelease(t *testing.T) {
	r := fullServer(t, nil)
	given := map[string]byte{}
	for mac := byte(1); mac <= 4; mac++ {
		offer, _ := answer(t, r, packet(t, Discover, mac), serverPort, start)
		if offer == nil || given[offer.YourIPAddr.String()] != 0 {
			t.Fatalf("PC %d: %v, given %v", mac, offer, given)
		}
		given[offer.YourIPAddr.String()] = mac
		_, _ = answer(t, r, packet(t, Request, mac, dhcpv4.OptRequestedIPAddress(offer.YourIPAddr)), serverPort, start)
	}
	if offer, e := answer(t, r, packet(t, Discover, 5), serverPort, start); offer != nil || !strings.Contains(e.Note, "every address of the range is in use") {
		t.Errorf("offer %v, event %+v", offer, e)
	}
	for a, mac := range given {
		gone := packet(t, Release, mac)
		gone.ClientIPAddr = netip.MustParseAddr(a).AsSlice()
		_, _ = answer(t, r, gone, serverPort, start.Add(time.Second))
		offer, _ := answer(t, r, packet(t, Discover, 5), serverPort, start.Add(2*time.Second))
		if offer == nil || offer.YourIPAddr.String() != a {
			t.Fatalf("offer %v, want the released %s", offer, a)
		}
		_, e := answer(t, r, packet(t, Decline, 5, dhcpv4.OptRequestedIPAddress(offer.YourIPAddr), dhcpv4.OptServerIdentifier(us.AsSlice())), serverPort, start.Add(3*time.Second))
		if e == nil || !strings.Contains(e.Note, "in use by somebody else") {
			t.Errorf("decline: event %+v", e)
		}
		break
	}
	if offer, _ := answer(t, r, packet(t, Discover, 5), serverPort, start.Add(4*time.Second)); offer != nil {
		t.Errorf("a declined address is offered: %v", offer)
	}
}

func TestProbe(t *testing.T) {
	r := fullServer(t, nil)
	var probed []netip.Addr
	r.inUse = func(_ context.Context, a netip.Addr) bool { probed = append(probed, a); return len(probed) == 1 }
	offer, _ := answer(t, r, packet(t, Discover, 1), serverPort, start)
	if offer == nil || len(probed) != 2 || address(offer.YourIPAddr) != probed[1] {
		t.Errorf("offer %v after probing %v", offer, probed)
	}
}

// shelf is a store of leases in memory.
type shelf struct {
	leases map[netip.Addr]Lease
	err    error
}

func (s *shelf) Leases(context.Context) (all []Lease, err error) {
	for _, l := range s.leases {
		all = append(all, l)
	}
	return all, s.err
}

func (s *shelf) SaveLease(_ context.Context, l Lease) error {
	if s.err == nil {
		s.leases[l.Addr] = l
	}
	return s.err
}

func TestLeasesAreKept(t *testing.T) {
	store := &shelf{leases: map[netip.Addr]Lease{}}
	wants := dhcpv4.OptRequestedIPAddress(small.Last.AsSlice())
	_, _ = answer(t, fullServer(t, store), packet(t, Request, 1, wants), serverPort, start)
	again := fullServer(t, store)
	if got, _ := answer(t, again, packet(t, Request, 2, wants), serverPort, start); got == nil || got.MessageType() != dhcpv4.MessageTypeNak {
		t.Errorf("another PC was given a kept lease: %v", got)
	}
	if got, _ := answer(t, again, packet(t, Discover, 1), serverPort, start); got == nil || address(got.YourIPAddr) != small.Last {
		t.Errorf("its owner was offered %v", got)
	}
	store.err = errors.New("disk full")
	if got, e := answer(t, again, packet(t, Request, 1, wants), serverPort, start); got != nil || !strings.Contains(e.Note, "disk full") {
		t.Errorf("a lease that cannot be kept was given: %v, %+v", got, e)
	}
	if _, err := newPool(t.Context(), small, us, store); err == nil {
		t.Error("leases that cannot be read are taken for none")
	}
}

func TestRangeCheck(t *testing.T) {
	a := netip.MustParseAddr
	for name, r := range map[string]Range{
		"backwards": {First: small.Last, Last: small.First, Bits: 24}, "other network": {First: a("10.78.0.1"), Last: a("10.78.0.9"), Bits: 24},
		"IPv6": {First: a("fe80::1"), Last: a("fe80::2"), Bits: 24}, "no prefix": {First: small.First, Last: small.Last}, "huge": {First: a("10.0.0.1"), Last: a("10.200.0.1"), Bits: 8},
	} {
		if err := r.check(us); err == nil {
			t.Errorf("%s: %+v is accepted", name, r)
		}
	}
}

func TestFrames(t *testing.T) {
	from, to := netip.AddrPortFrom(us, serverPort), netip.AddrPortFrom(other, clientPort)
	for _, payload := range []string{"", "a", "ab", strings.Repeat("x", 301)} {
		f := udpFrame(broadcastMAC, broadcastMAC, from, to, []byte(payload))
		src, got, ok := readUDP(f, clientPort)
		if !ok || src != us || string(got) != payload {
			t.Errorf("%q: read %v %q %v", payload, src, got, ok)
		}
		ip := f[ethHeader:]
		if checksum(0, ip[:ipHeader]) != 0 || checksum(sum(uint32(protoUDP)+uint32(len(ip)-ipHeader), ip[12:20]), ip[ipHeader:]) != 0 {
			t.Errorf("%q: wrong checksums", payload)
		}
		for n := range f {
			_, _, _ = readUDP(f[:n], clientPort)
		}
	}
	if arpOwner(arpProbe(broadcastMAC, us)).IsValid() {
		t.Error("a probe looks like an owner")
	}
}

func TestRivals(t *testing.T) {
	s := &Server{config: Config{Site: site}, respond: &responder{site: site}, foreign: map[netip.Addr]time.Time{}}
	theirs := func(kind Type, file string, options ...dhcpv4.Option) Message {
		p := packet(t, kind, 1, options...)
		p.OpCode, p.BootFileName = dhcpv4.OpcodeBootReply, file
		return parse(t, p.ToBytes())
	}
	for name, test := range map[string]struct {
		message Message
		note    string
	}{
		"plain DHCP":       {theirs(Offer, ""), ""},
		"boot file":        {theirs(Offer, "pxelinux.0"), "Another server on this wire, 10.77.0.2, offers pxelinux.0 to PCs that boot."},
		"hostile file":     {theirs(Ack, "a\nb"), "offers a?b to"},
		"menu":             {theirs(Offer, "", dhcpv4.OptGeneric(dhcpv4.OptionVendorSpecificInformation, []byte{6, 1, 8, 255})), "offers a PXE menu"},
		"another's vendor": {theirs(Offer, "", dhcpv4.OptGeneric(dhcpv4.OptionVendorSpecificInformation, []byte{1, 4, 1, 2, 3, 4, 255})), ""},
		"a client":         {parse(t, packet(t, Discover, 1).ToBytes()), ""},
	} {
		clear(s.foreign)
		e := s.rival(test.message, other, start)
		if (e != nil) != (test.note != "") || e != nil && !strings.Contains(e.Note, test.note) {
			t.Errorf("%s: %+v, want %q", name, e, test.note)
		}
		if again := s.rival(test.message, other, start.Add(time.Minute)); again != nil {
			t.Errorf("%s: it is said again at once", name)
		}
	}
}
