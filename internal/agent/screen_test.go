package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// screens are one of each kind.
func screens() map[string]Screen {
	pc := wire.Inventory{
		Facts: profile.Facts{Maker: "Dell Inc.", Model: "OptiPlex 7090", Serial: "5XK2R93", Firmware: "uefi"},
		CPU:   "11th Gen Intel(R) Core(TM) i5-11500 @ 2.70GHz", Memory: 16 << 30, SecureBoot: "on",
		Disks: []wire.Disk{
			{Path: "/dev/nvme0n1", Model: "Samsung SSD 980", Serial: "S64DNX0R", Size: 500107862016, Health: "ok", Holds: "GPT: fat32, ntfs 'Windows'"},
			{Path: "/dev/sda", Model: "WDC WD10EZEX", Serial: "WD-1", Size: 1000204886016, Health: "failing: the disk expects to fail soon (SMART)"},
		},
		NICs: []wire.NIC{{Name: "eth0", MAC: "b0:7b:25:00:00:01", Link: true}, {Name: "eth1", MAC: "00:50:b6:01:02:03"}},
	}
	hidden := pc
	hidden.Disks, hidden.Notes = nil, []string{"Intel RST/VMD storage controller 8086:467f is in RAID mode and shows no disk: set it to AHCI or NVMe in the firmware's setup, or load its driver."}
	unplugged := pc
	unplugged.NICs = []wire.NIC{{Name: "eth0", MAC: "b0:7b:25:00:00:01"}}
	base := Screen{Machine: pc, Addresses: map[string]string{"eth0": "10.0.0.9/24"}, Server: "https://10.0.0.1:8443", Name: "lab-07"}
	with := func(f func(*Screen)) Screen {
		s := base
		f(&s)
		return s
	}
	job := &wire.Job{ID: "j", Kind: wire.Deploy, Title: "lab-pc:v3"}
	return map[string]Screen{
		"starting":  {},
		"nonetwork": with(func(s *Screen) { s.Phase, s.Addresses, s.Machine = NoNetwork, nil, unplugged }),
		"noserver":  with(func(s *Screen) { s.Phase, s.Trouble = NoServer, "dial tcp 10.0.0.1:8443: connect: no route to host" }),
		"refused":   with(func(s *Screen) { s.Phase, s.Trouble, s.Refused = NoServer, "the secret of this boot has expired", true }),
		"waiting":   with(func(s *Screen) { s.Phase = Waiting }),
		"rejected":  with(func(s *Screen) { s.Phase = Rejected }),
		"ready": with(func(s *Screen) {
			s.Phase = Ready
			s.Log = []string{"12:00:00 eth0: 10.0.0.9/24, gateway 10.0.0.1", "12:00:01 all devices have drivers"}
		}),
		"hidden": with(func(s *Screen) { s.Phase, s.Machine = Ready, hidden }),
		"working": with(func(s *Screen) {
			s.Phase, s.Job, s.Busy = Working, job, "/dev/ttyS0"
			s.Progress = wire.Progress{Phase: "partition 2, ntfs 'Windows'", Done: 13 << 30, Total: 30 << 30, Rate: 112 << 20, Left: 151}
		}),
		"away": with(func(s *Screen) {
			s.Phase, s.Job, s.Trouble = Working, job, "connection refused"
			s.Progress = wire.Progress{Phase: "planning", Left: -1}
		}),
		"failed": with(func(s *Screen) {
			s.Phase, s.Job, s.Untold = Ended, job, true
			s.Result = &wire.Result{Outcome: wire.Failed, Error: "write /dev/nvme0n1 at 1.5 GiB: input/output error", Hint: "Look at the disk's health.", Target: wire.Unfinished}
		}),
		"cancelled": with(func(s *Screen) {
			s.Phase, s.Job = Ended, job
			s.Result = &wire.Result{Outcome: wire.Cancelled, Target: wire.Untouched}
		}),
		"done": with(func(s *Screen) {
			s.Phase, s.Job, s.Then = Leaving, job, wire.LocalBoot
			s.Result = &wire.Result{Outcome: wire.Done, Target: wire.Complete, Time: wire.Time{Total: 754}}
		}),
		"alone": {Phase: Alone, Machine: pc},
	}
}

func TestScreens(t *testing.T) {
	for name, s := range screens() {
		text := s.Text()
		lines := strings.Split(text, "\n")
		if len(lines) > rows-1 {
			t.Errorf("%s has %d lines", name, len(lines))
		}
		for _, l := range lines {
			if len([]rune(l)) > columns-1 {
				t.Errorf("%s: %q is too wide", name, l)
			}
		}
		golden(t, name+".txt", text+"\n")
	}
	golden(t, "serial.txt", screens()["working"].Lines()+"\n")
}

// golden compares with a file of testdata, which INGOT_UPDATE=1 makes anew.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata/screens", name)
	if os.Getenv("INGOT_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		t.Errorf("%s is\n%s\nand was\n%s\n%v", name, got, want, err)
	}
}

// FuzzScreen: whatever disks and servers say, a screen has its size.
func FuzzScreen(f *testing.F) {
	f.Add("Dell", "disk", "why not", int64(5), int64(10))
	f.Fuzz(func(t *testing.T, model, disk, why string, done, total int64) {
		s := Screen{Phase: Working, Job: &wire.Job{Title: printable(model)}, Trouble: printable(why), Progress: clean(wire.Progress{Phase: why, Done: done, Total: total, Left: 1})}
		s.Machine.Model, s.Machine.Notes = printable(model), []string{printable(why)}
		s.Machine.Disks = []wire.Disk{{Path: printable(disk), Model: printable(disk)}}
		s.Result = &wire.Result{Error: printable(why), Outcome: wire.Failed}
		for phase := Starting; phase <= Alone; phase++ {
			s.Phase = phase
			lines := strings.Split(s.Text(), "\n")
			if len(lines) != rows-1 {
				t.Errorf("%d lines", len(lines))
			}
			for _, l := range lines {
				if len([]rune(l)) > columns-1 {
					t.Errorf("%q", l)
				}
			}
		}
	})
}
