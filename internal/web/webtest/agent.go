package webtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Agent is a machine whose agent does what a test says.
type Agent struct {
	Machine string // its ID
	Name    string
	Job     *wire.Job // that it took
	room    *Room
	session string
	seq     int64
}

// Inventory is that of the nth PC of a room.
func Inventory(n int) wire.Inventory {
	serial := fmt.Sprintf("5XK2R%03d", n)
	mac := fmt.Sprintf("a4:bb:6d:11:%02x:%02x", n/256, n%256)
	return wire.Inventory{
		Facts: profile.Facts{Maker: "Dell Inc.", Model: "OptiPlex 7090", Serial: serial, Board: "CN-" + serial, Firmware: "uefi", MACs: []string{mac},
			UUID: fmt.Sprintf("4c4c4544-0058-4b10-8032-b5c04f52%04x", n)},
		CPU: "11th Gen Intel(R) Core(TM) i5-11500 @ 2.70GHz", Cores: 12, Memory: 16 << 30, SecureBoot: "on", TPM: "2.0", BIOS: "Dell Inc. 1.18.0 (2023-06-12)",
		Disks: []wire.Disk{{Path: "/dev/nvme0n1", Model: "Samsung PM9A1", Serial: fmt.Sprintf("S6XN%06d", n), Transport: "nvme", Size: 512110190592, Sector: 512,
			Health: "ok", Holds: "GPT: fat32 'EFI', ntfs 'Windows', ntfs 'Recovery'"}},
		NICs: []wire.NIC{{Name: "enp0s31f6", MAC: mac, Driver: "e1000e", Link: true, Speed: 1000, Addr: fmt.Sprintf("10.1.%d.%d/16", n/200, n%200+20)}},
	}
}

// Start lets the agent of a machine say hello.
func (r *Room) Start(t testing.TB, inv wire.Inventory) *Agent {
	t.Helper()
	mac := inv.NICs[0].MAC
	secret, err := r.Control.EnrolSecret(t.Context(), mac)
	if err != nil {
		t.Fatal(err)
	}
	hello := wire.Hello{Protocol: wire.Version, Agent: "test", Secret: secret, Boot: rand.Text(), Inventory: inv}
	welcome, err := r.Control.Hello(t.Context(), hello, strings.TrimSuffix(inv.NICs[0].Addr, "/16"))
	if err != nil {
		t.Fatal(err)
	}
	return &Agent{Machine: welcome.Machine, Name: welcome.Name, room: r, session: welcome.Session}
}

// Take waits for a job.
func (a *Agent) Take(t testing.TB) *wire.Job {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		order, err := a.room.Control.Next(t.Context(), a.session, "10.1.0.20")
		if err != nil {
			t.Fatal(err)
		}
		if order.Job != nil {
			a.Job, a.seq = order.Job, 0
			return a.Job
		}
	}
	t.Fatalf("%s gets no job", a.Name)
	return nil
}

// Report tells how far the job is.
func (a *Agent) Report(t testing.TB, p wire.Progress, log ...string) wire.Reply {
	t.Helper()
	a.seq++
	reply, err := a.room.Control.Report(t.Context(), a.session, a.Job.ID, wire.Report{Attempt: a.Job.Attempt, Seq: a.seq, Progress: p, Log: lines(log)})
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// Finish ends the job.
func (a *Agent) Finish(t testing.TB, result wire.Result, log ...string) {
	t.Helper()
	result.Attempt, result.Log = a.Job.Attempt, lines(log)
	if _, err := a.room.Control.Finish(t.Context(), a.session, a.Job.ID, result); err != nil {
		t.Fatal(err)
	}
}

func lines(texts []string) []wire.LogLine {
	var all []wire.LogLine
	for _, text := range texts {
		all = append(all, wire.LogLine{At: time.Now(), Text: text})
	}
	return all
}

// Half is a deploy that is half done.
func Half() wire.Progress {
	return wire.Progress{Phase: "writing", Done: 19 << 30, Total: 38 << 30, Rate: 412 << 20, Left: 47, Fetched: 9 << 30, Written: 17 << 30, Same: 2 << 30}
}

// Whole is how a deploy ends well.
func Whole() wire.Result {
	p := Half()
	p.Phase, p.Done, p.Left, p.Rate = "done", p.Total, 0, 0
	p.Fetched, p.Written, p.Same = 18<<30, 34<<30, 4<<30
	return wire.Result{Outcome: wire.Done, Target: wire.Complete, Progress: p, Time: wire.Time{Total: 131, Network: 96, Disk: 41, CPU: 88}}
}

// Broken is how a deploy ends badly.
func Broken() wire.Result {
	return wire.Result{
		Outcome: wire.Failed, Exit: 5, Target: wire.Unfinished, Progress: Half(), Time: wire.Time{Total: 64, Network: 30, Disk: 61, CPU: 20},
		Error: "write /dev/nvme0n1 at 19.2 GiB: input/output error",
		Hint:  "The disk reports errors: look at its SMART values, and replace it. The image is not at fault.",
	}
}

// AddMachines keeps many machines that were seen some time ago, without agents.
func (r *Room) AddMachines(t testing.TB, from, n int) {
	t.Helper()
	err := r.Records.InTx(t.Context(), func(ctx context.Context, records control.Records) error {
		for i := from; i < from+n; i++ {
			inv := Inventory(i)
			m := fleet.Machine{ID: fmt.Sprintf("m-%010d", i), Name: fmt.Sprintf("pc-%04d", i), State: wire.Approved, Groups: []string{fmt.Sprintf("room-%d", i%20)},
				Inventory: inv, Identity: fleet.IdentityOf(inv), FirstSeen: time.Now().Add(-time.Hour), LastSeen: time.Now().Add(-time.Duration(i) * time.Minute), Addr: "10.1.0.9"}
			if err := records.PutMachine(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Deploy orders a deploy to the machine of an agent, and lets it take the job.
func (r *Room) Deploy(t testing.TB, by fleet.Actor, a *Agent) *wire.Job {
	t.Helper()
	if _, err := r.Control.Submit(t.Context(), by, fleet.BatchSpec{Kind: wire.Deploy, Image: "lab-pc:v3", Machines: []string{a.Machine}}); err != nil {
		t.Fatal(err)
	}
	return a.Take(t)
}
