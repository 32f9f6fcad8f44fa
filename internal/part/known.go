package part

import (
	"fmt"
	"strings"
)

// Types of an EFI system partition (UEFI specification 2.10, sections 5.2.2 and
// 5.3.3).
const (
	typeESP    = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
	typeESPMBR = "ef"
)

// IsESP reports whether p, of t, is an EFI system partition by its type.
func (t Table) IsESP(p Partition) bool {
	return t.Kind == GPT && strings.EqualFold(p.Type, typeESP) || t.Kind == MBR && strings.EqualFold(p.Type, typeESPMBR)
}

// UUID is what Linux calls p, of t: its PARTUUID. "" when it has none.
func (t Table) UUID(p Partition) string {
	if t.Kind == MBR && t.ID != "" {
		return fmt.Sprintf("%s-%02x", t.ID, p.Number)
	}
	return p.ID
}

// Partition returns the partition with a number; false when there is none.
func (t Table) Partition(number int) (Partition, bool) {
	for _, p := range t.Partitions {
		if p.Number == number {
			return p, true
		}
	}
	return Partition{}, false
}
