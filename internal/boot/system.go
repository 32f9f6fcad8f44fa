package boot

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// maxConfig bounds a configuration file, bytes.
const maxConfig = 4 << 20

// config reads a configuration file; "" when there is none. One that cannot be
// read is a finding, as the loader will not read it either.
func (v *Verdict) config(root *rootfs.Root, name string) string {
	data, err := root.ReadFile(name, maxConfig)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.add(Warning, "", "A file that the system starts from cannot be read: %v.", err)
	}
	return string(data)
}

// checkSystem follows what is started as far as files tell.
func (v *Verdict) checkSystem(ctx context.Context, d Disk) error {
	if d.ESP != nil {
		if err := v.checkVendors(d); err != nil {
			return err
		}
		if err := v.checkEntries(d, d.ESP, "loader/entries"); err != nil {
			return err
		}
	}
	if d.Root == nil {
		return ctx.Err()
	}
	for _, name := range []string{"boot/grub/grub.cfg", "boot/grub2/grub.cfg"} {
		m := parseGRUB(v.config(d.Root, name))
		v.checkSearches(d, m, "/"+name, Warning)
		v.checkKernels(d, d.Root, m.kernels, "/"+name)
		if m.entries {
			if err := v.checkEntries(d, d.Root, "boot/loader/entries"); err != nil {
				return err
			}
		}
	}
	v.checkFstab(d)
	return ctx.Err()
}

// checkVendors looks at the first menu that GRUB reads from the ESP, which leads
// to the one on the system's volume, and at what Windows needs beside its loader.
func (v *Verdict) checkVendors(d Disk) error {
	top, err := d.ESP.Fold("EFI")
	if err != nil {
		return ignoreAbsent(err)
	}
	vendors, err := d.ESP.ReadDir(top)
	if err != nil {
		return err
	}
	for _, e := range vendors[:min(len(vendors), maxVendors)] {
		if !e.IsDir() {
			continue
		}
		if name, err := d.ESP.Fold(path.Join(top, e.Name(), "grub.cfg")); err == nil {
			m := parseGRUB(v.config(d.ESP, name))
			v.checkSearches(d, m, strings.TrimPrefix(name, "/"), Fatal)
		}
	}
	if _, err := d.ESP.Fold(path.Join(top, "Microsoft/Boot/bootmgfw.efi")); err != nil {
		return ignoreAbsent(err)
	}
	_, err = d.ESP.Fold(path.Join(top, "Microsoft/Boot/BCD"))
	if errors.Is(err, fs.ErrNotExist) {
		v.add(Fatal, "", "Windows' boot configuration EFI/Microsoft/Boot/BCD is missing.")
		return nil
	}
	return err
}

// checkSearches checks the volumes that GRUB looks for. What matters for a later
// entry of the menu only, as another system's, is worth a note.
func (v *Verdict) checkSearches(d Disk, m menu, name string, s Severity) {
	var told []string
	for _, search := range m.searches {
		found, known := d.has(search.spec)
		if found || !known || slices.Contains(told, search.spec) {
			continue
		}
		told = append(told, search.spec)
		severity := s
		if search.entry > 1 {
			severity = Note
		}
		v.add(severity, "", "%s looks for the volume %s, which is not on the disk.", name, search.spec)
	}
}

// checkEntries checks the entry files of systemd-boot and of GRUB's blscfg. The
// default is the newest: the last name, numbers in it compared as such.
func (v *Verdict) checkEntries(d Disk, root *rootfs.Root, dir string) error {
	entries, err := root.ReadDir(dir)
	if err != nil {
		return ignoreAbsent(err)
	}
	var names []string
	for _, e := range entries[:min(len(entries), maxMenu)] {
		if strings.HasSuffix(e.Name(), ".conf") {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { return compareVersions(b, a) })
	var kernels []kernel
	for _, name := range names {
		kernels = append(kernels, parseEntry(v.config(root, path.Join(dir, name))))
	}
	v.checkKernels(d, root, kernels, dir)
	return nil
}

// checkKernels checks what entries of a menu start. That the first cannot is
// fatal, that another cannot is a warning.
func (v *Verdict) checkKernels(d Disk, root *rootfs.Root, kernels []kernel, name string) {
	for i, k := range kernels {
		severity := Warning
		if i == 0 {
			severity = Fatal
		}
		for _, file := range append([]string{k.file}, k.initrds...) {
			if !there(root, file) && !(d.Root != nil && there(d.Root, file)) {
				v.add(severity, "", "%s starts %s, which is not there.", name, file)
			}
		}
		for _, a := range k.args {
			spec, ok := strings.CutPrefix(a, "root=")
			if !ok {
				continue
			}
			if found, known := d.has(spec); known && !found {
				v.add(severity, "", "%s starts a kernel with %s, which is not on the disk.", name, a)
			}
		}
	}
}

// there reports whether a file that a menu names is in the tree of a system. GRUB
// counts from its own root, which may be a volume for /boot, or the top of a
// btrfs above the system's subvolume. Names with variables are not judged.
func there(root *rootfs.Root, file string) bool {
	if file == "" || strings.Contains(file, "$") {
		return true
	}
	if strings.HasPrefix(file, "(") {
		_, file, _ = strings.Cut(file, ")")
	}
	if root.Exists(file) || root.Exists(path.Join("boot", file)) {
		return true
	}
	if i := strings.Index(file, "/boot/"); i > 0 && root.Exists(file[i:]) {
		return true
	}
	name, err := root.Fold(file) // an ESP ignores case
	return err == nil && name != "/"
}
