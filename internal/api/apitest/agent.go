package apitest

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Agent is the agent of a machine, which does nothing by itself.
type Agent struct {
	Machine string // its ID
	server  *Server
	session string
}

// Inventory is that of the machine with a number.
func Inventory(n int) wire.Inventory {
	var inv wire.Inventory
	inv.Maker, inv.Model, inv.Serial = "Dell Inc.", "OptiPlex 7090", fmt.Sprintf("5XK2R%03d", n)
	inv.UUID = fmt.Sprintf("4c4c4544-0035-5810-804b-%012x", n+1)
	mac := fmt.Sprintf("d8:9e:f3:00:00:%02x", n%256)
	inv.MACs, inv.NICs = []string{mac}, []wire.NIC{{Name: "eno1", MAC: mac, Driver: "e1000e", Link: true, Speed: 1000}}
	inv.CPU, inv.Cores, inv.Memory, inv.SecureBoot, inv.TPM = "Core i5", 6, 16<<30, "on", "2.0"
	inv.Disks = []wire.Disk{{Path: "/dev/nvme0n1", Model: "SN530", Serial: fmt.Sprintf("WD%06d", n), Transport: "nvme", Size: 512e9, Sector: 512, Health: "ok", Holds: "GPT: ntfs 'Windows'"}}
	return inv
}

// NewAgent starts the machine with a number. It waits to be approved.
func (s *Server) NewAgent(ctx context.Context, n int) (*Agent, error) {
	inventory := Inventory(n)
	secret, err := s.EnrolSecret(ctx, inventory.MACs[0])
	if err != nil {
		return nil, err
	}
	w, err := s.Hello(ctx, wire.Hello{Protocol: wire.Version, Agent: "test", Secret: secret, Boot: fmt.Sprintf("boot-%05d", n), Inventory: inventory}, "192.0.2.7")
	if err != nil {
		return nil, err
	}
	return &Agent{Machine: w.Machine, server: s, session: w.Session}, nil
}

// Next asks for work once.
func (a *Agent) Next(ctx context.Context) (wire.Order, error) {
	return a.server.Next(ctx, a.session, "192.0.2.7")
}

// Report says that a job is in a phase, with a line of log.
func (a *Agent) Report(ctx context.Context, job *wire.Job, seq int64, phase string) error {
	_, err := a.server.Report(ctx, a.session, job.ID, wire.Report{
		Attempt: job.Attempt, Seq: seq, Log: []wire.LogLine{{Text: "began to " + phase}},
		Progress: wire.Progress{Phase: phase, Done: 25 << 30, Total: 100 << 30, Rate: 100 << 20, Left: 768, Fetched: 10 << 30, Written: 20 << 30, Same: 5 << 30},
	})
	return err
}

// Finish ends a job.
func (a *Agent) Finish(ctx context.Context, job *wire.Job, result wire.Result) error {
	result.Attempt = job.Attempt
	_, err := a.server.Finish(ctx, a.session, job.ID, result)
	return err
}
