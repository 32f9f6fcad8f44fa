package fleet_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// optiplex is an office PC as most are: everything is set and unique.
func optiplex() wire.Inventory {
	return wire.Inventory{
		Facts: profile.Facts{
			Maker: "Dell Inc.", Model: "OptiPlex 7090", Serial: "5XK2R93", UUID: "4c4c4544-0058-4b10-8032-b5c04f523933",
			Board: "/5XK2R93/CNWS2001CA00BN/", Asset: "LAB-07", Firmware: "uefi",
		},
		Disks: []wire.Disk{{Path: "/dev/nvme0n1", Model: "PC711 NVMe SK hynix 512GB", Serial: "KN08N123710208H44", Transport: "nvme", Size: 512110190592}},
		NICs:  []wire.NIC{{Name: "eth0", MAC: "a4:bb:6d:11:22:33", Driver: "e1000e"}},
	}
}

// elitebook is another machine.
func elitebook() wire.Inventory {
	return wire.Inventory{
		Facts: profile.Facts{Maker: "HP", Model: "HP EliteBook 840 G8 Notebook PC", Serial: "5CG1234ABC", UUID: "37a1c4d5-1b1f-11ec-8e3f-5c60ba112233", Board: "PWXYZ0A1B2C3D4"},
		Disks: []wire.Disk{{Path: "/dev/nvme0n1", Model: "SAMSUNG MZVLB512HBJQ", Serial: "S4GENX0R123456", Transport: "nvme"}},
		NICs:  []wire.NIC{{Name: "eth0", MAC: "5c:60:ba:aa:bb:cc"}, {Name: "wlan0", MAC: "f4:4e:e3:01:02:03"}},
	}
}

func changed(inv wire.Inventory, change func(*wire.Inventory)) wire.Inventory {
	inv.Disks, inv.NICs = slices.Clone(inv.Disks), slices.Clone(inv.NICs)
	change(&inv)
	return inv
}

func TestIdentityOf(t *testing.T) {
	for name, test := range map[string]struct {
		inv  wire.Inventory
		want []string
	}{
		"all of it": {optiplex(), []string{
			"asset:lab-07", "board:/5xk2r93/cnws2001ca00bn/", "disk:pc711nvmeskhynix512gb/kn08n123710208h44",
			"mac:a4:bb:6d:11:22:33", "serial:5xk2r93", "uuid:4c4c4544-0058-4b10-8032-b5c04f523933"}},
		"what firmware leaves unset": {wire.Inventory{Facts: profile.Facts{
			Maker: "To Be Filled By O.E.M.", Serial: "Default string", UUID: "03000200-0400-0500-0006-000700080009", Board: "0000000", Asset: "No Asset Information"}}, nil},
		"VirtualBox": {wire.Inventory{Facts: profile.Facts{Maker: "innotek GmbH", Serial: "0", Board: "0", UUID: "A1B2C3D4-0000-4000-8000-0123456789AB"}},
			[]string{"uuid:a1b2c3d4-0000-4000-8000-0123456789ab"}},
		"VMware repeats the UUID as serial number": {wire.Inventory{Facts: profile.Facts{
			Maker: "VMware, Inc.", Serial: "VMware-56 4d 3f 12 aa bb cc dd-00 11 22 33 44 55 66 77", UUID: "123f4d56-bbaa-ddcc-0011-223344556677", Board: "None"}},
			[]string{"uuid:123f4d56-bbaa-ddcc-0011-223344556677"}},
		"libvirt repeats it too": {wire.Inventory{Facts: profile.Facts{Serial: "0b5b4a5e-8d2d-4f0a-9a39-5d2f4a1c7e11", UUID: "0b5b4a5e-8d2d-4f0a-9a39-5d2f4a1c7e11"}},
			[]string{"uuid:0b5b4a5e-8d2d-4f0a-9a39-5d2f4a1c7e11"}},
		"Hyper-V gives board and machine one number": {wire.Inventory{Facts: profile.Facts{Maker: "Microsoft Corporation", Serial: "1234-5678-9012-3456-7890-1234-56", Board: "1234-5678-9012-3456-7890-1234-56"}},
			[]string{"serial:1234-5678-9012-3456-7890-1234-56"}},
		"disks that leave": {wire.Inventory{Disks: []wire.Disk{
			{Path: "/dev/sdb", Model: "Ultra Fit", Serial: "4C530001230923117424", Transport: "usb"},
			{Path: "/dev/sdc", Model: "SD", Serial: "0x12345678", Removable: true},
			{Path: "/dev/sdd", Model: "LUN", Serial: "6001405abcdef", Transport: "iscsi"},
			{Path: "/dev/vda"},
			{Path: "/dev/sde", Model: "QEMU HARDDISK", Serial: "QM00001", Transport: "ata"},
			{Path: "/dev/sdf", Model: "QEMU HARDDISK", Serial: "drive-scsi0", Transport: "scsi"},
		}}, nil},
		"addresses of others": {wire.Inventory{
			Facts: profile.Facts{MACs: []string{"52:54:00:12:34:56", "00:e0:4c:68:12:34"}},
			NICs: []wire.NIC{
				{Name: "dock", MAC: "00:e0:4c:68:12:34", USB: true},
				{Name: "bridge", MAC: "02:42:ac:11:00:02"},
				{Name: "multicast", MAC: "01:00:5e:00:00:01"},
				{Name: "never written", MAC: "00:e0:4c:00:00:01"},
				{Name: "zero", MAC: "00:00:00:00:00:00"},
				{Name: "broken", MAC: "a4:bb:6d"},
				{Name: "a hypervisor's", MAC: "52-54-00-12-34-56"},
			}}, []string{"mac:52:54:00:12:34:56"}},
	} {
		if got := fleet.IdentityOf(test.inv).Keys(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q\nwant %q", name, got, test.want)
		}
	}
}

