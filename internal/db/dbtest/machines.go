package dbtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Machine is the i-th of a room of machines that differ in everything.
func Machine(i int) fleet.Machine {
	m := fleet.Machine{
		ID: fmt.Sprintf("m-%06d", i), Name: fmt.Sprintf("Lab-%04d", i), State: wire.Approved, Groups: []string{"lab", "room-3"},
		Notes: "beside the window", Hostname: fmt.Sprintf("LAB%04d", i), Values: fleet.Values{"room": "3.14"}, Why: "by anna",
		FirstSeen: at(-i), LastSeen: at(i), Addr: fmt.Sprintf("10.1.%d.%d:40000", i/256, i%256), Boot: "b1",
		Conflicts: []string{"UUID x is lab-9's too"},
		Inventory: wire.Inventory{
			Facts: profile.Facts{Maker: "Dell Inc.", Model: "OptiPlex 7090", Serial: fmt.Sprintf("5XK%05d", i), Asset: fmt.Sprintf("INV-%d", i), Firmware: "uefi",
				UUID: fmt.Sprintf("4c4c4544-0058-4b10-8032-%012d", i)},
			CPU: "Intel(R) Core(TM) i5-10505", Cores: 6, Memory: 16 << 30,
			Disks: []wire.Disk{{Path: "/dev/nvme0n1", Model: "PC711", Serial: fmt.Sprintf("KN08N%08d", i), Transport: "nvme", Size: 512 << 30}},
			NICs:  []wire.NIC{{Name: "eth0", MAC: fmt.Sprintf("a4:bb:6d:%02x:%02x:%02x", i>>16&0xff, i>>8&0xff, i&0xff)}},
		},
	}
	m.Identity = fleet.IdentityOf(m.Inventory)
	return m
}

func testMachine(t *testing.T, r control.Records) {
	ctx := background(t)
	m := Machine(1)
	must(t, r.PutMachine(ctx, m))
	got(t, m)(r.Machine(ctx, m.ID))
	m.State, m.Groups, m.Values, m.Hostname = wire.Rejected, nil, nil, ""
	m.Identity.MACs = []string{"a4:bb:6d:ff:ff:ff"}
	must(t, r.PutMachine(ctx, m))
	got(t, m)(r.Machine(ctx, m.ID))
	if like, err := r.MachinesLike(ctx, fleet.Identity{MACs: []string{"a4:bb:6d:00:00:01"}}); err != nil || len(like) > 0 {
		t.Errorf("found by an address that it has no longer: %v, %v", like, err)
	}
	must(t, r.PutAgentSession(ctx, fleet.AgentSession{Hash: []byte("s"), Machine: m.ID, Made: at(0)}))
	must(t, r.PutJob(ctx, fleet.Job{ID: "j-1", Machine: m.ID, State: fleet.Queued}))
	must(t, r.RemoveMachine(ctx, m.ID))
	_, err := r.Machine(ctx, m.ID)
	absent(t, err)
	_, err = r.AgentSession(ctx, []byte("s"))
	absent(t, err)
	if _, err := r.Job(ctx, "j-1"); err != nil {
		t.Errorf("its job: %v", err)
	}
	absent(t, r.RemoveMachine(ctx, m.ID))
}

func testMachineNames(t *testing.T, r control.Records) {
	ctx := background(t)
	a, b := Machine(1), Machine(2)
	b.Hostname = "Other"
	must(t, r.PutMachine(ctx, a))
	must(t, r.PutMachine(ctx, b))
	got(t, a)(r.MachineNamed(ctx, "LAB-0001"))
	_, err := r.MachineNamed(ctx, "lab-0003")
	absent(t, err)
	b.Name = "lab-0001"
	if err := r.PutMachine(ctx, b); !errors.Is(err, control.ErrDuplicate) {
		t.Errorf("a name twice: %v", err)
	}
	// After a refusal a transaction goes on.
	must(t, r.InTx(ctx, func(ctx context.Context, r control.Records) error {
		if err := r.PutMachine(ctx, b); !errors.Is(err, control.ErrDuplicate) {
			t.Errorf("a name twice: %v", err)
		}
		b.Name = "lab-0001-2"
		return r.PutMachine(ctx, b)
	}))
	got(t, b)(r.Machine(ctx, b.ID))
	uses, err := r.MachineNames(ctx, []string{"LAB-0001", "lab0001", "OTHER", "nobody", ""})
	want := []control.NameUse{{Name: "lab-0001", Machine: a.ID}, {Name: "lab0001", Machine: a.ID}, {Name: "other", Machine: b.ID}}
	if err != nil || !reflect.DeepEqual(uses, want) {
		t.Errorf("%v, %v", uses, err)
	}
}

