package drivers

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// hardwareIDs are the names under which Windows looks for a driver for d, upper
// case (Microsoft, 'Identifiers for PCI devices' and 'Standard USB identifiers'):
// hardware IDs before compatible ones.
func hardwareIDs(d profile.Device) []string {
	vendor, device, ok := strings.Cut(strings.ToUpper(d.ID), ":")
	if !ok {
		return nil
	}
	if d.Bus == "usb" {
		return usbIDs(vendor, device, d)
	}
	id := fmt.Sprintf(`PCI\VEN_%s&DEV_%s`, vendor, device)
	var ids []string
	if v, s, ok := strings.Cut(strings.ToUpper(d.Subsys), ":"); ok {
		ids = append(ids, id+"&SUBSYS_"+s+v)
	}
	ids = append(ids, id)
	if c := strings.ToUpper(d.Class); len(c) == 6 {
		ids = append(ids, id+"&CC_"+c, id+"&CC_"+c[:4],
			`PCI\VEN_`+vendor+"&CC_"+c, `PCI\VEN_`+vendor+"&CC_"+c[:4], `PCI\VEN_`+vendor, `PCI\CC_`+c, `PCI\CC_`+c[:4])
	}
	return ids
}

// usbInterface takes class, subclass, protocol and number of the interface out of
// a modalias (file2alias.c of the kernel).
var usbInterface = regexp.MustCompile(`ic([0-9A-F]{2})isc([0-9A-F]{2})ip([0-9A-F]{2})in([0-9A-F]{2})$`)

func usbIDs(vendor, product string, d profile.Device) []string {
	id := fmt.Sprintf(`USB\VID_%s&PID_%s`, vendor, product)
	m := usbInterface.FindStringSubmatch(d.Modalias)
	if m == nil {
		return append([]string{id}, classIDs(strings.ToUpper(d.Class))...)
	}
	return append([]string{id + "&MI_" + m[4], id,
		fmt.Sprintf(`USB\CLASS_%s&SUBCLASS_%s&PROT_%s`, m[1], m[2], m[3]), fmt.Sprintf(`USB\CLASS_%s&SUBCLASS_%s`, m[1], m[2])}, classIDs(m[1])...)
}

func classIDs(class string) []string {
	if class == "" {
		return nil
	}
	return []string{`USB\CLASS_` + class}
}

// revision is what an INF may name more closely than a machine's facts do.
var revision = regexp.MustCompile(`&REV_[0-9A-F]{2,4}`)

// idSet answers which devices the IDs of INF files claim.
type idSet map[string]struct{}

// add takes an ID, without the revision, which facts do not have: in doubt a
// driver is for all of them.
func (s idSet) add(id string) { s[revision.ReplaceAllString(id, "")] = struct{}{} }

// Claims makes the IDs of an image what the system brings.
func (s idSet) Claims(d profile.Device) bool {
	for _, id := range hardwareIDs(d) {
		if _, ok := s[id]; ok {
			return true
		}
	}
	return false
}
