// Package drivers keeps driver sets, chooses those for a machine, and puts them
// into a system that is deployed to it.
//
// It owns the form of a driver library (doc/drivers.md): plain folders, each set
// with a match.yaml that says for which machines and systems it is, or an
// 'Out-of-box Drivers' tree whose folders are maker and model. It reads INF files
// as far as hardware IDs go, and what a Linux or Windows image brings itself, to
// tell which devices of a machine nobody claims. A set that is broken is a note
// and never stops the others. It installs nothing: the system that was deployed
// does, from where Stage put things.
//
// Start at Load, then Library.Choose, then Stage.
package drivers

import (
	"io/fs"
	"path"
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// OS is a kind of operating system, as match.yaml names it.
type OS string

const (
	Linux   OS = "linux"
	Windows OS = "windows"
)

// Library is all driver sets below one folder.
type Library struct {
	Sets []Set // sorted by name
	fsys fs.FS
}

// Set is the drivers for some machines.
type Set struct {
	Name     string // its folder below the library's
	Match    Match
	Imported bool // the names of its folders stand for its match.yaml
	Bytes    int64
	files    []string // below the library's folder, sorted; without match.yaml
}

// The kinds of file that a set is made of, by their endings. Everything else in a
// Windows set is staged beside its INF files; in a Linux set it is left out.
func isINF(name string) bool     { return hasEnding(name, ".inf") }
func isPackage(name string) bool { return hasEnding(name, ".deb", ".rpm") }
func isModule(name string) bool {
	return hasEnding(name, ".ko", ".ko.xz", ".ko.zst", ".ko.gz")
}

// isFirmware reports whether a file lies in a folder named firmware.
func isFirmware(name string) bool {
	_, ok := firmwareName(name)
	return ok
}

// firmwareName is the name that the kernel asks for: what is below the folder.
func firmwareName(name string) (string, bool) {
	elems := strings.Split(name, "/")
	for i, e := range elems[:len(elems)-1] {
		if strings.EqualFold(e, "firmware") {
			return path.Join(elems[i+1:]...), true
		}
	}
	return "", false
}

func isDriver(name string) bool {
	return isINF(name) || isPackage(name) || isModule(name) || isFirmware(name)
}

func hasEnding(name string, endings ...string) bool {
	name = strings.ToLower(name)
	for _, e := range endings {
		if strings.HasSuffix(name, e) {
			return true
		}
	}
	return false
}

// Devices that want a driver of their own, by PCI class (PCI Code and ID
// Assignment 1.11): the others, as bridges and timers, work without one.
func wantsDriver(d profile.Device) bool {
	if d.Bus != "pci" {
		return true
	}
	for _, class := range []string{"01", "02", "03", "04", "07", "09", "0c", "0d", "0e"} {
		if strings.HasPrefix(d.Class, class) {
			return true
		}
	}
	return d.Class == ""
}

// bootCritical reports whether a system may not find its disk without a driver for d.
func bootCritical(d profile.Device) bool { return d.Bus == "pci" && strings.HasPrefix(d.Class, "01") }
