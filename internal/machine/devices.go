package machine

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// readDevices returns what wants a driver on the PCI and USB buses, in the order
// of their addresses.
func readDevices(fsys fs.FS) ([]profile.Device, error) {
	pci, err := list(fsys, "sys/bus/pci/devices")
	if err != nil {
		return nil, err
	}
	usb, err := list(fsys, "sys/bus/usb/devices")
	if err != nil {
		return nil, err
	}
	var devices []profile.Device
	for _, address := range pci {
		if d, ok := readPCI(fsys, "sys/bus/pci/devices/"+address); ok {
			devices = append(devices, d)
		}
	}
	for _, address := range usb {
		if d, ok := readUSB(fsys, address); ok && !slices.Contains(devices, d) {
			devices = append(devices, d)
		}
	}
	return devices, nil
}

func readPCI(fsys fs.FS, dir string) (profile.Device, bool) {
	id := pair(hex(fsys, 4, dir, "vendor"), hex(fsys, 4, dir, "device"))
	if id == "" {
		return profile.Device{}, false
	}
	return profile.Device{
		Bus:      "pci",
		ID:       id,
		Class:    hex(fsys, 6, dir, "class"),
		Subsys:   pair(hex(fsys, 4, dir, "subsystem_vendor"), hex(fsys, 4, dir, "subsystem_device")),
		Modalias: attribute(fsys, dir, "modalias"),
		Driver:   link(fsys, dir, "driver"),
	}, true
}

// usbInterface is the name of an interface of a USB device, to which a driver
// binds: bus-port.port:configuration.interface.
var usbInterface = regexp.MustCompile(`^(\d+-\d+(?:\.\d+)*):\d+\.\d+$`)

// readUSB returns one interface of a USB device. Hubs are no device that anyone
// misses a driver for.
func readUSB(fsys fs.FS, name string) (profile.Device, bool) {
	m := usbInterface.FindStringSubmatch(name)
	if m == nil {
		return profile.Device{}, false
	}
	dir, device := "sys/bus/usb/devices/"+name, "sys/bus/usb/devices/"+m[1]
	id := pair(hex(fsys, 4, device, "idVendor"), hex(fsys, 4, device, "idProduct"))
	class := hex(fsys, 2, dir, "bInterfaceClass")
	const hub = "09"
	if id == "" || class == hub {
		return profile.Device{}, false
	}
	return profile.Device{
		Bus:      "usb",
		ID:       id,
		Class:    class,
		Modalias: attribute(fsys, dir, "modalias"),
		Driver:   link(fsys, dir, "driver"),
	}, true
}

// hex returns an attribute of so many hexadecimal digits in lower case, without
// 0x; "" when it is none.
func hex(fsys fs.FS, digits int, elem ...string) string {
	s := strings.TrimPrefix(strings.ToLower(attribute(fsys, elem...)), "0x")
	if len(s) != digits || strings.Trim(s, "0123456789abcdef") != "" {
		return ""
	}
	return s
}

// pair is vendor:device, "" when one is missing or both are zero, as the
// subsystem of a bridge.
func pair(vendor, device string) string {
	if vendor == "" || device == "" || vendor+device == "00000000" {
		return ""
	}
	return vendor + ":" + device
}
