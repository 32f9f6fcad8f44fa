// Package netboot tells PCs that boot from the network what to start, from power-on
// to the kernel, with nothing changed in their firmware.
//
//	firmware ── DHCP or ProxyDHCP ──► first loader by TFTP or HTTP (undionly.kpxe, or shim → GRUB)
//	  loader ── first text ──► second text, made for this PC: Chooser says agent or own disk
//	  agent: kernel + initrd + a tiny second initrd made for this boot (Enroller)
//
// New opens nothing; Server.Run listens and answers until its context ends. What
// happened is told to Recorder, step by step, with the reason: "who asked for what".
//
// It does not know who may have an image, and holds no secret longer than a boot.
package netboot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/netboot/dhcp"
	"github.com/ingot-imaging/ingot/internal/netboot/loader"
	"github.com/ingot-imaging/ingot/internal/netboot/tftp"
)

// Machine is a PC that boots, as far as the network knows it. Everything is what it
// says of itself: whoever is on the wire can say anything.
type Machine struct {
	MAC  net.HardwareAddr // of the network card that it boots from
	UUID string           // of its SMBIOS, "4c4c4544-0032-..."; "" if it did not say it
	Arch dhcp.Arch
	Addr netip.Addr // it asks from
}

// Choice is what a machine starts.
type Choice struct {
	Agent bool   // else its own disk
	Why   string // a sentence, shown on the machine's screen
}

// Chooser says what a machine starts. No answer within two seconds is the own disk.
type Chooser interface {
	Choose(ctx context.Context, m Machine) (Choice, error)
}

// Enroller makes the second initrd of one boot: a cpio archive with the secret
// that lets its agent say hello.
type Enroller interface {
	Secret(ctx context.Context, m Machine) (cpio []byte, err error)
}

// Record is one thing that a PC asked for on its way from power-on to the kernel,
// and what it was offered. Every text is one line of printable ASCII, and what a PC
// said is part of it: never trust it.
type Record struct {
	At       time.Time
	MAC      string // "" if it is not known
	UUID     string
	Addr     string
	Arch     string // "BIOS", "UEFI x64", "UEFI HTTP x64", ...; "" if it is not known
	Protocol string // "dhcp", "proxydhcp", "tftp", "http"
	Asked    string // "discover of PXEClient", "grubx64.efi"
	Offered  string // "shimx64.efi", "agent", "nothing"
	Why      string // a sentence
}

// Recorder keeps who asked for what. Saw must be quick.
type Recorder interface {
	Saw(r Record)
}

// Config is where a Server works, and with what.
type Config struct {
	Interface string          // the wire; nothing is served on others
	Addr      netip.Addr      // of this machine on it; unset: the interface's first IPv4 address
	DHCPRange *dhcp.Range     // nil: beside another DHCP server
	Leases    dhcp.LeaseStore // of DHCPRange; nil: forgotten at the end
	Files     string          // folder of the boot environment; when another takes its place, PCs start that from then on
	HTTPAddr  netip.AddrPort  // unset: Addr, port 80. Another port is for tests: GRUB and UEFI need 80
	NoHTTP    bool            // everything by TFTP
	Args      loader.Args     // kernel arguments that hold for all machines
}

// Server boots PCs.
type Server struct {
	config   Config
	chooser  Chooser
	enroller Enroller
	recorder Recorder
	log      *slog.Logger

	known known
	boots boots
	said  said
	files *files
	web   webStats
	dhcp  *dhcp.Server
	tftp  *tftp.Server

	running atomic.Bool // dhcp and tftp are set
}

