package fit

import (
	"strings"

	"github.com/ingot-imaging/ingot/internal/part"
)

// role is what a partition is for, by its type.
type role string

const (
	ordinary role = ""
	esp      role = "EFI system partition"
	msr      role = "Microsoft reserved partition"
	biosBoot role = "BIOS boot partition"
	prep     role = "PReP boot partition"
	recovery role = "recovery partition"
)

// roleOf knows the types that firmware and boot loaders look for (UEFI
// specification 2.10, table 5-7; GRUB manual, 'BIOS installation'; Microsoft,
// PARTITION_INFORMATION_GPT and the MBR types 27 and ef).
func roleOf(kind part.Kind, p part.Partition) role {
	key := string(kind) + " " + strings.ToLower(p.Type)
	switch key {
	case "gpt c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "mbr ef":
		return esp
	case "gpt e3c9e316-0b5c-4db8-817d-f92df00215ae":
		return msr
	case "gpt 21686148-6449-6e6f-744e-656564454649":
		return biosBoot
	case "gpt 9e1a2d38-c612-4316-aa26-8b49521e5a8b", "mbr 41":
		return prep
	case "gpt de94bba4-06d1-4d40-a16a-bfd50179d6ac", "mbr 27":
		return recovery
	}
	return ordinary
}
