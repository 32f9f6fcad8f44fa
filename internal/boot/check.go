package boot

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/rootfs"
	"github.com/ingot-imaging/ingot/internal/system"
)

// Disk is a disk as it is or will be, for Check. Nothing of it is changed.
type Disk struct {
	Reader   block.Reader
	Table    part.Table
	Volumes  []system.Volume // with what Table says of them
	ESP      *rootfs.Root    // the EFI system partition; nil: there is none, or it cannot be looked into
	Root     *rootfs.Root    // the system, with /boot in its place; nil: not known
	Firmware string          // of the machine: "uefi", "bios", "" when either will do
}

// Check tells how a disk will boot and what stands against it. It follows what
// firmware and loaders do as far as that can be read from files: loader, menu,
// kernel, initial RAM disk, root, and the volumes that the system waits for. An
// error is one of reading; what is wrong is in the Verdict. A disk without a
// system gets a fatal finding: whether it should boot is for the caller to know.
func Check(ctx context.Context, d Disk) (Verdict, error) {
	v := Verdict{}
	bios, findings, err := CheckBIOS(d.Reader, d.Table)
	if err != nil {
		return v, fmt.Errorf("check the boot code: %w", err)
	}
	v.BIOS = bios
	if err := v.checkUEFI(d); err != nil {
		return v, fmt.Errorf("check the EFI system partition: %w", err)
	}
	v.takeBIOS(findings, d.Firmware)
	v.judge(d)
	if err := ctx.Err(); err != nil {
		return v, err
	}
	if err := v.checkSystem(ctx, d); err != nil {
		return v, fmt.Errorf("check what the system starts from: %w", err)
	}
	return v, nil
}

// judge says what it means that firmware finds nothing.
func (v *Verdict) judge(d Disk) {
	esp := slices.IndexFunc(d.Table.Partitions, d.Table.IsESP)
	switch {
	case v.UEFI == "" && d.ESP == nil && esp >= 0 && d.Firmware != "bios":
		v.add(Warning, "", "Whether UEFI finds a loader is not known: the EFI system partition %d could not be looked into.", d.Table.Partitions[esp].Number)
	case v.UEFI == "" && v.BIOS == "":
		v.add(Fatal, "", "Neither UEFI nor a BIOS finds a loader on the disk.")
	case d.Firmware != "" && !v.starts(d.Firmware):
		v.add(Fatal, "", "The machine has %s, and the disk starts with %s only.", named(d.Firmware), v.other(d.Firmware))
	}
}

// takeBIOS adds what was found of the boot code. It is fatal only where nothing
// else starts the disk: a disk for UEFI may bear old boot code.
func (v *Verdict) takeBIOS(findings []Finding, firmware string) {
	for _, f := range findings {
		if f.Severity == Fatal && v.UEFI != "" && firmware != "bios" {
			f.Severity = Note
		}
		v.Findings = append(v.Findings, f)
	}
}

func (v *Verdict) starts(firmware string) bool {
	return firmware == "uefi" && v.UEFI != "" || firmware == "bios" && v.BIOS != ""
}

func (v *Verdict) other(firmware string) string {
	if firmware == "uefi" {
		return named("bios")
	}
	return named("uefi")
}

func named(firmware string) string {
	if firmware == "uefi" {
		return "UEFI"
	}
	return "a BIOS"
}

// checkUEFI looks for a loader where firmware does that has no entry.
func (v *Verdict) checkUEFI(d Disk) error {
	if d.ESP == nil {
		return nil
	}
	if d.Table.Kind == part.GPT && !slices.ContainsFunc(d.Table.Partitions, d.Table.IsESP) {
		v.add(Warning, "", "No partition has the type of an EFI system partition; some firmware finds none then.")
	}
	loaders, err := Loaders(d.ESP)
	if err != nil {
		return err
	}
	found := slices.IndexFunc(loaders, func(l Loader) bool { return l.fallback() && l.Arch != "" })
	if found >= 0 {
		v.UEFI = fmt.Sprintf("%s (%s)", loaders[found].File, loaders[found].Kind)
		return v.checkShim(d.ESP, loaders[found])
	}
	for _, l := range loaders {
		if l.rank() == lastRank && !l.fallback() {
			continue
		}
		if l.Arch == "" {
			v.add(Warning, "", "%s is damaged: it is no EFI program.", l.File)
			continue
		}
		v.UEFI = fmt.Sprintf("%s (%s), by a boot entry of the firmware", l.File, l.Kind)
		v.add(Warning, "", "There is no loader at the fallback place EFI/BOOT; the disk starts only where the firmware has an entry for it.")
		break
	}
	return nil
}

// checkShim checks that what shim starts is beside it.
func (v *Verdict) checkShim(esp *rootfs.Root, l Loader) error {
	if l.Kind != Shim {
		return nil
	}
	entries, err := esp.ReadDir(path.Dir(l.File))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		if strings.HasPrefix(name, "grub") || strings.HasPrefix(name, "fb"+string(l.Arch)) {
			return nil
		}
	}
	v.add(Fatal, "", "%s has nothing beside it that it could start.", l.File)
	return nil
}
