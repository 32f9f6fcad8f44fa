package wire

import "github.com/ingot-imaging/ingot/internal/profile"

// Inventory is what an agent knows of its machine. All of it comes from firmware
// and disks, and none of it is trusted: a server cuts and cleans what it keeps.
type Inventory struct {
	profile.Facts
	CPU        string   `json:"cpu,omitempty"` // model name
	Cores      int      `json:"cores,omitempty"`
	Memory     int64    `json:"memory,omitempty"`     // bytes
	SecureBoot string   `json:"secureBoot,omitempty"` // "on", "off"; "" where there is none
	TPM        string   `json:"tpm,omitempty"`        // "2.0", "1.2"; "" for none
	BIOS       string   `json:"bios,omitempty"`       // maker, version and date of the firmware
	Disks      []Disk   `json:"disks,omitempty"`
	NICs       []NIC    `json:"nics,omitempty"`
	Notes      []string `json:"notes,omitempty"` // what stands in the way: disks hidden by a RAID mode
}

// Disk is a disk of a machine.
type Disk struct {
	Path      string `json:"path"` // "/dev/nvme0n1"
	Model     string `json:"model,omitempty"`
	Serial    string `json:"serial,omitempty"`
	WWN       string `json:"wwn,omitempty"`
	Transport string `json:"transport,omitempty"` // "nvme", "sata", "usb", "virtio", ...
	Size      int64  `json:"size"`                // bytes
	Sector    int    `json:"sector"`              // logical, bytes
	Removable bool   `json:"removable,omitempty"`
	ReadOnly  bool   `json:"readOnly,omitempty"`
	Health    string `json:"health,omitempty"` // SMART: "ok", "failing", "" when unknown; with words behind a colon
	Holds     string `json:"holds,omitempty"`  // "GPT: ntfs 'Windows', fat32, ..."
}

// NIC is a network interface of a machine.
type NIC struct {
	Name   string `json:"name"`
	MAC    string `json:"mac"`
	Driver string `json:"driver,omitempty"`
	USB    bool   `json:"usb,omitempty"` // a dongle or a dock: its address belongs to no machine
	Link   bool   `json:"link,omitempty"`
	Speed  int    `json:"speed,omitempty"` // Mbit/s
	Addr   string `json:"addr,omitempty"`
}
