package dhcp

import "fmt"

// Arch is what kind of PC asks: option 93, numbered by IANA's list "Processor
// Architecture Types" (RFC 4578 section 2.1, RFC 5970 section 3.3).
type Arch uint16

// The architectures that have a name of their own in this package.
const (
	BIOS      Arch = 0
	UEFI32    Arch = 6
	UEFIx64   Arch = 7
	UEFIebc   Arch = 9 // EBC by the list, but what much x64 firmware says of itself
	UEFIarm64 Arch = 11
	HTTPx64   Arch = 16
	HTTPebc   Arch = 17
	HTTParm64 Arch = 19
	// NoArch is a client that does not say what it is.
	NoArch Arch = 0xffff
)

// A platform is what ingot knows about an architecture.
type platform struct {
	name   string
	loader string // first file that its firmware is given; "" where ingot has none
}

// platform is the table of architectures. It names those that ingot cannot start
// as well, so that a refusal can say what was refused.
func (a Arch) platform() platform {
	switch a {
	case BIOS:
		return platform{"BIOS", "undionly.kpxe"}
	case UEFIx64, UEFIebc:
		return platform{"UEFI x64", "shimx64.efi"}
	case HTTPx64, HTTPebc:
		return platform{"UEFI HTTP x64", "httpboot.img"}
	case UEFIarm64:
		return platform{"UEFI arm64", "shimaa64.efi"}
	case HTTParm64:
		return platform{"UEFI HTTP arm64", "shimaa64.efi"}
	case UEFI32:
		return platform{name: "UEFI x86 (32 bits)"}
	case 15:
		return platform{name: "UEFI HTTP x86 (32 bits)"}
	case 2:
		return platform{name: "Itanium"}
	case 10:
		return platform{name: "UEFI arm (32 bits)"}
	case 18:
		return platform{name: "UEFI HTTP arm (32 bits)"}
	case 20:
		return platform{name: "BIOS HTTP"}
	case 25, 26:
		return platform{name: "UEFI RISC-V (32 bits)"}
	case 27, 28:
		return platform{name: "UEFI RISC-V (64 bits)"}
	case 39, 40:
		return platform{name: "UEFI LoongArch (64 bits)"}
	case NoArch:
		return platform{name: "unknown"}
	}
	return platform{name: fmt.Sprintf("architecture %d", uint16(a))}
}

// String is the architecture as people call it: "BIOS", "UEFI x64".
func (a Arch) String() string { return a.platform().name }
