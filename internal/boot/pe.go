package boot

import (
	"encoding/binary"
	"io"
)

// Arch is a processor architecture as loaders' names spell it (UEFI 2.10, section
// 3.5.1.1): "x64" of BOOTX64.EFI.
type Arch string

const (
	X64     Arch = "x64"
	IA32    Arch = "ia32"
	AA64    Arch = "aa64"
	ARM     Arch = "arm"
	RISCV64 Arch = "riscv64"
)

// Offsets of PE/COFF (Microsoft's specification, sections 2 and 3.3).
const (
	peOffsetAt = 0x3C
	maxPEStart = 64 << 10 // bytes before the header, far above what is usual
)

// peArch returns the architecture of an EFI program. The error is a *FormatError
// when it is none, or for a machine that no PC is.
func peArch(r io.ReaderAt) (Arch, error) {
	const what = "EFI program"
	var dos [64]byte
	if _, err := r.ReadAt(dos[:], 0); err != nil {
		return "", malformed(what, "it is too short")
	}
	if string(dos[:2]) != "MZ" {
		return "", malformed(what, "it does not begin with MZ")
	}
	at := binary.LittleEndian.Uint32(dos[peOffsetAt:])
	if at > maxPEStart {
		return "", malformed(what, "its header is said to be at %#x", at)
	}
	var head [6]byte
	if _, err := r.ReadAt(head[:], int64(at)); err != nil || string(head[:4]) != "PE\x00\x00" {
		return "", malformed(what, "it has no PE header at %#x", at)
	}
	machine := binary.LittleEndian.Uint16(head[4:])
	switch machine { // IMAGE_FILE_MACHINE_...
	case 0x8664:
		return X64, nil
	case 0x014C:
		return IA32, nil
	case 0xAA64:
		return AA64, nil
	case 0x01C0, 0x01C2:
		return ARM, nil
	case 0x5064:
		return RISCV64, nil
	}
	return "", malformed(what, "it is for machine %#04x", machine)
}
