package boot

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// EnsureFallback puts a loader at the place that firmware starts when it has no
// entry for the disk, unless a sound one is there. It returns the files that it
// wrote. An ESP without any loader is left as it is.
//
// Of shim's, what shim starts goes beside it, under the name that it asks for;
// its fbx64.efi does not, as that makes boot entries of its own and restarts the
// machine. A signed GRUB looks for its menu in its own vendor's folder, which
// stays.
func EnsureFallback(esp *rootfs.Root) (changed []string, err error) {
	loaders, err := Loaders(esp)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(loaders, func(l Loader) bool { return usable(esp, l) })
	if i < 0 {
		return nil, nil
	}
	l := loaders[i]
	target := fallbackName(l.Arch)
	if sound(loaders, target, l.Arch) {
		return nil, nil
	}
	dir, err := folder(esp)
	if err != nil {
		return nil, err
	}
	copies, err := besideShim(esp, l, dir)
	if err != nil {
		return nil, err
	}
	// The loader itself comes last: it is useless without the others.
	for _, c := range append(copies, [2]string{l.File, path.Join(dir, target)}) {
		if err := copyLoader(esp, c[0], c[1]); err != nil {
			return changed, fmt.Errorf("put a loader at the fallback place %s: %w", c[1], err)
		}
		changed = append(changed, c[1])
	}
	return changed, nil
}

// usable reports whether l starts a system from the fallback place: a kernel is
// not told which, and a shim needs the GRUB beside it.
func usable(esp *rootfs.Root, l Loader) bool {
	if l.Arch == "" || l.rank() == lastRank || l.Kind == Kernel {
		return false
	}
	copies, err := besideShim(esp, l, "")
	startsGRUB := slices.ContainsFunc(copies, func(c [2]string) bool { return strings.HasPrefix(strings.ToLower(c[1]), "grub") })
	return err == nil && (l.Kind != Shim || startsGRUB)
}

// fallbackName is the name of the fallback loader: BOOTX64.EFI.
func fallbackName(a Arch) string { return "BOOT" + strings.ToUpper(string(a)) + ".EFI" }

// sound reports whether the fallback is there and for the right machine.
func sound(loaders []Loader, name string, a Arch) bool {
	return slices.ContainsFunc(loaders, func(l Loader) bool {
		return strings.EqualFold(l.File, path.Join(fallbackDir, name)) && l.Arch == a
	})
}

// folder returns the fallback folder as the partition spells it, made if need be.
func folder(esp *rootfs.Root) (string, error) {
	if dir, err := esp.Fold(fallbackDir); err == nil {
		return strings.TrimPrefix(dir, "/"), nil
	}
	top, err := esp.Fold("EFI") // there is a loader in it
	if err != nil {
		return "", err
	}
	dir := path.Join(strings.TrimPrefix(top, "/"), path.Base(fallbackDir))
	return dir, esp.Mkdir(dir, rootfs.Attr{})
}

// besideShim lists what a shim needs in its folder, from and to. Which of the
// names it asks for was decided when it was built: all that there are.
func besideShim(esp *rootfs.Root, l Loader, dir string) (copies [][2]string, err error) {
	if l.Kind != Shim {
		return nil, nil
	}
	entries, err := esp.ReadDir(path.Dir(l.File))
	if err != nil {
		return nil, err
	}
	arch := string(l.Arch)
	wanted := []string{"grub" + arch + ".efi", "grub.efi", "mm" + arch + ".efi", "mokmanager.efi"}
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		if slices.Contains(wanted, name) && !e.IsDir() {
			copies = append(copies, [2]string{path.Join(path.Dir(l.File), e.Name()), path.Join(dir, e.Name())})
		}
	}
	return copies, nil
}

func copyLoader(esp *rootfs.Root, from, to string) error {
	data, err := esp.ReadFile(from, maxLoader)
	if err != nil {
		return err
	}
	if name, err := esp.Fold(to); err == nil { // another spelling is the same file on FAT
		to = name
	}
	return esp.WriteFile(to, data, rootfs.Attr{})
}
