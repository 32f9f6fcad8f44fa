package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// How much of a machine's history its page shows.
const (
	machineJobs  = 15
	machineBoots = 12
)

// machineBody is everything about a machine.
type machineBody struct {
	CSRF      string
	Operator  bool
	Row       machineRow
	Why       string
	Notes     string
	Values    []fact
	Identity  []fact
	Hardware  []fact
	Conflicts []string
	Warnings  []string // what stands in the way, by the agent's word
	Disks     []diskRow
	NICs      []wire.NIC
	Jobs      []jobRow
	Boots     []bootRow
	First     moment
}

// diskRow is a disk of a machine.
type diskRow struct {
	wire.Disk
	Badge  badge  // of its health
	Health string // in words
	Kind   string // "NVMe, 512 bytes a sector"
}

func newDiskRow(d wire.Disk) diskRow {
	row := diskRow{Disk: d, Badge: badge{"off", "–", "health not known"}}
	state, words, _ := strings.Cut(d.Health, ":")
	row.Health = strings.TrimSpace(words)
	switch state {
	case "ok":
		row.Badge = badge{"good", "✓", "healthy"}
	case "failing":
		row.Badge = badge{"bad", "✕", "failing"}
	}
	var kind []string
	if d.Transport != "" {
		kind = append(kind, d.Transport)
	}
	if d.Removable {
		kind = append(kind, "removable")
	}
	if d.ReadOnly {
		kind = append(kind, "read-only")
	}
	if d.Sector > 0 {
		kind = append(kind, fmt.Sprintf("%d-byte sectors", d.Sector))
	}
	row.Kind = strings.Join(kind, ", ")
	return row
}

func (r reader) machine(id string) (machineBody, error) {
	m, err := r.ctl.Machine(r.ctx, r.actor, id)
	if err != nil {
		return machineBody{}, err
	}
	body := newMachineBody(m, r)
	if body.Jobs, _, err = r.jobs(control.JobFilter{Machine: m.ID, Limit: machineJobs}); err != nil {
		return body, err
	}
	if mac := body.Row.MAC; mac != "" {
		records, err := r.ctl.BootRecords(r.ctx, r.actor, control.Page{Match: mac, Limit: machineBoots})
		if err != nil {
			return body, err
		}
		body.Boots = newBootRows(records, r.now)
	}
	return body, nil
}

func newMachineBody(m fleet.Machine, r reader) machineBody {
	body := machineBody{
		Operator: r.actor.Role.May(fleet.Operator), Row: newMachineRow(m, r.now), Why: m.Why, Notes: m.Notes,
		Identity: identityFacts(m), Hardware: hardwareFacts(m.Inventory), Conflicts: m.Conflicts, Warnings: m.Inventory.Notes,
		NICs: m.Inventory.NICs, First: moment{m.FirstSeen, r.now},
	}
	for _, d := range m.Inventory.Disks {
		body.Disks = append(body.Disks, newDiskRow(d))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Values)) {
		body.Values = append(body.Values, fact{name, m.Values[name]})
	}
	return body
}

func identityFacts(m fleet.Machine) []fact {
	return known(
		fact{"Serial", m.Inventory.Serial}, fact{"Asset tag", m.Inventory.Asset}, fact{"UUID", m.Identity.UUID},
		fact{"Board", m.Identity.Board}, fact{"MAC", strings.Join(m.Identity.MACs, ", ")},
		fact{"Disks", strings.Join(m.Identity.Disks, ", ")}, fact{"ID", m.ID})
}

func hardwareFacts(inv wire.Inventory) []fact {
	cpu := inv.CPU
	if inv.Cores > 0 {
		cpu = strings.TrimSpace(fmt.Sprintf("%s, %s", cpu, counted(inv.Cores, "core", "cores")))
	}
	memory := ""
	if inv.Memory > 0 {
		memory = size(inv.Memory)
	}
	firmware := map[string]string{"uefi": "UEFI", "bios": "BIOS"}[inv.Firmware]
	tpm := inv.TPM
	if tpm == "" && inv.Firmware != "" {
		tpm = "none"
	}
	secure := inv.SecureBoot
	if secure == "" && inv.Firmware != "" {
		secure = "not there"
	}
	return known(fact{"Model", strings.TrimSpace(inv.Maker + " " + inv.Model)}, fact{"Version", inv.Version}, fact{"CPU", cpu}, fact{"Memory", memory},
		fact{"Starts by", firmware}, fact{"Secure Boot", secure}, fact{"TPM", tpm}, fact{"Firmware", inv.BIOS})
}

// known leaves out facts without a value.
func known(facts ...fact) []fact {
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

func (b machineBody) parts() []livePart {
	return []livePart{
		{ID: "machine-state", Template: "machine-state", Data: b},
		{ID: "machine-actions", Template: "machine-actions", Data: b},
		{ID: "machine-work", Template: "machine-work", Data: b},
		{ID: "machine-inventory", Template: "machine-inventory", Data: b},
		{ID: "machine-boots", Template: "machine-boots", Data: b},
	}
}

func showMachine(v *visit) error {
	body, err := v.reader().machine(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	body.CSRF = v.csrf
	return v.render(http.StatusOK, "machine", page{Title: body.Row.Name, Nav: "machines", Live: "/events/machines/" + body.Row.ID,
		Up: []link{{"/machines", "Machines"}}, Body: body})
}

func machineLive(v *visit) func(reader) (liveBody, error) {
	id := v.r.PathValue("id")
	return func(r reader) (liveBody, error) { return r.machine(id) }
}

func leaveGroup(v *visit) error {
	id, group := v.r.PathValue("id"), v.field("group")
	if err := v.ctl.Leave(v.r.Context(), v.actor, group, []string{id}); err != nil {
		return err
	}
	return v.redirect("/machines/"+id, "It left the group %s.", group)
}
