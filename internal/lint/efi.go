package lint

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/boot"
)

// loader is a program on an ESP that firmware may start.
type loader struct {
	boot.Program
	name     string
	fallback bool // started without a boot entry
	err      error
}

// loaders looks at what firmware would start from each EFI system partition.
func loaders(ctx context.Context, s *subject) ([]Finding, error) {
	var all []Finding
	for _, e := range s.esps {
		list, err := e.loaders(ctx)
		if err != nil {
			return all, err
		}
		all = append(append(all, e.starting(list)...), e.trusted(list)...)
	}
	return all, nil
}

// loaders are the programs that installers make boot entries for, and the fallback.
// What shim starts is none of them.
func (e esp) loaders(ctx context.Context) ([]loader, error) {
	names, err := e.glob(ctx, "/EFI/*/*.efi", "/EFI/Microsoft/Boot/bootmgfw.efi")
	if err != nil {
		return nil, err
	}
	var all []loader
	for _, name := range names {
		l := loader{name: name, fallback: isFallback(name)}
		if !l.fallback && !isEntry(name, names) {
			continue
		}
		l.Program, l.err = e.program(name)
		all = append(all, l)
	}
	return all, nil
}

// vendor is the folder of a program, in lower case.
func vendor(name string) string { return strings.ToLower(path.Base(path.Dir(name))) }

func isCalled(name string, prefixes ...string) bool {
	base := strings.ToLower(path.Base(name))
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(base, p) })
}

// isFallback tells what firmware starts without a boot entry: UEFI 2.10, section
// 3.5.1.1.
func isFallback(name string) bool {
	return vendor(name) == "boot" && isCalled(name, "boot") && !isCalled(name, "bootmgfw")
}

// isEntry tells what installers make boot entries for. GRUB is started by shim
// where that lies beside it.
func isEntry(name string, all []string) bool {
	switch {
	case vendor(name) == "linux", isCalled(name, "shim", "bootmgfw", "systemd-boot", "refind"):
		return true
	case vendor(name) == "boot" || !isCalled(name, "grub"):
		return false
	}
	return !slices.ContainsFunc(all, func(other string) bool { return path.Dir(other) == path.Dir(name) && isCalled(other, "shim") })
}

func (e esp) program(name string) (boot.Program, error) {
	f, err := e.Follow(name)
	if err != nil {
		return boot.Program{}, err
	}
	defer f.Close()
	return boot.ReadProgram(f)
}

// starting looks whether firmware finds a program that it can run.
func (e esp) starting(list []loader) []Finding {
	if len(list) == 0 {
		return []Finding{found(NoLoader, e.partition, "/EFI", "The EFI system partition holds no boot loader.")}
	}
	var all []Finding
	wide, narrow, fallback := false, false, false
	for _, l := range list {
		if l.Arch == "" {
			all = append(all, found(LoaderDamaged, e.partition, l.name, "%s is no EFI program: %s.", shown(l.name), shown(l.err.Error())))
			continue
		}
		wide, narrow = wide || l.Arch != boot.IA32, narrow || l.Arch == boot.IA32
		fallback = fallback || l.fallback
	}
	if !fallback {
		all = append(all, found(NoFallback, e.partition, "/EFI/BOOT", "The EFI system partition has no loader at the place that firmware starts without a boot entry (such as /EFI/BOOT/BOOTX64.EFI)."))
	}
	if narrow && !wide {
		all = append(all, found(Only32Bit, e.partition, "", "All boot loaders on the EFI system partition are for firmware of 32 bits."))
	}
	return all
}

// trusted looks whose signatures the programs bear, for Secure Boot.
func (e esp) trusted(list []loader) []Finding {
	var old, recent, unsigned []string
	for _, l := range list {
		has := func(cas ...boot.CA) bool {
			return slices.ContainsFunc(cas, func(ca boot.CA) bool { return slices.Contains(l.Signers, ca) })
		}
		by2011, by2023 := has(boot.ThirdParty2011, boot.Windows2011), has(boot.ThirdParty2023, boot.Windows2023)
		switch {
		case l.Arch == "" || l.err != nil:
		case !l.Signed:
			unsigned = append(unsigned, l.name)
		case by2011 && !by2023:
			old = append(old, l.name)
		case by2023 && !by2011:
			recent = append(recent, l.name)
		}
	}
	var all []Finding
	for _, g := range []struct {
		id    ID
		names []string
		what  string
	}{
		{SignedBy2011, old, "Signed by Microsoft's authorities of 2011 alone: %s."},
		{SignedBy2023, recent, "Signed by Microsoft's authorities of 2023 alone: %s."},
		{Unsigned, unsigned, "Not signed: %s."},
	} {
		if len(g.names) > 0 {
			all = append(all, found(g.id, e.partition, g.names[0], g.what, listed(g.names)))
		}
	}
	return all
}