// Each case is a machine that is known, and what a machine says later: is it the
// same one?
func TestMatch(t *testing.T) {
	bare := func(macs ...string) wire.Inventory {
		var inv wire.Inventory
		for _, mac := range macs {
			inv.NICs = append(inv.NICs, wire.NIC{MAC: mac})
		}
		return inv
	}
	vm := func(uuid, mac string) wire.Inventory {
		return wire.Inventory{
			Facts: profile.Facts{Maker: "QEMU", Model: "Standard PC", UUID: uuid, MACs: []string{mac}},
			NICs:  []wire.NIC{{MAC: mac}}, Disks: []wire.Disk{{Path: "/dev/vda"}},
		}
	}
	const uuid1, uuid2 = "0b5b4a5e-8d2d-4f0a-9a39-5d2f4a1c7e11", "0b5b4a5e-8d2d-4f0a-9a39-5d2f4a1c7e22"
	otherBoard := func(inv *wire.Inventory) {
		inv.UUID, inv.Board, inv.NICs[0].MAC = uuid1, "CN-NEWBOARD-1", "a4:bb:6d:99:99:99"
	}
	dock := func(inv *wire.Inventory) {
		inv.NICs = append(inv.NICs, wire.NIC{Name: "dock", MAC: "00:50:b6:0a:0b:0c", USB: true})
	}
	thunderbolt := func(inv *wire.Inventory) {
		inv.NICs = append(inv.NICs, wire.NIC{Name: "dock", MAC: "64:4b:f0:10:20:30"}) // on PCI, as if built in
	}
	otherDisk := func(inv *wire.Inventory) { inv.Disks[0].Serial = "ANOTHER-DISK-1" }
	for name, test := range map[string]struct {
		known, later wire.Inventory
		same         bool
		conflict     string
	}{
		"nothing changed":                         {optiplex(), optiplex(), true, ""},
		"another machine":                         {optiplex(), elitebook(), false, ""},
		"a disk was swapped":                      {optiplex(), changed(optiplex(), otherDisk), true, ""},
		"no disk is left":                         {optiplex(), changed(optiplex(), func(i *wire.Inventory) { i.Disks = nil }), true, ""},
		"the disk is hidden, the radio is off":    {elitebook(), changed(elitebook(), func(i *wire.Inventory) { i.Disks, i.NICs = nil, i.NICs[:1] }), true, ""},
		"a board was replaced, with the serial":   {optiplex(), changed(optiplex(), otherBoard), true, ""},
		"a board and a disk were replaced":        {optiplex(), changed(optiplex(), func(i *wire.Inventory) { otherBoard(i); otherDisk(i) }), false, "serial number 5XK2R93 and asset tag LAB-07 are known's too, but not its UUID, board, MAC, disk"},
		"a board was replaced, serial not set":    {optiplex(), changed(optiplex(), func(i *wire.Inventory) { otherBoard(i); i.Serial = "Default string" }), false, "disk"},
		"a board with its UUID and serial moved":  {changed(optiplex(), func(i *wire.Inventory) { i.Disks = nil }), changed(optiplex(), func(i *wire.Inventory) { otherBoard(i); i.UUID = optiplex().UUID; i.Disks = nil }), true, ""},
		"a network card was replaced":             {optiplex(), changed(optiplex(), func(i *wire.Inventory) { i.NICs[0].MAC = "00:1b:21:01:02:03" }), true, ""},
		"firmware was reset to another UUID":      {optiplex(), changed(optiplex(), func(i *wire.Inventory) { i.UUID = uuid1 }), true, ""},
		"another maker by a firmware update":      {changed(elitebook(), func(i *wire.Inventory) { i.Maker = "Hewlett-Packard" }), elitebook(), true, ""},
		"a disk moved to another machine":         {optiplex(), changed(elitebook(), func(i *wire.Inventory) { i.Disks = optiplex().Disks }), false, "disk PC711 NVMe SK hynix 512GB/KN08N123710208H44 is known's too, but not its UUID, serial number, board, MAC"},
		"a disk moved to one without SMBIOS":      {optiplex(), changed(bare("00:1b:21:01:02:03"), func(i *wire.Inventory) { i.Disks = optiplex().Disks }), false, "disk"},
		"a disk moved to one that says nothing":   {optiplex(), wire.Inventory{Disks: optiplex().Disks}, false, "disk"},
		"two laptops share a USB dock":            {changed(optiplex(), dock), changed(elitebook(), dock), false, ""},
		"two laptops share a Thunderbolt dock":    {changed(optiplex(), thunderbolt), changed(elitebook(), thunderbolt), false, "MAC 64:4b:f0:10:20:30 is known's too"},
		"only a shared USB dongle":                {wire.Inventory{NICs: []wire.NIC{{MAC: "00:50:b6:0a:0b:0c", USB: true}}}, wire.Inventory{NICs: []wire.NIC{{MAC: "00:50:b6:0a:0b:0c", USB: true}}}, false, ""},
		"placeholders everywhere":                 {wire.Inventory{Facts: profile.Facts{Serial: "To be filled by O.E.M.", UUID: "03000200-0400-0500-0006-000700080009"}}, wire.Inventory{Facts: profile.Facts{Serial: "To be filled by O.E.M.", UUID: "03000200-0400-0500-0006-000700080009"}}, false, ""},
		"a cloned UUID":                           {optiplex(), changed(elitebook(), func(i *wire.Inventory) { i.UUID = optiplex().UUID }), false, "UUID 4c4c4544-0058-4b10-8032-b5c04f523933 is known's too, but not its serial number, board, MAC, disk"},
		"a cheap series: one UUID and one serial": {optiplex(), changed(elitebook(), func(i *wire.Inventory) { i.UUID, i.Serial, i.Maker = optiplex().UUID, "5XK2R93", "Dell" }), false, "UUID"},
		"one serial number of two makers":         {optiplex(), changed(elitebook(), func(i *wire.Inventory) { i.Serial = "5XK2R93" }), false, ""},
		"a VM":                                    {vm(uuid1, "52:54:00:00:00:01"), vm(uuid1, "52:54:00:00:00:01"), true, ""},
		"a VM's clone with a UUID of its own":     {vm(uuid1, "52:54:00:00:00:01"), vm(uuid2, "52:54:00:00:00:02"), false, ""},
		"a VM's clone with the same UUID":         {vm(uuid1, "52:54:00:00:00:01"), vm(uuid1, "52:54:00:00:00:02"), false, "UUID " + uuid1 + " is known's too, but not its MAC"},
		"a VM's clone with the same MAC":          {vm(uuid1, "52:54:00:00:00:01"), vm(uuid2, "52:54:00:00:00:01"), false, "MAC"},
		"no SMBIOS":                               {bare("a4:bb:6d:11:22:33"), bare("a4:bb:6d:11:22:33", "00:1b:21:01:02:03"), true, ""},
		"no SMBIOS, and another disk":             {changed(bare("a4:bb:6d:11:22:33"), func(i *wire.Inventory) { i.Disks = optiplex().Disks }), changed(bare("a4:bb:6d:11:22:33"), func(i *wire.Inventory) { i.Disks = elitebook().Disks }), false, "MAC"},
		"SMBIOS was filled in later":              {bare("a4:bb:6d:11:22:33"), optiplex(), true, ""},
		"nothing is known":                        {optiplex(), wire.Inventory{}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			known := []fleet.Machine{{ID: "m-1", Name: "known", Identity: fleet.IdentityOf(test.known)}}
			_, same, conflicts := fleet.Match(fleet.IdentityOf(test.later), known)
			if said := strings.Join(conflicts, "; "); same != test.same || !strings.Contains(said, test.conflict) || (said == "") != (test.conflict == "") {
				t.Errorf("same: %v, conflicts: %q; %+v", same, said, fleet.Compare(fleet.IdentityOf(test.later), known[0].Identity))
			}
		})
	}
}

