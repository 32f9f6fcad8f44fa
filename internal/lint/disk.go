package lint

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/part"
)

// typeBIOSBoot is where GRUB's core lies on a GPT disk that a BIOS starts: GRUB
// manual, "BIOS installation".
const typeBIOSBoot = "21686148-6449-6E6F-744E-656564454649"

// wholeDisk looks at the table and at what is true of the image as a whole.
func wholeDisk(_ context.Context, s *subject) ([]Finding, error) {
	var all []Finding
	m := s.job.Manifest
	if n := m.Unreadable(); n > 0 {
		all = append(all, found(Unreadable, 0, "", "%d bytes could not be read at capture and are zeros in the image.", n))
	}
	if m.Disk.SectorSize == 4096 {
		all = append(all, found(LargeSectors, 0, "", "The disk has logical sectors of 4096 bytes."))
	}
	if len(s.systems) == 0 {
		all = append(all, found(NoSystem, 0, "", "No operating system was found on the volumes."))
	}
	if m.Table == nil {
		return all, nil
	}
	for _, f := range m.Table.Findings {
		all = append(all, found(TableRepaired, 0, "", "The partition table was not in order: %s", shown(f)))
	}
	return append(all, s.startable()...), nil
}

// startable looks whether a GPT disk with a system has what firmware starts from.
func (s *subject) startable() []Finding {
	t := s.job.Manifest.Table
	if t.Kind != part.GPT || len(s.systems) == 0 {
		return nil
	}
	if slices.ContainsFunc(t.Partitions, t.IsESP) {
		return nil
	}
	how := "and none for GRUB's core either, so that neither UEFI nor a BIOS is known to start it"
	if slices.ContainsFunc(t.Partitions, func(p part.Partition) bool { return p.Type == typeBIOSBoot }) {
		how = "so that only a BIOS starts it"
	}
	return []Finding{found(NoESP, 0, "", "The disk has a GPT and no EFI system partition, %s.", how)}
}

// called names a partition for a sentence.
func called(p browse.Partition) string {
	name := "The one volume"
	if p.Number > 0 {
		name = fmt.Sprintf("Partition %d", p.Number)
	}
	if p.Label != "" {
		name += fmt.Sprintf(" (%s)", shown(p.Label))
	}
	return name
}

// mib is a number of bytes as a person reads it.
func mib(n int64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}
