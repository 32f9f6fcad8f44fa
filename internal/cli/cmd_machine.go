package cli

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/machine"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// thisMachine is what `machine` shows. Its JSON is a profile.Facts, with more
// that a reader of facts need not know.
type thisMachine struct {
	profile.Facts
	machine.Hints
}

func (a *App) machineCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "machine",
		Short: "what this machine is: maker, model, serial number, addresses, devices",
		Long: `Machine shows what a profile and the choice of drivers go by: what the firmware says
of the machine, without the values that its maker left unset, the addresses of
its network interfaces, built-in ones first, and its PCI and USB devices. It only
reads; serial numbers need root.

The JSON document can be kept and given to a deploy that is made for this machine
on another one.`,
		Example: "  ingot machine\n  ingot machine --json > lab-pc-17.json",
		Args:    exactArgs(0),
		RunE: func(*cobra.Command, []string) error {
			return a.machine(os.DirFS("/"))
		},
	}
}

func (a *App) machine(fsys fs.FS) error {
	facts, err := machine.Read(fsys)
	if err != nil {
		return err
	}
	hints, err := machine.ReadHints(fsys)
	if err != nil {
		return err
	}
	m := thisMachine{facts, hints}
	return a.Answer(m, m.text)
}

func (m thisMachine) text(w io.Writer) {
	for _, f := range []struct{ name, value string }{
		{"maker", m.Maker}, {"model", m.Model}, {"version", m.Version}, {"SKU", m.SKU}, {"serial", m.Serial}, {"board", m.Board},
		{"asset tag", m.Asset}, {"UUID", m.UUID}, {"firmware", m.firmware()}, {"MACs", strings.Join(m.MACs, ", ")},
	} {
		field(w, f.name, "%s", f.value)
	}
	for _, d := range m.Devices {
		fmt.Fprintf(w, "  %-9s %s  class %-6s  %s\n", d.Bus, d.ID, d.Class, boundTo(d))
	}
	for _, n := range m.Notes {
		field(w, "note", "%s", n)
	}
}

func (m thisMachine) firmware() string {
	if m.SecureBoot == "" {
		return m.Firmware
	}
	return m.Firmware + ", Secure Boot " + m.SecureBoot
}

// boundTo says which driver has the device now.
func boundTo(d profile.Device) string {
	if d.Driver == "" {
		return "no driver"
	}
	return d.Driver
}
