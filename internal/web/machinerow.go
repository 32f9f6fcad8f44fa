package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// machineRow is a machine in a list.
type machineRow struct {
	ID, Name  string
	Hostname  string
	State     badge
	Online    bool
	Expected  bool // imported and never seen
	Model     string
	Serial    string
	MAC       string
	Addr      string
	Groups    []string
	Disks     string // "512 GiB, 1.82 TiB"
	Sick      bool   // a disk says that it fails
	Conflicts int
	Seen      moment
}

func newMachineRow(m fleet.Machine, now time.Time) machineRow {
	row := machineRow{
		ID: m.ID, Name: m.Name, Hostname: m.Hostname, State: machineBadge(m), Online: m.Online(now), Expected: m.Expected,
		Model: machineModel(m), Serial: m.Inventory.Serial, MAC: firstMAC(m), Addr: m.Addr, Groups: m.Groups,
		Conflicts: len(m.Conflicts), Seen: moment{m.LastSeen, now},
	}
	var disks []string
	for _, d := range m.Inventory.Disks {
		row.Sick = row.Sick || failing(d)
		if !d.Removable {
			disks = append(disks, size(d.Size))
		}
	}
	row.Disks = strings.Join(disks, ", ")
	return row
}

// machineModel is maker and model, without saying the maker twice.
func machineModel(m fleet.Machine) string {
	maker, model := m.Inventory.Maker, cmp.Or(m.Inventory.Model, m.Inventory.Version)
	if m.Inventory.Version != "" && strings.HasPrefix(maker, "LENOVO") {
		model = m.Inventory.Version // its model is a number
	}
	if strings.HasPrefix(strings.ToLower(model), strings.ToLower(maker)) {
		return model
	}
	return strings.TrimSpace(maker + " " + model)
}

func firstMAC(m fleet.Machine) string {
	if len(m.Identity.MACs) > 0 {
		return m.Identity.MACs[0]
	}
	if i := slices.IndexFunc(m.Inventory.NICs, func(n wire.NIC) bool { return !n.USB }); i >= 0 {
		return m.Inventory.NICs[i].MAC
	}
	return ""
}

func failing(d wire.Disk) bool { return strings.HasPrefix(d.Health, "failing") }

func machineBadge(m fleet.Machine) badge {
	switch {
	case m.Stick && m.State == wire.Approved:
		return badge{"warn", "?", "started from a stick"}
	case m.State == wire.Approved:
		return badge{"good", "✓", "approved"}
	case m.State == wire.Rejected:
		return badge{"off", "■", "rejected"}
	}
	return badge{"warn", "?", "waits for approval"}
}
