package linux

import (
	"maps"
	"slices"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/customise/linux/devname"
	"github.com/ingot-imaging/ingot/internal/customise/linux/fstab"
)

const (
	initramfs  = customise.Initramfs
	bootLoader = customise.BootLoader
)

// rebuild says once that something has to be made anew.
func (d *draft) rebuild(what customise.Rebuild) {
	if !slices.Contains(d.report.Rebuild, what) {
		d.report.Rebuild = append(d.report.Rebuild, what)
		slices.Sort(d.report.Rebuild)
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// editTables makes fstab and crypttab name the volumes as they are now.
func (m *machine) editTables() error {
	names := devname.New(m.job.Disk)
	text, err := m.read("/etc/fstab")
	if err != nil {
		return err
	}
	r := fstab.Edit(text, names)
	m.report.Notes = append(m.report.Notes, r.Notes...)
	if text != nil {
		if err := m.write("/etc/fstab", r.Text); err != nil {
			return err
		}
	}
	m.judge(r.Entries)
	crypttab, err := m.read("/etc/crypttab")
	if crypttab == nil || err != nil {
		return err
	}
	now := fstab.EditCrypttab(crypttab, names)
	if string(now) != string(crypttab) {
		m.rebuild(initramfs)
	}
	return m.write("/etc/crypttab", now)
}

// judge says what has to be made anew for the volumes that the first steps of a
// boot look at. An initial RAM disk holds the drivers of the root's file system,
// often those alone; it names the swap it may resume from, and, made by dracut,
// waits for every device that it knew. A boot loader holds the driver and the UUID
// of the volume that its files are on.
func (m *machine) judge(entries []fstab.Entry) {
	boot := "/"
	for _, e := range entries {
		if e.Point == "/boot" {
			boot = e.Point
		}
	}
	dracut := m.program("dracut")
	for _, e := range entries {
		v := e.Volume
		if !v.Changed() {
			continue
		}
		kind, root := v.OldKind != v.Kind, e.Point == "/" || e.Point == "/usr"
		m.newRoot = m.newRoot || kind && e.Point == "/"
		swap := e.Type == "swap" && (v.OldUUID != v.UUID || v.OldLabel != v.Label)
		if kind && root || swap || dracut && (root || e.Point == boot) {
			m.rebuild(initramfs)
		}
		if e.Point == boot && (kind || v.OldUUID != v.UUID) {
			m.rebuild(bootLoader)
		}
	}
	if len(entries) > 0 {
		return
	}
	for _, v := range m.job.Disk.Volumes { // no fstab that names any: the root may be each of them
		if v.OldKind != v.Kind {
			m.rebuild(initramfs)
			m.rebuild(bootLoader)
		}
	}
}
