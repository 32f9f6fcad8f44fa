package dhcp

import (
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

var (
	us    = netip.MustParseAddr("10.77.0.1")
	other = netip.MustParseAddr("10.77.0.2")
	site  = Site{Addr: us, HTTP: "http://10.77.0.1"}
)

// firmware reads a packet of real firmware, kept as hex with a comment above it.
func firmware(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "\n")
	b, err := hex.DecodeString(strings.ReplaceAll(body, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, b []byte) Message {
	t.Helper()
	m, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// packet makes what a client sends.
func packet(t testing.TB, kind Type, mac byte, options ...dhcpv4.Option) *dhcpv4.DHCPv4 {
	t.Helper()
	p, err := dhcpv4.New(dhcpv4.WithMessageType(dhcpv4.MessageType(kind)))
	if err != nil {
		t.Fatal(err)
	}
	p.ClientHWAddr = net.HardwareAddr{0x52, 0x54, 0, 0, 0, mac}
	for _, o := range options {
		p.UpdateOption(o)
	}
	return p
}

func TestFirmware(t *testing.T) {
	const uuid = "12345678-9abc-def0-1122-334455667788"
	for name, want := range map[string]struct {
		kind   Type
		client Client
		offer  string
	}{
		"discover-ipxe-bios": {Discover, Client{Class: "PXEClient", UserClass: "iPXE", Arch: BIOS, HTTP: true}, "http://10.77.0.1/boot.ipxe"},
		"request-ipxe-bios":  {Request, Client{Class: "PXEClient", UserClass: "iPXE", Arch: BIOS, HTTP: true}, "http://10.77.0.1/boot.ipxe"},
		"discover-ovmf-pxe":  {Discover, Client{Class: "PXEClient", Arch: UEFIx64}, "shimx64.efi"},
		"request-ovmf-pxe":   {Request, Client{Class: "PXEClient", Arch: UEFIx64}, "shimx64.efi"},
		"discover-ovmf-http": {Discover, Client{Class: "HTTPClient", Arch: HTTPx64}, "http://10.77.0.1/httpboot.img"},
	} {
		m := parse(t, firmware(t, name))
		c := m.Client
		if m.Type != want.kind || c.Class != want.client.Class || c.UserClass != want.client.UserClass || c.Arch != want.client.Arch || c.HTTP != want.client.HTTP || c.ID() != uuid {
			t.Errorf("%s: read as %v %+v, UUID %s", name, m.Type, c, c.ID())
		}
		if d := Decide(c, site); !d.Answer || d.File != want.offer || d.Class != want.client.Class {
			t.Errorf("%s: offered %+v, want %s", name, d, want.offer)
		}
	}
}

func TestDecide(t *testing.T) {
	pxe := func(a Arch) Client { return Client{Class: "PXEClient", Arch: a} }
	http := func(a Arch) Client { return Client{Class: "HTTPClient", Arch: a} }
	bare := Site{Addr: us, Has: func(file string) bool { return file == "shimx64.efi" }}
	old := Site{Addr: us, HTTP: site.HTTP, Has: bare.Has}
	for name, test := range map[string]struct {
		client Client
		site   Site
		file   string // "": no answer
		why    string // part of it
	}{
		"PXE ROM":                {pxe(BIOS), site, "undionly.kpxe", "first loader of BIOS"},
		"iPXE of BIOS":           {Client{Class: "PXEClient", UserClass: "iPXE", Arch: BIOS, HTTP: true}, site, "http://10.77.0.1/boot.ipxe", "script by HTTP"},
		"iPXE without HTTP":      {Client{Class: "PXEClient", UserClass: "iPXE", Arch: BIOS}, site, "boot.ipxe", "script by TFTP"},
		"iPXE, no HTTP here":     {Client{Class: "PXEClient", UserClass: "iPXE", Arch: BIOS, HTTP: true}, bare, "boot.ipxe", "script by TFTP"},
		"iPXE of UEFI":           {Client{Class: "PXEClient", UserClass: "iPXE", Arch: UEFIx64, HTTP: true}, site, "http://10.77.0.1/boot.ipxe", "script"},
		"other user class":       {Client{Class: "PXEClient", UserClass: "gPXE", Arch: BIOS}, site, "undionly.kpxe", ""},
		"UEFI x64":               {pxe(7), site, "shimx64.efi", "UEFI x64"},
		"UEFI x64 as EBC":        {pxe(9), site, "shimx64.efi", "UEFI x64"},
		"UEFI HTTP":              {http(16), site, "http://10.77.0.1/httpboot.img", "UEFI HTTP x64"},
		"UEFI HTTP, old folder":  {http(16), old, "http://10.77.0.1/httpboot.img", "made by an older ingot. Make it again with 'ingot bootenv build'"},
		"UEFI HTTP, none here":   {http(16), bare, "", "HTTP, which this server does not serve"},
		"arm64":                  {pxe(11), site, "shimaa64.efi", "UEFI arm64"},
		"arm64, not there":       {pxe(11), bare, "shimaa64.efi", "UEFI arm64 needs shimaa64.efi, which the boot environment does not have"},
		"arm64 HTTP":             {http(19), site, "http://10.77.0.1/shimaa64.efi", "UEFI HTTP arm64"},
		"BIOS, undionly missing": {pxe(BIOS), bare, "undionly.kpxe", "does not have"},
		"UEFI 32":                {pxe(6), site, "", "UEFI x86 (32 bits)"},
		"UEFI HTTP 32":           {http(15), site, "", "UEFI HTTP x86 (32 bits)"},
		"Itanium":                {pxe(2), site, "", "Itanium"},
		"arm 32":                 {pxe(10), site, "", "UEFI arm (32 bits)"},
		"RISC-V":                 {pxe(27), site, "", "RISC-V"},
		"LoongArch":              {pxe(39), site, "", "LoongArch"},
		"not known":              {pxe(4711), site, "", "architecture 4711"},
		"not said":               {pxe(NoArch), site, "", "option 93 is missing"},
		"Linux":                  {Client{Class: "dhcpcd-9", Arch: NoArch}, site, "", "does not boot"},
		"nothing":                {Client{Arch: NoArch}, site, "", "does not boot"},
	} {
		d := Decide(test.client, test.site)
		if d.Answer != (test.file != "") || d.File != test.file || !strings.Contains(d.Why, test.why) || d.Why == "" {
			t.Errorf("%s: %+v, want file %q and %q", name, d, test.file, test.why)
		}
		if d.Answer && d.Class != test.client.Class {
			t.Errorf("%s: class %q is not echoed", name, test.client.Class)
		}
	}
}

func TestClientClass(t *testing.T) {
	for name, test := range map[string]struct {
		options []dhcpv4.Option
		class   string
		user    string
		arch    Arch
	}{
		"arch in option 60":  {[]dhcpv4.Option{dhcpv4.OptClassIdentifier("PXEClient:Arch:00007:UNDI:003016")}, "PXEClient", "", UEFIx64},
		"option 93 is right": {[]dhcpv4.Option{dhcpv4.OptClassIdentifier("PXEClient:Arch:00000:UNDI:002001"), dhcpv4.OptGeneric(optionArch, []byte{0, 9})}, "PXEClient", "", UEFIebc},
		"several in 93":      {[]dhcpv4.Option{dhcpv4.OptClassIdentifier("PXEClient"), dhcpv4.OptGeneric(optionArch, []byte{0, 7, 0, 0})}, "PXEClient", "", UEFIx64},
		"93 too short":       {[]dhcpv4.Option{dhcpv4.OptClassIdentifier("PXEClient"), dhcpv4.OptGeneric(optionArch, []byte{7})}, "PXEClient", "", NoArch},
		"user class as text": {[]dhcpv4.Option{dhcpv4.OptGeneric(optionUserClass, []byte("iPXE"))}, "", "iPXE", NoArch},
		"user class by RFC":  {[]dhcpv4.Option{dhcpv4.OptGeneric(optionUserClass, []byte("\x04iPXE"))}, "", "iPXE", NoArch},
		"hostile":            {[]dhcpv4.Option{dhcpv4.OptClassIdentifier("a\nb\xff"), dhcpv4.OptGeneric(optionUserClass, []byte("\xffx"))}, "a?b?", "?x", NoArch},
	} {
		c := parse(t, packet(t, Discover, 1, test.options...).ToBytes()).Client
		if c.Class != test.class || c.UserClass != test.user || c.Arch != test.arch {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	change := func(f func(p *dhcpv4.DHCPv4)) []byte {
		p := packet(t, Discover, 1)
		f(p)
		return p.ToBytes()
	}
	for name, b := range map[string][]byte{
		"empty": nil, "short": make([]byte, 239), "no cookie": make([]byte, 300),
		"group address":  change(func(p *dhcpv4.DHCPv4) { p.ClientHWAddr = net.HardwareAddr{1, 0, 0, 0, 0, 1} }),
		"no address":     change(func(p *dhcpv4.DHCPv4) { p.ClientHWAddr = make(net.HardwareAddr, 6) }),
		"not Ethernet":   change(func(p *dhcpv4.DHCPv4) { p.HWType = 32 }),
		"long address":   change(func(p *dhcpv4.DHCPv4) { p.ClientHWAddr = make(net.HardwareAddr, 16) }),
		"no such opcode": change(func(p *dhcpv4.DHCPv4) { p.OpCode = 9 }),
	} {
		if m, err := Parse(b); err == nil {
			t.Errorf("%s: read as %+v", name, m)
		}
	}
}

func FuzzPacket(f *testing.F) {
	for _, name := range []string{"discover-ipxe-bios", "request-ipxe-bios", "discover-ovmf-pxe", "request-ovmf-pxe", "discover-ovmf-http"} {
		f.Add(firmware(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		r := &responder{site: site}
		full := fullServer(t, nil)
		for _, port := range []int{serverPort, proxyPort} {
			for _, r := range []*responder{r, full} {
				reply, e := r.respond(t.Context(), m, port, start)
				if reply == nil {
					continue
				}
				answer, err := Parse(reply.encode())
				if err != nil || !answer.FromBoot || answer.raw.TransactionID != m.raw.TransactionID || answer.Server != us {
					t.Errorf("reply %+v, %v", answer, err)
				}
				if e == nil {
					t.Error("a reply that nobody is told of")
				}
			}
		}
		r.loans.seen(m, us, start)
	})
}