func testMachinesLike(t *testing.T, r control.Records) {
	ctx := background(t)
	for i := range 5 {
		must(t, r.PutMachine(ctx, Machine(i)))
	}
	like := func(id fleet.Identity, want ...string) {
		t.Helper()
		machines, err := r.MachinesLike(ctx, id)
		ids := each(machines, func(m fleet.Machine) string { return m.ID })
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("%+v: %v, %v", id, ids, err)
		}
	}
	two, three := Machine(2).Identity, Machine(3).Identity
	like(two, "m-000002")
	like(fleet.Identity{UUID: two.UUID, Disks: three.Disks}, "m-000002", "m-000003")
	like(fleet.Identity{Serial: "/" + strings.ToLower(Machine(4).Inventory.Serial)}, "m-000004")
	like(fleet.Identity{MACs: []string{"00:00:5e:00:53:01"}})
	like(fleet.Identity{})
	// What hundreds share does not hide the one that shares more.
	for i := 100; i < 250; i++ {
		m := Machine(i)
		m.Identity.UUID = two.UUID
		must(t, r.PutMachine(ctx, m))
	}
	machines, err := r.MachinesLike(ctx, fleet.Identity{UUID: two.UUID, Serial: Machine(249).Identity.Serial})
	if err != nil || !slices.ContainsFunc(machines, func(m fleet.Machine) bool { return m.ID == "m-000249" }) || len(machines) < 2 {
		t.Errorf("%d machines, %v", len(machines), err)
	}
}

