// Package machine reads what is known of the machine it runs on: who made it,
// its identity, its network interfaces and its devices.
//
// It owns where the kernel shows these, and which of the values that firmware
// gives are no values. It reads files of sysfs, given as an fs.FS whose root is
// the machine's, and nothing else: it opens no device and judges nothing. Start
// at Read; ReadHints adds what a person should know before a deploy, Inventory what
// a server keeps of a machine.
//
// Sources: Documentation/ABI/testing/sysfs-firmware-dmi-ids (the file names),
// sysfs-class-net, sysfs-bus-pci and sysfs-bus-usb of the kernel; proc(5).
package machine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// Read returns the facts of the machine that fsys is the root of. What the
// firmware does not say, or only root may read, is left out; a tree without
// sysfs is an error.
func Read(fsys fs.FS) (profile.Facts, error) {
	if _, err := fs.Stat(fsys, "sys/class"); err != nil {
		return profile.Facts{}, fmt.Errorf("read the machine's facts: %w", err)
	}
	devices, err := readDevices(fsys)
	if err != nil {
		return profile.Facts{}, fmt.Errorf("read the machine's devices: %w", err)
	}
	macs, err := readMACs(fsys)
	if err != nil {
		return profile.Facts{}, fmt.Errorf("read the machine's network interfaces: %w", err)
	}
	f := profile.Facts{
		Maker:    dmi(fsys, "sys_vendor"),
		Model:    dmi(fsys, "product_name"),
		Version:  dmi(fsys, "product_version"),
		SKU:      dmi(fsys, "product_sku"),
		Serial:   dmi(fsys, "product_serial"),
		UUID:     KnownUUID(dmi(fsys, "product_uuid")),
		Board:    dmi(fsys, "board_serial"),
		Asset:    dmi(fsys, "chassis_asset_tag"),
		MACs:     macs,
		Firmware: "bios",
		Devices:  devices,
	}
	if _, err := fs.Stat(fsys, "sys/firmware/efi"); err == nil {
		f.Firmware = "uefi"
	}
	// A board that was sold without a computer around it names itself.
	if f.Maker == "" && f.Model == "" {
		f.Maker, f.Model = dmi(fsys, "board_vendor"), dmi(fsys, "board_name")
	}
	return f, nil
}

// maxAttribute bounds one file of sysfs, whose attributes have at most a page.
const maxAttribute = 4096

// attribute returns the trimmed text of a file, "" when there is none or it may
// not be read.
func attribute(fsys fs.FS, elem ...string) string {
	f, err := fsys.Open(path.Join(elem...))
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAttribute))
	if err != nil {
		return ""
	}
	return printable(string(b))
}

// printable trims s and takes out what no name has: firmware leaves control
// characters and broken UTF-8 in its tables.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.TrimSpace(s)
}

// link returns the last element of what a symbolic link leads to, "" when there
// is no link.
func link(fsys fs.FS, elem ...string) string {
	target, err := fs.ReadLink(fsys, path.Join(elem...))
	if err != nil {
		return ""
	}
	return path.Base(target)
}

// maxEntries bounds a folder of sysfs, far above what a machine has.
const maxEntries = 16 << 10

// list returns the names in a folder, sorted; a folder that is not there is
// empty, since a machine may have no such bus.
func list(fsys fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries[:min(len(entries), maxEntries)] {
		names = append(names, e.Name())
	}
	return names, nil
}
