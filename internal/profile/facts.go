package profile

import (
	"fmt"
	"strings"
)

// Facts are what is known of a machine, for patterns and for choosing drivers.
// Package machine reads them of the machine it runs on. What is not known is "".
type Facts struct {
	Maker    string   `json:"maker,omitempty"`
	Model    string   `json:"model,omitempty"`
	Version  string   `json:"version,omitempty"` // of the model; where Model is a number, as with Lenovo, its name: "ThinkPad T14 Gen 3"
	SKU      string   `json:"sku,omitempty"`
	Serial   string   `json:"serial,omitempty"`
	UUID     string   `json:"uuid,omitempty"`
	Board    string   `json:"board,omitempty"` // serial of the main board
	Asset    string   `json:"asset,omitempty"`
	MACs     []string `json:"macs,omitempty"`     // "52:54:00:12:34:56", of built-in interfaces first
	Firmware string   `json:"firmware,omitempty"` // "uefi" or "bios"
	Devices  []Device `json:"devices,omitempty"`
}

// Device is a piece of hardware that wants a driver.
type Device struct {
	Bus      string `json:"bus"`              // "pci" or "usb"
	ID       string `json:"id"`               // vendor:device, lower case hex: "8086:15f3"
	Class    string `json:"class,omitempty"`  // PCI class, six hex digits; USB class, two
	Subsys   string `json:"subsys,omitempty"` // PCI subsystem vendor:device
	Modalias string `json:"modalias,omitempty"`
	Driver   string `json:"driver,omitempty"` // bound now
}

// String names the machine for people.
func (f Facts) String() string {
	mac := ""
	if len(f.MACs) > 0 {
		mac = f.MACs[0]
	}
	for _, known := range []struct{ what, value string }{
		{"serial", f.Serial}, {"asset", f.Asset}, {"UUID", f.UUID}, {"MAC", mac},
	} {
		if value := clean(known.value); value != "" {
			return fmt.Sprintf("the machine with %s %s", known.what, strings.Trim(shown(value), `"`))
		}
	}
	return "a machine of which nothing is known"
}
