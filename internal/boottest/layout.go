package boottest

import (
	"fmt"
	"strings"
)

// Sizes of the fixed partitions. FAT32 needs 65525 clusters, which 64 MiB hold
// at one sector a cluster.
const (
	mib     = 1 << 20
	espMiB  = 64
	swapMiB = 128
	coreMiB = 1
	gapMiB  = 1 // before the first partition, before the logical one, behind the last
	minMiB  = 1536
)

// partition is a range of the disk in MiB, and its type as sfdisk names it.
type partition struct {
	start, size int64
	kind        string
}

// layout is where everything lies. Partitions are in table order; ESP is zero
// on a BIOS disk, and core but on one for any firmware.
type layout struct {
	label                 string
	partitions            []partition
	core, esp, root, swap partition
}

// newLayout divides a disk as Debian's installer does: ESP, root and swap in a
// GPT, or root and an extended partition with swap inside in an MBR.
func newLayout(fw Firmware, sizeBytes int64) (layout, error) {
	end := sizeBytes/mib - gapMiB
	if end < minMiB {
		return layout{}, fmt.Errorf("disk of %d bytes: a bootable Debian needs %d MiB", sizeBytes, minMiB+gapMiB)
	}
	swap := partition{end - swapMiB, swapMiB, "swap"}
	if fw == BIOS {
		extended := partition{swap.start - gapMiB, swapMiB + gapMiB, "extended"}
		root := partition{gapMiB, extended.start - gapMiB, "linux"}
		return layout{label: "dos", partitions: []partition{root, extended, swap}, root: root, swap: swap}, nil
	}
	l := layout{label: "gpt", esp: partition{gapMiB, espMiB, "uefi"}, swap: swap}
	if fw == Any {
		l.core = partition{gapMiB, coreMiB, "21686148-6449-6E6F-744E-656564454649"} // BIOS boot partition
		l.esp.start += coreMiB
		l.partitions = append(l.partitions, l.core)
	}
	end = l.esp.start + espMiB
	l.root = partition{end, swap.start - end, "linux"}
	l.partitions = append(l.partitions, l.esp, l.root, swap)
	return l, nil
}

// sfdisk is the table as input for sfdisk(8). In an MBR, four numbers are for
// primary partitions, so the logical one is number 5.
func (l layout) sfdisk() string {
	var b strings.Builder
	fmt.Fprintf(&b, "label: %s\n", l.label)
	for i, p := range l.partitions {
		number := i + 1
		if l.label == "dos" && p == l.swap {
			number = 5
		}
		fmt.Fprintf(&b, "%d: start=%dMiB, size=%dMiB, type=%s", number, p.start, p.size, p.kind)
		if l.label == "dos" && p == l.root {
			b.WriteString(", bootable")
		}
		b.WriteString("\n")
	}
	return b.String()
}
