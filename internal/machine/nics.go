package machine

import (
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// usbPlace is a USB device on the way to another in sysfs.
var usbPlace = regexp.MustCompile(`/usb\d+/`)

// readNICs returns the interfaces that hardware stands behind, sorted by name.
func readNICs(fsys fs.FS) ([]wire.NIC, error) {
	names, err := list(fsys, "sys/class/net")
	if err != nil {
		return nil, err
	}
	var nics []wire.NIC
	for _, name := range names {
		dir := "sys/class/net/" + name
		if attribute(fsys, dir, "type") != ethernet || link(fsys, dir, "device/subsystem") == "" {
			continue
		}
		mac := strings.ToLower(attribute(fsys, dir, "address"))
		if !macAddress.MatchString(mac) {
			continue
		}
		nics = append(nics, wire.NIC{
			Name: name, MAC: mac, Driver: link(fsys, dir, "device/driver"),
			USB:  link(fsys, dir, "device/subsystem") == "usb" || usbPlace.MatchString(target(fsys, dir)),
			Link: attribute(fsys, dir, "carrier") == "1", Speed: speed(fsys, dir),
		})
	}
	return nics, nil
}

// target is what a symbolic link says, "" when there is none.
func target(fsys fs.FS, elem ...string) string {
	s, err := fs.ReadLink(fsys, path.Join(elem...))
	if err != nil {
		return ""
	}
	return s
}

// speed is that of the link in Mbit/s; 0 when there is none: the kernel says -1
// then, or refuses to be read.
func speed(fsys fs.FS, dir string) int {
	n, err := strconv.Atoi(attribute(fsys, dir, "speed"))
	if err != nil || n <= 0 || n > 1<<24 {
		return 0
	}
	return n
}