// Two machines of which both could be it are told apart by a person.
func TestMatchOfTwo(t *testing.T) {
	id := fleet.IdentityOf(optiplex())
	a, b := fleet.Machine{ID: "m-a", Name: "a", Identity: id}, fleet.Machine{ID: "m-b", Name: "b"}
	b.Identity = fleet.IdentityOf(elitebook())
	b.Identity.MACs = id.MACs
	best, sure, conflicts := fleet.Match(id, []fleet.Machine{b, a})
	if best == nil || best.ID != "m-a" || !sure || len(conflicts) != 1 || !strings.HasPrefix(conflicts[0], "MAC a4:bb:6d:11:22:33 is b's too") {
		t.Errorf("%v %v %q", best, sure, conflicts)
	}
	// The board of one machine went into the case of another.
	a.Identity = fleet.Identity{Serial: id.Serial, Disks: id.Disks, UUID: b.Identity.UUID}
	b.Identity = fleet.Identity{UUID: id.UUID, Board: id.Board, MACs: id.MACs, Serial: b.Identity.Serial}
	if best, sure, conflicts := fleet.Match(id, []fleet.Machine{a, b}); best == nil || sure || len(conflicts) != 2 {
		t.Errorf("%v %v %q", best, sure, conflicts)
	}
	var many []fleet.Machine
	for range 300 {
		many = append(many, fleet.Machine{Name: "x", Identity: fleet.Identity{UUID: id.UUID, Serial: "Dell/OTHER"}})
	}
	if _, _, conflicts := fleet.Match(id, many); len(conflicts) != 9 || conflicts[8] != "and so on, with 292 more machines" {
		t.Errorf("%d: %q", len(conflicts), conflicts[len(conflicts)-1])
	}
}

func TestIdentityWith(t *testing.T) {
	was := fleet.IdentityOf(optiplex())
	radioOff := changed(optiplex(), func(i *wire.Inventory) { i.Disks, i.NICs, i.Asset = nil, nil, "" })
	if got := was.With(fleet.IdentityOf(radioOff)); !slices.Equal(got.Keys(), was.Keys()) {
		t.Errorf("%q", got.Keys())
	}
	later := fleet.Identity{Serial: "Dell Inc./5XK2R93", Disks: []string{"x/DISK2"}}
	if got := was.With(later); !slices.Equal(got.Disks, later.Disks) || !slices.Equal(got.MACs, was.MACs) || got.UUID != was.UUID {
		t.Errorf("%+v", got)
	}
}