// New checks the configuration.
func New(c Config, chooser Chooser, enroller Enroller, recorder Recorder, log *slog.Logger) (*Server, error) {
	if !c.Addr.IsValid() {
		network, err := Network(c.Interface)
		if err != nil {
			return nil, err
		}
		c.Addr = network.Addr()
	}
	if !c.HTTPAddr.IsValid() {
		c.HTTPAddr = netip.AddrPortFrom(c.Addr, 80)
	}
	s := &Server{config: c, chooser: chooser, enroller: enroller, recorder: recorder, log: log}
	// A fact that may not be on a command line is found now, not when a PC boots.
	if _, err := loader.Agent(loader.GRUB, s.boot(Machine{}, "")); err != nil {
		return nil, fmt.Errorf("netboot: %w", err)
	}
	newest, err := openBuild(c.Files)
	if err != nil {
		return nil, fmt.Errorf("netboot: %w", err)
	}
	s.files = &files{server: s, builds: &builds{path: c.Files, log: log, newest: newest}}
	return s, nil
}

// Network is the first IPv4 address of an interface, with the network that it is in.
func Network(name string) (netip.Prefix, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("netboot on %s: %w", name, err)
	}
	addrs, err := i.Addrs()
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("netboot on %s: %w", name, err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			return p, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("netboot on %s: the interface has no IPv4 address: give it one", name)
}

// Run listens and answers until ctx ends, which is no error. It runs once.
func (s *Server) Run(ctx context.Context) error {
	defer s.files.builds.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	web, err := s.listen(ctx)
	if err != nil {
		return err
	}
	s.running.Store(true)
	s.log.Info("netboot runs", "interface", s.config.Interface, "address", s.config.Addr, "mode", s.mode(), "http", s.base())
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() error { return s.dhcp.Run(inner) })
	g.Go(func() error { return s.tftp.Run(inner) })
	g.Go(func() error { s.files.builds.watch(inner); return nil })
	if web != nil {
		g.Go(func() error { return s.serveHTTP(inner, web) })
	}
	return g.Wait()
}

// listen opens every port, or none.
func (s *Server) listen(ctx context.Context) (web net.Listener, err error) {
	if !s.config.NoHTTP {
		if web, err = net.Listen("tcp4", s.config.HTTPAddr.String()); err != nil {
			return nil, fmt.Errorf("netboot: listen for HTTP of PCs that boot (a web server on this machine may have the port): %w", err)
		}
	}
	site := dhcp.Site{Addr: s.config.Addr, HTTP: s.base(), Has: s.files.has}
	s.dhcp, err = dhcp.Listen(ctx, dhcp.Config{
		Interface: s.config.Interface, Site: site, Range: s.config.DHCPRange, Leases: s.config.Leases, Saw: s.sawDHCP, Log: s.log,
	})
	if err == nil {
		s.tftp, err = tftp.Listen(ctx, tftp.Config{
			Addr: netip.AddrPortFrom(s.config.Addr, 69), Interface: s.config.Interface, Files: s.files, Done: s.sawTFTP, Log: s.log,
		})
		if err != nil {
			s.dhcp.Close()
		}
	}
	if err != nil && web != nil {
		web.Close()
	}
	return web, err
}

func (s *Server) serveHTTP(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 10 * time.Minute, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(&limited{Listener: l, slots: make(chan struct{}, maxConnections)}); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("netboot: serve HTTP: %w", err)
	}
	return nil
}

// base is where boot files are by HTTP, "" if they are not.
func (s *Server) base() string {
	switch {
	case s.config.NoHTTP:
		return ""
	case s.config.HTTPAddr.Port() == 80:
		return "http://" + s.config.Addr.String()
	}
	return "http://" + netip.AddrPortFrom(s.config.Addr, s.config.HTTPAddr.Port()).String()
}

func (s *Server) mode() string {
	if s.config.DHCPRange != nil {
		return "DHCP"
	}
	return "ProxyDHCP"
}

// Stats is what was counted since Run began.
type Stats struct {
	DHCP dhcp.Stats
	TFTP tftp.Stats
	HTTP HTTPStats
}

// Stats is zero before Run.
func (s *Server) Stats() Stats {
	st := Stats{HTTP: s.web.read()}
	if s.running.Load() {
		st.DHCP, st.TFTP = s.dhcp.Stats(), s.tftp.Stats()
	}
	return st
}
