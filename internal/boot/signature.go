package boot

import (
	"bytes"
	"encoding/binary"
	"io"
)

// CA is a certificate authority that firmware trusts for Secure Boot, by the common
// name of its certificate.
type CA string

// The authorities of Microsoft, which all firmware knows: those of 2011, whose
// certificates end in 2026, and those that take their place.
const (
	ThirdParty2011 CA = "Microsoft Corporation UEFI CA 2011"
	Windows2011    CA = "Microsoft Windows Production PCA 2011"
	ThirdParty2023 CA = "Microsoft UEFI CA 2023"
	Windows2023    CA = "Windows UEFI CA 2023"
)

// Program is what can be told of an EFI program from its headers.
type Program struct {
	Arch Arch
	// Signers are the authorities that its signatures name. Whether a signature is
	// valid was not looked at.
	Signers []CA
	Signed  bool // by whomsoever
}

// maxSignatures bounds the certificate table of a program, bytes.
const maxSignatures = 1 << 20

// ReadProgram reads the headers of an EFI program and the names in its signatures.
// The error is a *FormatError when r is none.
func ReadProgram(r io.ReaderAt) (Program, error) {
	arch, err := peArch(r)
	if err != nil {
		return Program{}, err
	}
	p := Program{Arch: arch}
	table, err := certificateTable(r)
	p.Signed = len(table) > 0
	for _, ca := range []CA{ThirdParty2011, Windows2011, ThirdParty2023, Windows2023} {
		// Names of authorities stand in certificates as text of single bytes.
		if bytes.Contains(table, []byte(ca)) {
			p.Signers = append(p.Signers, ca)
		}
	}
	return p, err
}

// Offsets from the PE header (Microsoft's specification, section 3.4).
const (
	optionalAt      = 24
	optionalMagic32 = 0x10B
	optionalMagic64 = 0x20B
	directories32   = optionalAt + 96
	directories64   = optionalAt + 112
	certificatesAt  = 4 * 8 // in the data directories
)

// certificateTable returns the attribute certificate table, section 5.9; nil when
// there is none.
func certificateTable(r io.ReaderAt) ([]byte, error) {
	const what = "EFI program"
	var word [4]byte
	if _, err := r.ReadAt(word[:], peOffsetAt); err != nil {
		return nil, err
	}
	header := int64(binary.LittleEndian.Uint32(word[:]))
	if _, err := r.ReadAt(word[:2], header+optionalAt); err != nil {
		return nil, malformed(what, "it has no optional header")
	}
	at := header
	switch magic := binary.LittleEndian.Uint16(word[:]); magic {
	case optionalMagic32:
		at += directories32
	case optionalMagic64:
		at += directories64
	default:
		return nil, malformed(what, "its optional header begins with %#04x", magic)
	}
	// The number of directories stands before the first.
	var directories [4 + certificatesAt + 8]byte
	if _, err := r.ReadAt(directories[:], at-4); err != nil {
		return nil, malformed(what, "it ends in its headers")
	}
	if binary.LittleEndian.Uint32(directories[:]) <= certificatesAt/8 {
		return nil, nil
	}
	place := directories[4+certificatesAt:]
	offset, size := binary.LittleEndian.Uint32(place), binary.LittleEndian.Uint32(place[4:])
	if size == 0 {
		return nil, nil
	}
	if size > maxSignatures {
		return nil, malformed(what, "its signatures are said to have %d bytes", size)
	}
	table := make([]byte, size)
	if _, err := r.ReadAt(table, int64(offset)); err != nil {
		return nil, malformed(what, "it ends before its signatures at %#x", offset)
	}
	return table, nil
}
