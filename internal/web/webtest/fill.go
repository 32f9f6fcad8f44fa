package webtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Filled is what Fill made.
type Filled struct {
	Batch                 string // that runs
	Running, Failed, Done string // jobs
	Machine, Waiting      string
	Image                 string
}

// AddImages adds two images of one PC.
func (r *Room) AddImages() {
	volumes := []control.ImageVolume{
		{Partition: 1, Kind: "fat32", Label: "EFI", Size: 100 << 20, Used: 31 << 20},
		{Partition: 3, Kind: "ntfs", Label: "Windows", Size: 236 << 30, Used: 38 << 30},
		{Partition: 4, Kind: "ntfs", Label: "Recovery", Size: 780 << 20, Used: 512 << 20},
	}
	image := control.Image{ID: "b3c1f0a9e2d47c5581aa90ff23e1b6c4d7a8e95f0c1b2a3d4e5f60718293a4b5", Names: []string{"lab-pc:v2"}, Created: time.Now().Add(-9 * 24 * time.Hour),
		Host: "REF-PC", Disk: 256060514304, Sector: 512, Table: "gpt", Data: 37 << 30, Own: 3 << 30, Volumes: volumes, System: "Windows 11 Pro", OS: "windows", Least: 240 << 30, Shrinks: true}
	r.Images.Add(image)
	image.ID, image.Names, image.Created = "c9e2d47c5581aa90ff23e1b6c4d7a8e95f0c1b2a3d4e5f60718293a4b5b3c1f0", []string{"lab-pc:v3", "lab-pc:autumn"}, time.Now().Add(-26*time.Hour)
	image.Data, image.Own, image.Comment = 38<<30, 2<<30+300<<20, "with the new office suite"
	r.Images.Add(image)
	r.Images.Report = []byte(`{"findings":[
		{"id":"left-passwords","severity":"serious","partition":3,"path":"/Users/ref/Desktop/passwords.txt","what":"A file looks like a list of passwords.","why":"Everybody who logs in to a deployed PC can read it.","deploy":"copies it","do":"Remove it from the reference PC and capture again."},
		{"id":"hibernation","severity":"warning","partition":3,"path":"/hiberfil.sys","bytes":6871947673,"what":"The system was hibernated, not shut down.","why":"Windows may mount stale data on the deployed PC.","deploy":"leaves it out","do":"Switch fast startup off: powercfg /h off."},
		{"id":"own-name","severity":"info","partition":3,"what":"The system is called REF-PC.","why":"All machines would be called so.","deploy":"leaves it","deployWithProfile":"gives each machine its own name","do":"Deploy with a profile."}]}`)
}

// Fill makes a room as it is on a working day: machines that wait, work that runs,
// failed and ended.
func (r *Room) Fill(t testing.TB, admin fleet.Actor) Filled {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r.AddImages()
	must(r.Control.AddGroup(ctx, admin, "lab", "room B12, ground floor"))
	must(r.Control.AddGroup(ctx, admin, "office", ""))
	_, err := r.Control.AddRule(ctx, admin, fleet.Rule{Name: "OptiPlex of the lab", Field: "serial", Match: "5XK9*", Group: "lab"})
	must(err)
	for _, role := range []fleet.Role{fleet.Operator, fleet.Viewer} {
		_, err := r.Control.AddUser(ctx, admin, string(role), role, Password)
		must(err)
	}
	_, _, err = r.Control.AddToken(ctx, admin, "nightly deploys", fleet.Operator, 90*24*time.Hour)
	must(err)

	must(r.Control.LintImage(ctx, admin, "lab-pc:v3"))

	var agents []*Agent
	var ids []string
	names := map[string]string{}
	for n := 1; n <= 8; n++ {
		inv := Inventory(n)
		if n == 4 {
			inv.Disks[0].Health = "failing: 312 reallocated sectors"
		}
		if n == 5 {
			inv.Disks = append(inv.Disks, wire.Disk{Path: "/dev/sda", Model: "WDC WD10EZEX-08WN4A0", Serial: "WD-WCC6Y1", Transport: "sata", Size: 1000204886016, Sector: 512, Holds: "GPT: ntfs 'Data'"})
		}
		a := r.Start(t, inv)
		agents, ids = append(agents, a), append(ids, a.Machine)
		names[a.Machine] = fmt.Sprintf("lab-%02d", n)
	}
	must(r.Control.Approve(ctx, admin, ids, names))
	must(r.Control.Join(ctx, admin, "lab", ids))
	must(r.Control.SetNotes(ctx, admin, ids[0], "Teacher's desk.\nThe projector hangs on this one."))
	must(r.Control.SetValues(ctx, admin, ids[0], fleet.Values{"room": "B12", "seat": "1"}))
	waiting := r.Start(t, Inventory(40))
	other := Inventory(41)
	other.Maker, other.Model, other.Version = "LENOVO", "21AH00BKGE", "ThinkPad T14 Gen 3"
	other.SecureBoot, other.Notes = "off", []string{"The storage controller is in RAID mode (Intel VMD): its NVMe disks are hidden. Set it to AHCI in the firmware."}
	other.Disks = nil
	r.Start(t, other)
	for n, b := range boots() {
		b.At = time.Now().Add(time.Duration(n-30) * 20 * time.Second)
		must(r.Control.SawBoot(ctx, b))
	}
	return r.work(t, admin, agents, waiting)
}

