package dhcp

import (
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// theirs is a packet of the other server, to the PC that sent to.
func theirs(t *testing.T, kind Type, to *dhcpv4.DHCPv4, change func(p *dhcpv4.DHCPv4)) Message {
	t.Helper()
	p := packet(t, kind, 0, dhcpv4.OptServerIdentifier(other.AsSlice()), dhcpv4.OptIPAddressLeaseTime(time.Minute), dhcpv4.OptSubnetMask([]byte{255, 255, 0, 0}))
	p.OpCode, p.TransactionID, p.ClientHWAddr = dhcpv4.OpcodeBootReply, to.TransactionID, to.ClientHWAddr
	p.YourIPAddr, p.ServerIPAddr = small.First.AsSlice(), other.AsSlice()
	if change != nil {
		change(p)
	}
	return parse(t, p.ToBytes())
}

func namesUs(p *dhcpv4.DHCPv4) { p.ServerIPAddr = us.AsSlice() }
func boots(p *dhcpv4.DHCPv4)   { p.BootFileName = "pxelinux.0" }

// looking is a responder that heard firmware look for servers.
func looking(t *testing.T) (*responder, Message) {
	t.Helper()
	r := &responder{site: site}
	discover := parse(t, firmware(t, "discover-ovmf-pxe"))
	if got, e := answer(t, r, discover.raw, serverPort, start); got != nil || e != nil {
		t.Fatalf("offered at once: %v, %+v", got, e)
	}
	return r, discover
}

// A server that knows a PC answers so quickly that its offer may be seen before the
// PC's own packet.
func TestBorrowEarlyOffer(t *testing.T) {
	r := &responder{site: site}
	discover := parse(t, firmware(t, "discover-ovmf-pxe"))
	if request, _ := r.loans.seen(theirs(t, Offer, discover.raw, nil), us, start); request != nil {
		t.Fatal("something is asked for a PC that was not heard")
	}
	if _, ok := r.loans.before(discover, start.Add(earlyTime+time.Second)); ok {
		t.Error("an offer of long ago counts")
	}
	r.respond(t.Context(), discover, serverPort, start)
	offer, ok := r.loans.before(discover, start)
	if !ok {
		t.Fatal("the offer is forgotten")
	}
	if request, _ := r.loans.seen(offer, us, start); request == nil {
		t.Error("nothing is asked of the other server")
	}
	if _, ok := r.loans.before(discover, start); ok {
		t.Error("the offer counts twice")
	}
}

func TestBorrow(t *testing.T) {
	r, discover := looking(t)
	if request, loan := r.loans.seen(theirs(t, Offer, discover.raw, boots), us, start); request != nil || loan != nil {
		t.Error("an offer of something to boot is borrowed")
	}
	request, _ := r.loans.seen(theirs(t, Offer, discover.raw, nil), us, start)
	if request == nil {
		t.Fatal("nothing is asked of the other server")
	}
	q := parse(t, request)
	if q.Type != Request || q.Server != other || q.Requested != small.First || q.raw.TransactionID == discover.raw.TransactionID || q.Client.MAC.String() != discover.Client.MAC.String() {
		t.Errorf("asked %+v", q)
	}
	if _, loan := r.loans.seen(theirs(t, Ack, discover.raw, nil), us, start); loan != nil {
		t.Error("the ACK of another request is taken")
	}
	_, loan := r.loans.seen(theirs(t, Ack, q.raw, nil), us, start)
	if loan == nil {
		t.Fatal("the ACK is not taken")
	}
	lent, e := r.lent(loan)
	offer := parse(t, lent.encode()).raw
	if address(offer.YourIPAddr) != small.First || offer.BootFileName != "shimx64.efi" || address(offer.ServerIPAddr) != us || offer.IPAddressLeaseTime(0) != time.Minute ||
		offer.SubnetMask().String() != "ffff0000" || offer.TransactionID != discover.raw.TransactionID || address(offer.ServerIdentifier()) != us {
		t.Errorf("offer %v", offer)
	}
	if e.Given != small.First || e.Asked != "discover" || !e.Decision.Answer || !e.Proxy {
		t.Errorf("event %+v", e)
	}
	if failed := r.failed(start.Add(time.Minute)); failed != nil {
		t.Errorf("what went well failed: %+v", failed[0])
	}
	takes := *discover.raw
	takes.Options = dhcpv4.Options{}
	for code, value := range discover.raw.Options {
		takes.Options[code] = value
	}
	takes.UpdateOption(dhcpv4.OptMessageType(dhcpv4.MessageTypeRequest))
	takes.UpdateOption(dhcpv4.OptServerIdentifier(us.AsSlice()))
	takes.UpdateOption(dhcpv4.OptRequestedIPAddress(small.First.AsSlice()))
	ack, e := answer(t, r, &takes, serverPort, start)
	if ack == nil || ack.MessageType() != dhcpv4.MessageTypeAck || address(ack.YourIPAddr) != small.First || address(ack.ServerIPAddr) != us || e.Given != small.First {
		t.Errorf("ack %v", ack)
	}
	if ack, _ := answer(t, r, &takes, serverPort, start.Add(loanTime+time.Second)); ack != nil {
		t.Errorf("a loan of long ago is given again: %v", ack)
	}
}

// A server that names us needs no help: the PC is offered the boot file alone.
func TestNothingToBorrow(t *testing.T) {
	r, discover := looking(t)
	request, loan := r.loans.seen(theirs(t, Offer, discover.raw, namesUs), us, start)
	if request != nil || loan == nil {
		t.Fatalf("asked %x, offers %+v", request, loan)
	}
	lent, e := r.lent(loan)
	offer := parse(t, lent.encode()).raw
	if !offer.YourIPAddr.IsUnspecified() || offer.BootFileName != "shimx64.efi" || offer.TransactionID != discover.raw.TransactionID || e.Given.IsValid() {
		t.Errorf("offer %v, event %+v", offer, e)
	}
	if failed := r.failed(start.Add(time.Minute)); failed != nil {
		t.Errorf("what went well failed: %+v", failed[0])
	}
}

// Where nothing can be borrowed the PC is offered nothing, and it is said why, once.
func TestBorrowFails(t *testing.T) {
	for want, happens := range map[string]func(r *responder, discover Message){
		"No other DHCP server was seen to offer it an address": func(*responder, Message) {},
		"Another server, 10.77.0.2, offers it something to boot": func(r *responder, discover Message) {
			r.loans.seen(theirs(t, Offer, discover.raw, boots), us, start)
		},
		"that server did not answer. ": func(r *responder, discover Message) {
			r.loans.seen(theirs(t, Offer, discover.raw, nil), us, start)
		},
		"that server refused. ": func(r *responder, discover Message) {
			request, _ := r.loans.seen(theirs(t, Offer, discover.raw, nil), us, start)
			if _, loan := r.loans.seen(theirs(t, Nak, parse(t, request).raw, nil), us, start); loan != nil {
				t.Errorf("offered %+v", loan)
			}
		},
	} {
		r, discover := looking(t)
		happens(r, discover)
		if early := r.failed(start.Add(firstWait - time.Second)); early != nil {
			t.Errorf("%s: it is said too early", want)
		}
		failed := r.failed(start.Add(firstWait))
		if len(failed) != 1 || failed[0].Decision.Answer || !failed[0].Proxy || failed[0].Asked != "discover" || !strings.Contains(failed[0].Decision.Why, want) {
			t.Fatalf("%s: %+v", want, failed)
		}
		if again := r.failed(start.Add(time.Minute)); again != nil {
			t.Errorf("%s: it is said again", want)
		}
		// The PC repeats itself, and this time the other server lends.
		request, _ := r.loans.seen(theirs(t, Offer, discover.raw, nil), us, start.Add(time.Minute))
		if _, loan := r.loans.seen(theirs(t, Ack, parse(t, request).raw, nil), us, start.Add(time.Minute)); loan == nil {
			t.Errorf("%s: it is not tried again", want)
		}
	}
}
