package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/bootenv/cpio"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/netboot"
	"github.com/ingot-imaging/ingot/internal/netboot/dhcp"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Netboot says that machines may start from this server.
type Netboot struct {
	Interface   string     // that they are connected to
	First, Last netip.Addr // addresses to give out; invalid: another server does
}

// startNetboot lets machines start, in the group.
func (c *Config) startNetboot(ctx context.Context, group *errgroup.Group, ctl *control.Control, l net.Listener, fingerprint string) error {
	network, err := netboot.Network(c.Netboot.Interface)
	if err != nil {
		return err
	}
	server := wire.Enrol{Server: "https://" + at(l.Addr(), network.Addr()), Fingerprint: fingerprint}
	config := netboot.Config{
		Interface: c.Netboot.Interface, Addr: network.Addr(), Files: c.Folder.BootEnvironment(), Leases: leaseFile(c.Folder.Leases()),
	}
	if c.Netboot.First.IsValid() {
		config.DHCPRange = &dhcp.Range{First: c.Netboot.First, Last: c.Netboot.Last, Bits: network.Bits()}
	}
	boots := &boots{ctl, server, c.Log}
	s, err := netboot.New(config, boots, boots, boots, c.Log)
	if err != nil {
		return err
	}
	group.Go(func() error { return s.Run(ctx) })
	return nil
}

// at is the address of a listener for those who reach this machine at addr.
func at(a net.Addr, addr netip.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return netip.AddrPortFrom(addr, uint16(tcp.Port)).String()
	}
	return a.String()
}

// boots answers netboot's questions.
type boots struct {
	control *control.Control
	server  wire.Enrol // without a secret
	log     *slog.Logger
}

var (
	_ netboot.Chooser  = (*boots)(nil)
	_ netboot.Enroller = (*boots)(nil)
	_ netboot.Recorder = (*boots)(nil)
)

// Choose implements netboot.Chooser.
func (b *boots) Choose(ctx context.Context, m netboot.Machine) (netboot.Choice, error) {
	agent, why, _, err := b.control.ChooseBoot(ctx, m.MAC.String(), m.UUID)
	return netboot.Choice{Agent: agent, Why: why}, err
}

// Secret implements netboot.Enroller.
func (b *boots) Secret(ctx context.Context, m netboot.Machine) ([]byte, error) {
	secret, err := b.control.EnrolSecret(ctx, m.MAC.String())
	if err != nil {
		return nil, err
	}
	told := b.server
	told.Secret = secret
	data, err := json.Marshal(told)
	if err != nil {
		return nil, err
	}
	return archive(wire.EnrolFile, data)
}

// archive is a cpio archive of one file, and of the folders that it lies in: the
// kernel makes none by itself.
func archive(name string, data []byte) ([]byte, error) {
	var b bytes.Buffer
	w := cpio.NewWriter(&b)
	for i, c := range name {
		if c != '/' {
			continue
		}
		if err := w.Next(cpio.Header{Name: name[:i], Mode: fs.ModeDir | 0o755}); err != nil {
			return nil, err
		}
	}
	if err := w.Next(cpio.Header{Name: name, Mode: 0o600, Size: int64(len(data))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// Saw implements netboot.Recorder.
func (b *boots) Saw(r netboot.Record) {
	err := b.control.SawBoot(context.Background(), fleet.BootRecord{
		At: r.At, MAC: r.MAC, UUID: r.UUID, Addr: r.Addr, Arch: r.Arch, Protocol: r.Protocol, Asked: r.Asked, Offered: r.Offered, Why: r.Why,
	})
	if err != nil {
		b.log.Error("keep what a machine asked for", "mac", r.MAC, "error", err)
	}
}
