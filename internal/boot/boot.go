// Package boot knows what makes a disk start: boot entries of the firmware, the
// loaders on an EFI system partition, the boot code of a BIOS disk, and what a
// boot loader's configuration names.
//
// It owns the formats of these and the proof at the end of a deploy: Check tells
// how a disk will boot, or why it will not. What it changes is little and named:
// an entry among the firmware's variables (EnsureEntry), the fallback loader of
// an EFI system partition (EnsureFallback), the places of sectors that GRUB's
// first stages hold as numbers (Relocate). It installs no boot loader and writes
// no configuration.
package boot

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// Severity says what a finding means for a boot. Part of the JSON output, so
// never renamed.
type Severity string

const (
	Fatal   Severity = "fatal"   // it does not boot
	Warning Severity = "warning" // it may not, or not always
	Note    Severity = "note"    // worth knowing
)

// Finding is one thing that stands against a boot.
type Finding struct {
	Severity Severity `json:"severity"`
	What     string   `json:"what"`         // what is wrong, as a sentence
	Do       string   `json:"do,omitempty"` // what to do about it, as a sentence
}

func (f Finding) String() string { return strings.TrimSpace(f.What + " " + f.Do) }

// Verdict is how a disk will boot.
type Verdict struct {
	UEFI     string    `json:"uefi,omitempty"` // what UEFI firmware starts: "EFI/BOOT/BOOTX64.EFI (shim)"; "": nothing
	BIOS     string    `json:"bios,omitempty"` // what a BIOS starts: "GRUB"; "": nothing
	Findings []Finding `json:"findings,omitempty"`
}

// Boots reports whether nothing fatal was found and the firmware, "uefi" or
// "bios", finds a loader; "" is either of them.
func (v Verdict) Boots(firmware string) bool {
	for _, f := range v.Findings {
		if f.Severity == Fatal {
			return false
		}
	}
	switch firmware {
	case "uefi":
		return v.UEFI != ""
	case "bios":
		return v.BIOS != ""
	}
	return v.UEFI+v.BIOS != ""
}

// add adds a finding. Names in it come from files of an image, so what could
// steer a terminal is taken out.
func (v *Verdict) add(s Severity, do, format string, args ...any) {
	what := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, fmt.Sprintf(format, args...))
	v.Findings = append(v.Findings, Finding{s, what, do})
}

// FormatError says which structure is not what its format allows.
type FormatError struct{ What, Why string }

func (e *FormatError) Error() string { return e.What + ": " + e.Why }

func malformed(what, format string, args ...any) error {
	return &FormatError{what, fmt.Sprintf(format, args...)}
}

var _ json.Marshaler = Number(0)

// Number is that of a boot entry: Boot0001 has 1.
type Number uint16

func (n Number) String() string { return fmt.Sprintf("Boot%04X", uint16(n)) }

// MarshalJSON spells the number as efibootmgr and firmware do.
func (n Number) MarshalJSON() ([]byte, error) { return json.Marshal(n.String()) }
