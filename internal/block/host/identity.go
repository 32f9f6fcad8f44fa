package host

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
)

// identify fills in what distinguishes one disk from another of its kind. The
// kernel comes first; udev's database, which may not be there (boot
// environment), fills gaps.
func (s system) identify(disk node, d *Disk) {
	udev := s.udev(disk)
	d.Transport = transport(disk)
	d.Vendor = disk.attr("device/vendor")
	d.Model = first(disk.attr("device/model"), disk.attr("device/name"))
	if strings.HasPrefix(d.Vendor, "0x") { // virtio and PCI put a number here
		d.Vendor = ""
	}
	// A SATA disk answers as SCSI with vendor "ATA" and a model cut to 16 bytes.
	if d.Vendor == "ATA" {
		d.Vendor = ""
		d.Model = first(strings.ReplaceAll(udev["ID_MODEL"], "_", " "), d.Model)
	}
	d.Model = first(d.Model, strings.ReplaceAll(udev["ID_MODEL"], "_", " "))
	if d.Transport == "loop" {
		d.Model = "loop device"
	}
	d.Serial = first(printable(disk.attr("device/serial")), printable(disk.attr("serial")), vpdSerial(disk), udev["ID_SERIAL_SHORT"])
	d.WWN = first(disk.attr("wwid"), disk.attr("device/wwid"), udev["ID_WWN"])
}

// transport is told by the driver's folders on the way to the device.
func transport(disk node) string {
	name := disk.name()
	for _, t := range []struct{ prefix, transport string }{
		{"nvme", "nvme"}, {"mmcblk", "mmc"}, {"loop", "loop"}, {"md", "md"}, {"xvd", "xen"}, {"nbd", "nbd"}, {"pmem", "pmem"},
	} {
		if strings.HasPrefix(name, t.prefix) {
			return t.transport
		}
	}
	for _, t := range []struct{ folder, transport string }{
		// USB first: a card reader or a SATA bridge hangs on it.
		{"/usb", "usb"}, {"/ata", "sata"}, {"/end_device-", "sas"}, {"/virtio", "virtio"}, {"/host", "scsi"},
	} {
		if strings.Contains(disk.dir, t.folder) {
			return t.transport
		}
	}
	return ""
}

// vpdSerial is the unit serial number page of a SCSI disk. Source: SPC-4,
// 7.8.15: byte 1 is the page code, bytes 2 and 3 the length of what follows.
func vpdSerial(disk node) string {
	b, err := os.ReadFile(filepath.Join(disk.dir, "device/vpd_pg80"))
	if err != nil || len(b) < 4 || b[1] != 0x80 {
		return ""
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	return printable(string(b[4:min(len(b), 4+n)]))
}

// printable returns s trimmed, or "" when it is not text: some USB bridges
// answer with whatever was in their memory.
func printable(s string) string {
	s = strings.Trim(s, " \x00")
	for _, r := range s {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) {
			return ""
		}
	}
	return s
}

// udev reads the properties ("E:KEY=value") that udev keeps of a device.
func (s system) udev(n node) map[string]string {
	dev, err := n.dev()
	if err != nil {
		return nil
	}
	b, err := os.ReadFile(s.path("run/udev/data", fmt.Sprintf("b%d:%d", unix.Major(dev), unix.Minor(dev))))
	if err != nil {
		return nil
	}
	properties := map[string]string{}
	for line := range strings.Lines(string(b)) {
		property, ok := strings.CutPrefix(strings.TrimSpace(line), "E:")
		if key, value, found := strings.Cut(property, "="); ok && found {
			properties[key] = value
		}
	}
	return properties
}

func first(candidates ...string) string {
	for _, c := range candidates {
		if c != "" {
			return c
		}
	}
	return ""
}