func testMachineList(t *testing.T, r control.Records) {
	ctx := background(t)
	for i := range 30 {
		m := Machine(i)
		switch {
		case i < 10:
			m.State, m.Groups = wire.Pending, nil
		case i < 15:
			m.Inventory.Maker, m.Inventory.Model, m.Groups = "LENOVO", "100%_sure", []string{"office"}
		case i < 20:
			m.Boot = ""
		}
		must(t, r.PutMachine(ctx, m))
	}
	yes, no := true, false
	for name, test := range map[string]struct {
		filter control.MachineFilter
		total  int
		first  string
	}{
		"all":              {control.MachineFilter{}, 30, "m-000000"},
		"pending":          {control.MachineFilter{State: wire.Pending}, 10, "m-000000"},
		"a group":          {control.MachineFilter{Group: "office"}, 5, "m-000010"},
		"no such group":    {control.MachineFilter{Group: "Office"}, 0, ""},
		"a maker":          {control.MachineFilter{Maker: "LENOVO"}, 5, "m-000010"},
		"part of a maker":  {control.MachineFilter{Maker: "LENO"}, 0, ""},
		"online":           {control.MachineFilter{Online: &yes, Since: at(24)}, 5, "m-000025"},
		"offline":          {control.MachineFilter{Online: &no, Since: at(9)}, 15, "m-000000"},
		"several":          {control.MachineFilter{Search: "optiplex", Group: "lab", State: wire.Approved}, 15, "m-000015"},
		"a name":           {control.MachineFilter{Search: "AB-002"}, 10, "m-000020"},
		"a host name":      {control.MachineFilter{Search: "lab0007"}, 1, "m-000007"},
		"a serial number":  {control.MachineFilter{Search: "5xk00003"}, 1, "m-000003"},
		"an asset tag":     {control.MachineFilter{Search: "inv-29"}, 1, "m-000029"},
		"a MAC":            {control.MachineFilter{Search: "6D:00:00:1d"}, 1, "m-000029"},
		"digits of a MAC":  {control.MachineFilter{Search: "6D00001d"}, 1, "m-000029"},
		"an address":       {control.MachineFilter{Search: "10.1.0.12:"}, 1, "m-000012"},
		"notes":            {control.MachineFilter{Search: "the Window"}, 30, "m-000000"},
		"not a pattern":    {control.MachineFilter{Search: "100%_s"}, 5, "m-000010"},
		"nor one":          {control.MachineFilter{Search: "%"}, 5, "m-000010"},
		"a backslash":      {control.MachineFilter{Search: `\`}, 0, ""},
		"not across texts": {control.MachineFilter{Search: "inc.optiplex"}, 0, ""},
		"SQL":              {control.MachineFilter{Search: `' OR '1'='1`}, 0, ""},
		"a page":           {control.MachineFilter{Offset: 5, Limit: 10}, 30, "m-000005"},
		"the last page":    {control.MachineFilter{Offset: 29, Limit: 10}, 30, "m-000029"},
		"behind the last":  {control.MachineFilter{Offset: 50, Limit: 10}, 30, ""},
	} {
		machines, total, err := r.Machines(ctx, test.filter)
		first := ""
		if len(machines) > 0 {
			first = machines[0].ID
		}
		left := max(0, total-test.filter.Offset)
		if test.filter.Limit > 0 {
			left = min(left, test.filter.Limit)
		}
		if err != nil || total != test.total || first != test.first || len(machines) != left {
			t.Errorf("%s: %d of %d machines from %q, want %d from %q; %v", name, len(machines), total, first, test.total, test.first, err)
		}
	}
	counts, err := r.MachineCounts(ctx, at(24))
	if err != nil || !reflect.DeepEqual(counts, control.MachineCounts{State: map[wire.State]int{wire.Pending: 10, wire.Approved: 20}, Online: 5}) {
		t.Errorf("%+v, %v", counts, err)
	}
}

func testMachineOrder(t *testing.T, r control.Records) {
	ctx := background(t)
	for i, name := range []string{"b", "A", "c", "Z", "\u00fc"} {
		m := Machine(i)
		m.Name, m.Inventory.Maker, m.LastSeen = name, "Maker", at(10-i)
		if i == 2 {
			m.LastSeen = time.Time{}
		}
		must(t, r.PutMachine(ctx, m))
	}
	for sort, want := range map[string]string{
		"": "1 0 2 3 4", "-name": "4 3 2 0 1", "seen": "2 4 3 1 0", "-seen": "0 1 3 4 2", "first": "4 3 2 1 0", "maker": "0 1 2 3 4", "-maker": "0 1 2 3 4",
		"serial": "0 1 2 3 4", "-serial": "4 3 2 1 0", "addr": "0 1 2 3 4", "state": "0 1 2 3 4", "model": "0 1 2 3 4",
	} {
		machines, _, err := r.Machines(ctx, control.MachineFilter{Sort: sort})
		order := strings.Join(each(machines, func(m fleet.Machine) string { return m.ID[7:] }), " ")
		if err != nil || order != want {
			t.Errorf("%q: %s, want %s; %v", sort, order, want, err)
		}
	}
	if _, _, err := r.Machines(ctx, control.MachineFilter{Sort: "data; DROP TABLE machines"}); err == nil {
		t.Error("sorted by what is no column")
	}
}

func testTouch(t *testing.T, r control.Records) {
	ctx := background(t)
	m := Machine(1)
	must(t, r.PutMachine(ctx, m))
	must(t, r.TouchMachines(ctx, []control.Seen{{Machine: m.ID, At: at(99), Addr: "10.9.9.9:1"}, {Machine: "m-gone", At: at(1)}}))
	m.LastSeen, m.Addr = at(99), "10.9.9.9:1"
	got(t, m)(r.Machine(ctx, m.ID))
	must(t, r.TouchMachines(ctx, nil))
}

func testGroups(t *testing.T, r control.Records) {
	ctx := background(t)
	must(t, r.PutGroup(ctx, fleet.Group{Name: "office", Notes: "3rd floor", Machines: 99}))
	must(t, r.PutMachine(ctx, Machine(1)))
	must(t, r.PutMachine(ctx, Machine(2)))
	must(t, r.PutGroup(ctx, fleet.Group{Name: "lab", Notes: "changed"}))
	got(t, []fleet.Group{{Name: "lab", Notes: "changed", Machines: 2}, {Name: "office", Notes: "3rd floor"}, {Name: "room-3", Machines: 2}})(r.Groups(ctx))
	must(t, r.RemoveMachine(ctx, "m-000002"))
	got(t, fleet.Group{Name: "lab", Notes: "changed", Machines: 1})(r.Group(ctx, "lab"))
	must(t, r.RemoveGroup(ctx, "lab"))
	m := Machine(1)
	m.Groups = []string{"room-3"}
	got(t, m)(r.Machine(ctx, m.ID))
	_, err := r.Group(ctx, "lab")
	absent(t, err)
	absent(t, r.RemoveGroup(ctx, "lab"))
}

func testRules(t *testing.T, r control.Records) {
	ctx := background(t)
	a := fleet.Rule{ID: "r-b", Name: "first", Field: "serial", Match: "5XK*", Group: "lab", Made: at(1), MadeBy: "anna"}
	b := fleet.Rule{ID: "r-a", Name: "second", Field: "addr", Match: "10.0.0.0/8", Made: at(2)}
	must(t, r.PutRule(ctx, b))
	must(t, r.PutRule(ctx, a))
	b.Name = "renamed"
	must(t, r.PutRule(ctx, b))
	got(t, []fleet.Rule{a, b})(r.Rules(ctx))
	must(t, r.RemoveRule(ctx, a.ID))
	got(t, []fleet.Rule{b})(r.Rules(ctx))
	absent(t, r.RemoveRule(ctx, a.ID))
}
