package boot

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// LoaderKind is which program a loader is.
type LoaderKind string

const (
	Shim        LoaderKind = "shim"
	GRUB        LoaderKind = "GRUB"
	SystemdBoot LoaderKind = "systemd-boot"
	WindowsBoot LoaderKind = "Windows Boot Manager"
	REFInd      LoaderKind = "rEFInd"
	Kernel      LoaderKind = "unified kernel"
	Fallback    LoaderKind = "fallback" // at the place that firmware starts without an entry; what it is is not known
)

// Loader is an EFI program that starts a system.
type Loader struct {
	File string     `json:"file"` // on the ESP, as it spells it: "EFI/debian/shimx64.efi"
	Kind LoaderKind `json:"kind"`
	Arch Arch       `json:"arch,omitempty"` // "": it is damaged
}

const (
	maxVendors = 256 // folders below EFI
	// maxLoader bounds one EFI program, bytes. Unified kernels are the largest.
	maxLoader = 128 << 20
)

// fallbackDir is where firmware looks without an entry (UEFI 2.10, section 3.5.1.1).
const fallbackDir = "EFI/BOOT"

// Loaders finds the loaders on an EFI system partition, in the order in which one
// is chosen to be the fallback: shim before what it starts, Linux before Windows,
// whose menu does not know Linux. The fallbacks themselves come last.
func Loaders(esp *rootfs.Root) ([]Loader, error) {
	top, err := esp.Fold("EFI")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	vendors, err := esp.ReadDir(top)
	if err != nil {
		return nil, err
	}
	var all []Loader
	for _, v := range vendors[:min(len(vendors), maxVendors)] {
		dir := path.Join(top, v.Name())
		if strings.EqualFold(v.Name(), "Microsoft") {
			dir = path.Join(dir, "Boot")
		}
		found, err := loadersIn(esp, dir)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if err := nameFallbacks(esp, all); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b Loader) int { return a.rank() - b.rank() })
	return all, nil
}

func loadersIn(esp *rootfs.Root, dir string) ([]Loader, error) {
	dir, err := esp.Fold(dir)
	if err != nil {
		return nil, ignoreAbsent(err)
	}
	if info, err := esp.Stat(dir); err != nil || !info.IsDir() {
		return nil, err
	}
	entries, err := esp.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []Loader
	for _, e := range entries[:min(len(entries), maxFolder)] {
		kind, ok := kindOf(dir, e.Name())
		if !ok || e.IsDir() {
			continue
		}
		l := Loader{File: strings.TrimPrefix(path.Join(dir, e.Name()), "/"), Kind: kind}
		if f, err := esp.Open(l.File); err == nil {
			l.Arch, _ = peArch(f) // "" says it
			f.Close()
		}
		all = append(all, l)
	}
	return all, nil
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// kindOf tells a loader by its name, which shim, firmware and installers go by too.
func kindOf(dir, name string) (LoaderKind, bool) {
	dir, name = strings.ToLower(dir), strings.ToLower(name)
	base, ok := strings.CutSuffix(name, ".efi")
	switch {
	case !ok:
		return "", false
	case dir == "/efi/boot" && strings.HasPrefix(base, "boot"):
		return Fallback, true
	case base == "bootmgfw":
		return WindowsBoot, true
	case dir == "/efi/linux":
		return Kernel, true
	case strings.HasPrefix(base, "shim"):
		return Shim, true
	case strings.HasPrefix(base, "grub"):
		return GRUB, true
	case strings.HasPrefix(base, "systemd-boot"):
		return SystemdBoot, true
	case strings.HasPrefix(base, "refind"):
		return REFInd, true
	}
	return "", false
}

// lastRank is that of everything in the fallback folder: nothing is copied there
// from itself.
const lastRank = 100

func (l Loader) rank() int {
	if strings.EqualFold(path.Dir(l.File), fallbackDir) {
		return lastRank
	}
	return slices.Index([]LoaderKind{Shim, GRUB, REFInd, SystemdBoot, WindowsBoot, Kernel}, l.Kind)
}

// fallback reports whether firmware starts l without an entry.
func (l Loader) fallback() bool {
	return l.rank() == lastRank && strings.HasPrefix(strings.ToLower(path.Base(l.File)), "boot")
}

// nameFallbacks tells what the programs at the fallback place are, by holding
// their bytes against the loaders whose kind is known, and by what they say of
// themselves.
func nameFallbacks(esp *rootfs.Root, all []Loader) error {
	for i, l := range all {
		if l.Kind != Fallback {
			continue
		}
		data, err := esp.ReadFile(l.File, maxLoader)
		if err != nil {
			return err
		}
		all[i].Kind = kindByContent(data)
		sum := sha256.Sum256(data)
		for _, other := range all {
			if other.Kind == Fallback || other.rank() == lastRank || !sameSize(esp, other.File, len(data)) {
				continue
			}
			if theirs, err := digest(esp, other.File); err == nil && theirs == sum {
				all[i].Kind = other.Kind
			}
		}
	}
	return nil
}

func sameSize(esp *rootfs.Root, name string, size int) bool {
	info, err := esp.Stat(name)
	return err == nil && info.Size() == int64(size)
}

func digest(esp *rootfs.Root, name string) (sum [sha256.Size]byte, err error) {
	f, err := esp.Open(name)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, maxLoader)); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}
