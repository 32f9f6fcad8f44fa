package dhcp

import (
	"fmt"
	"net/netip"
)

// Site is what a server has to offer.
type Site struct {
	Addr netip.Addr             // of this server, where TFTP answers
	HTTP string                 // where its boot files are, "http://10.0.0.1", without a slash at the end; "" if they are not
	Has  func(file string) bool // is the file there? nil: all are
}

// Script is the file that iPXE is sent to.
const Script = "boot.ipxe"

// Decision is what a client that boots is answered.
type Decision struct {
	Answer bool   // false: silence, so that the PC goes on to what else it can boot
	File   string // a name for TFTP, or a URL
	Class  string // option 60 of the reply, which must echo the client's
	Why    string // a sentence for people, whatever the answer
}

// Decide says what a client is offered. It is pure: the same client and site give
// the same decision.
//
//	class       user class  architecture    offer
//	PXEClient   iPXE        any             http://server/boot.ipxe; by TFTP if it cannot fetch by HTTP
//	PXEClient               BIOS            undionly.kpxe (iPXE, which then asks again)
//	PXEClient               UEFI x64 (7 9)  shimx64.efi
//	HTTPClient              HTTP x64 (16)   http://server/httpboot.img (a disk with shim and GRUB)
//	either                  arm64 (11 19)   shimaa64.efi, there or not
//	either                  any other       nothing, and the reason
//	other                                   nothing: it boots nothing
func Decide(c Client, s Site) Decision {
	if !c.Boots() {
		return Decision{Why: "It does not boot from the network: its vendor class is neither PXEClient nor HTTPClient."}
	}
	if c.UserClass == "iPXE" {
		return decideIPXE(c, s)
	}
	p := c.Arch.platform()
	switch {
	case c.Arch == NoArch:
		return Decision{Why: "It does not say what kind of PC it is (option 93 is missing), so no loader can be chosen."}
	case p.loader == "":
		return Decision{Why: fmt.Sprintf("ingot has no loader for %s: it starts BIOS, UEFI x64 and UEFI arm64.", p.name)}
	case c.Class == classHTTP && s.HTTP == "":
		return Decision{Why: "It boots by HTTP, which this server does not serve to PCs. Choose PXE in its firmware, or serve HTTP on port 80."}
	}
	d := Decision{Answer: true, File: p.loader, Class: c.Class, Why: fmt.Sprintf("The first loader of %s, by TFTP.", p.name)}
	if c.Class == classHTTP {
		d.File, d.Why = s.HTTP+"/"+p.loader, fmt.Sprintf("The first loader of %s.", p.name)
	}
	if s.Has != nil && !s.Has(p.loader) {
		d.Why = missing(c, p)
	}
	return d
}

// missing is the sentence about a loader that is not there. It is offered all the same,
// so that the PC says at once that the file is not found.
func missing(c Client, p platform) string {
	why := fmt.Sprintf("%s needs %s, which the boot environment does not have: ", p.name, p.loader)
	if c.Arch == HTTPx64 || c.Arch == HTTPebc {
		return why + "it was made by an older ingot. Make it again with 'ingot bootenv build', in the same folder."
	}
	return why + "the PC will say that the file is not found."
}

func decideIPXE(c Client, s Site) Decision {
	d := Decision{Answer: true, File: Script, Class: c.Class, Why: "It runs iPXE, which gets a script by TFTP."}
	if c.HTTP && s.HTTP != "" {
		d.File, d.Why = s.HTTP+"/"+Script, "It runs iPXE, which gets a script by HTTP."
	}
	return d
}