// work gives the agents work, and lets them do some of it.
func (r *Room) work(t testing.TB, admin fleet.Actor, agents []*Agent, waiting *Agent) Filled {
	t.Helper()
	submit := func(spec fleet.BatchSpec) fleet.Batch {
		t.Helper()
		b, err := r.Control.Submit(t.Context(), admin, spec)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	spec := fleet.BatchSpec{Kind: wire.Deploy, Image: "lab-pc:v3", Disk: "/dev/nvme0n1", Notes: "after the exams", Then: wire.Stay}
	for _, a := range agents[:7] {
		spec.Machines = append(spec.Machines, a.Machine)
	}
	batch := submit(spec)
	log := []string{"image lab-pc:v3, 38.0 GiB in 3 volumes", "target /dev/nvme0n1: Samsung PM9A1, 477 GiB", "partition 3 grows from 236 GiB to 456 GiB", "writing"}
	for _, a := range agents[:7] {
		a.Take(t)
		a.Report(t, wire.Progress{Phase: "planning", Left: -1}, log[:3]...)
	}
	f := Filled{Batch: batch.ID, Done: agents[0].Job.ID, Failed: agents[3].Job.ID, Running: agents[1].Job.ID, Machine: agents[0].Machine, Waiting: waiting.Machine, Image: "lab-pc:v3"}
	agents[0].Finish(t, Whole(), "every byte was verified", "the disk starts by UEFI: \\EFI\\Microsoft\\Boot\\bootmgfw.efi")
	agents[3].Finish(t, Broken(), "write /dev/nvme0n1 at 19.2 GiB: input/output error")
	for n, a := range agents[1:3] {
		p := Half()
		p.Done += int64(n) * 7 << 30
		p.Left -= n * 20
		a.Report(t, p, log[3])
	}
	agents[4].Report(t, wire.Progress{Phase: "checking the file system of partition 3", Done: 36 << 30, Total: 38 << 30, Rate: 200 << 20, Left: 9, Written: 36 << 30})
	submit(fleet.BatchSpec{Kind: wire.Look, Machines: []string{agents[7].Machine}})
	agents[7].Take(t)
	agents[7].Finish(t, wire.Result{Outcome: wire.Done})
	submit(fleet.BatchSpec{Kind: wire.Deploy, Image: "lab-pc:v2", Machines: []string{agents[7].Machine}, At: time.Now().Add(9 * time.Hour), Wake: true, Limit: 4, Rate: 80 << 20})
	return f
}

// boots are what a PC asks for from power-on to the agent, and one that got nothing.
func boots() []fleet.BootRecord {
	const mac, shy = "a4:bb:6d:11:00:28", "52:54:00:aa:bb:cc"
	return []fleet.BootRecord{
		{MAC: shy, Arch: "UEFI arm64", Protocol: "proxydhcp", Asked: "discover of PXEClient", Offered: "nothing", Why: "the boot environment was built for amd64 only"},
		{MAC: mac, Arch: "UEFI x64", Protocol: "proxydhcp", Asked: "discover of PXEClient", Offered: "shimx64.efi", Why: "UEFI x64 gets the signed shim"},
		{MAC: mac, Arch: "UEFI x64", Protocol: "tftp", Addr: "10.1.0.60", Asked: "shimx64.efi", Offered: "shimx64.efi (964 KiB)", Why: "a file of the boot environment"},
		{MAC: mac, Arch: "UEFI x64", Protocol: "tftp", Addr: "10.1.0.60", Asked: "grubx64.efi", Offered: "grubx64.efi (3.8 MiB)", Why: "a file of the boot environment"},
		{MAC: mac, Arch: "UEFI x64", Protocol: "http", Addr: "10.1.0.60", Asked: "grub.cfg", Offered: "start the agent", Why: "nobody knows this machine yet"},
		{MAC: mac, Arch: "UEFI x64", Protocol: "http", Addr: "10.1.0.60", Asked: "vmlinuz, initrd", Offered: "kernel and agent", Why: "the enrolment secret of this boot is in it"},
	}
}
