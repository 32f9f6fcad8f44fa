package machine

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// Hints are what a person should know of a machine before a deploy.
type Hints struct {
	// SecureBoot is "on" or "off"; "" where the firmware does not say, as on BIOS.
	SecureBoot string `json:"secureBoot,omitempty"`
	// Hidden are storage controllers behind which no disk is visible.
	Hidden []profile.Device `json:"hiddenStorage,omitempty"`
	// Notes are sentences worth showing, one for each fact above that needs one.
	Notes []string `json:"notes,omitempty"`
}

// ReadHints looks for what stands in the way of a deploy on the machine that
// fsys is the root of.
func ReadHints(fsys fs.FS) (Hints, error) {
	h := Hints{SecureBoot: secureBoot(fsys)}
	if err := h.readStorage(fsys); err != nil {
		return Hints{}, fmt.Errorf("read the machine's storage controllers: %w", err)
	}
	if secret(fsys, "sys/class/dmi/id/product_serial") {
		h.Notes = append(h.Notes, "Serial number and UUID are shown to root only.")
	}
	return h, nil
}

// secureBoot reads the variable of UEFI 2.10, section 3.3, as efivarfs shows it:
// four bytes of attributes, one of data.
func secureBoot(fsys fs.FS) string {
	f, err := fsys.Open("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
	if err != nil {
		return ""
	}
	defer f.Close()
	var b [5]byte
	if _, err := io.ReadFull(f, b[:]); err != nil {
		return ""
	}
	if b[4] == 1 {
		return "on"
	}
	return "off"
}

// readStorage finds controllers in RAID mode whose disks the kernel does not
// see. Those of Intel take the disks of AHCI and NVMe away from their own
// drivers, and most Linux and Windows images then do not find a disk.
func (h *Hints) readStorage(fsys fs.FS) error {
	addresses, err := list(fsys, "sys/bus/pci/devices")
	if err != nil {
		return err
	}
	disks, err := diskPaths(fsys)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		dir := "sys/bus/pci/devices/" + address
		d, ok := readPCI(fsys, dir)
		if !ok {
			continue
		}
		remapped := attribute(fsys, dir, "remapped_nvme") // of the driver ahci
		switch {
		case remapped != "" && remapped != "0":
			h.hide(d, "hides NVMe disks: set it to AHCI in the firmware's setup, or no disk is found")
		case isRAID(d) && !strings.Contains(disks, "/"+address+"/"):
			h.hide(d, "is in RAID mode and shows no disk: set it to AHCI or NVMe in the firmware's setup, or load its driver")
		}
	}
	return nil
}

func (h *Hints) hide(d profile.Device, why string) {
	name := "Storage controller"
	if strings.HasPrefix(d.ID, "8086:") {
		name = "Intel RST/VMD storage controller"
	}
	h.Hidden = append(h.Hidden, d)
	h.Notes = append(h.Notes, fmt.Sprintf("%s %s %s.", name, d.ID, why))
}

// isRAID reports whether a controller keeps its disks to itself: PCI class 01,
// subclass 04 (PCI Code and ID Assignment 1.11, section 1.2), which Intel's VMD
// has as well.
func isRAID(d profile.Device) bool { return strings.HasPrefix(d.Class, "0104") }

// diskPaths are the places of all block devices among the devices, one a line.
func diskPaths(fsys fs.FS) (string, error) {
	names, err := list(fsys, "sys/block")
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, name := range names {
		if target, err := fs.ReadLink(fsys, path.Join("sys/block", name)); err == nil {
			all.WriteString(target + "\n")
		}
	}
	return all.String(), nil
}

// secret reports whether a file is there that may not be read.
func secret(fsys fs.FS, name string) bool {
	if _, err := fs.Stat(fsys, name); err != nil {
		return false
	}
	f, err := fsys.Open(name)
	if err != nil {
		return true
	}
	f.Close()
	return false
}
