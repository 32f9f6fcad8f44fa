package netboot

import (
	"net/netip"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/dhcp"
)

// Firmware is asked for as little time as can be: these two run always.

func TestBIOSAgent(t *testing.T) {
	wire(t)
	foreign(t)
	c := &control{choice: Choice{Agent: true, Why: "A job waits for it."}, secret: enrol()}
	s := serve(t, c, nil)
	v := power(t, bios)
	t.Logf("kernel after %v", v.wait(t, "MARKER kernel", 60*time.Second))
	checkMachine(t, c, dhcp.BIOS)
	for _, want := range [][3]string{
		{"proxydhcp", "discover of PXEClient with user class iPXE", "http://10.77.0.1/boot.ipxe"}, {"http", "ipxe/52-54-00-12-34-56.ipxe", "agent"},
		{"http", "vmlinuz", "all of it"}, {"http", "initrd.img", "all of it"}, {"http", "enrol.cpio", "all of it"},
	} {
		if !c.has(want[0], want[1], want[2]) {
			t.Errorf("no record of %q", want)
		}
	}
	if got := s.Stats(); got.DHCP.Answered == 0 || got.DHCP.Malformed != 0 || got.HTTP.Refused != 0 {
		t.Errorf("counted %+v", got)
	}
}

// The own disk, with ingot as the only DHCP server.
func TestBIOSOwnDisk(t *testing.T) {
	wire(t)
	c := &control{choice: Choice{Why: "There is nothing to do."}}
	serve(t, c, func(x *Config) {
		x.DHCPRange = &dhcp.Range{First: netip.MustParseAddr("10.77.0.100"), Last: netip.MustParseAddr("10.77.0.200"), Bits: 24}
		x.NoHTTP = true
	})
	v := power(t, bios, drive(biosDisk(t, "MARKER disk"))...)
	t.Logf("own disk after %v", v.wait(t, "MARKER disk", 60*time.Second))
	if !c.has("tftp", "ipxe/52-54-00-12-34-56.ipxe", "own disk") {
		t.Error("no record of the own disk")
	}
}

// TestKernels has Debian's signed kernel started, and asks it what it was given.
func TestKernels(t *testing.T) {
	for name, test := range map[string]struct {
		firmware firmware
		arch     dhcp.Arch
		foreign  []string // options of the other DHCP server
	}{
		"BIOS":                    {firmware: bios, arch: dhcp.BIOS},
		"UEFI Secure Boot":        {firmware: uefi, arch: dhcp.UEFIx64},
		"UEFI authoritative DHCP": {firmware: uefi, arch: dhcp.UEFIx64, foreign: []string{"--dhcp-authoritative"}},
		"UEFI next-server is set": {firmware: uefi, arch: dhcp.UEFIx64, foreign: []string{"--dhcp-boot=,," + serverAddr}},
		"UEFI HTTP Secure Boot":   {firmware: uefiHTTP, arch: dhcp.HTTPx64},
	} {
		t.Run(name, func(t *testing.T) {
			dir := lab(t)
			wire(t)
			foreign(t, test.foreign...)
			c := &control{choice: Choice{Agent: true, Why: "A job waits for it."}, secret: enrol()}
			serve(t, c, func(x *Config) { x.Files = dir })
			v := power(t, test.firmware)
			t.Logf("init after %v", v.wait(t, "MARKER init", 6*time.Minute))
			v.wait(t, "MARKER end", time.Minute)
			v.wait(t, `SECRET {"secret":"s3cret"}`, time.Second)
			v.wait(t, "ingot.mac="+vmMAC, time.Second)
			if test.arch != dhcp.BIOS {
				v.wait(t, "Secure boot enabled", time.Second)
			}
			checkMachine(t, c, test.arch)
		})
	}
}

// TestUEFIOwnDisk starts a disk's own signed loaders, Secure Boot on.
func TestUEFIOwnDisk(t *testing.T) {
	lab(t)
	wire(t)
	foreign(t)
	c := &control{choice: Choice{Why: "There is nothing to do."}}
	serve(t, c, nil)
	v := power(t, uefi, drive(uefiDisk(t, "MARKER disk"))...)
	t.Logf("own disk after %v", v.wait(t, "MARKER disk", 3*time.Minute))
}

// TestUEFINothingLent has the other server ignore every REQUEST of PXE, so that no address
// can be borrowed: no GRUB is started, which would find no text. The firmware goes on
// to what is next, here UEFI HTTP boot, and that to the own disk.
func TestUEFINothingLent(t *testing.T) {
	lab := lab(t)
	wire(t)
	foreign(t, "--dhcp-vendorclass=set:pxe,PXEClient", "--dhcp-match=set:request,50", "--dhcp-ignore=tag:pxe,tag:request")
	c := &control{choice: Choice{Why: "There is nothing to do."}}
	serve(t, c, func(x *Config) { x.Files = lab })
	v := power(t, uefi, append(drive(uefiDisk(t, "MARKER disk")), "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n")...)
	t.Logf("PXE given up after %v", v.wait(t, "PXE-E16", 3*time.Minute))
	t.Logf("own disk after %v", v.wait(t, "MARKER disk", 3*time.Minute))
	if !c.said("that server did not answer") {
		t.Error("no record says why")
	}
	if c.has("tftp", "shimx64.efi", "") {
		t.Error("PXE fetched a loader")
	}
}

// A second server on one interface says what is in its way.
func TestPortTaken(t *testing.T) {
	wire(t)
	serve(t, &control{}, nil)
	_, err := dhcp.Listen(t.Context(), dhcp.Config{Interface: "wire", Site: dhcp.Site{Addr: netip.MustParseAddr(serverAddr)}})
	if want := "listen for DHCP on port 67 of wire: " + dhcp.ErrPortTaken.Error(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
