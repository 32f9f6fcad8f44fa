// Package loader writes what GRUB and iPXE are told: start the agent, or start the
// PC's own disk.
//
// Firmware always gets the same first file (First). It names the PC's MAC address
// in the name of the second one, which is made for that PC: Agent or OwnDisk. Every
// text ends somewhere: after a few tries the own disk is started, and where
// there is none the firmware goes on. Nothing loops.
//
// It serves nothing and decides nothing. Every value is checked or made harmless
// here, whatever it holds: both programs would run a line that is smuggled in.
package loader

import (
	"bytes"
	"embed"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"text/template"
)

// Program is a boot loader that reads texts.
type Program int

const (
	GRUB Program = iota // of UEFI, signed: shim started it
	IPXE                // of BIOS; or of UEFI, where the PC brought it along
)

func (p Program) String() string { return [...]string{"grub", "ipxe"}[p] }

// First is the name of the file that the program reads first.
func (p Program) First() string { return [...]string{"grub/grub.cfg", "boot.ipxe"}[p] }

// Second is the name of the file that is made for the PC with that address.
func (p Program) Second(mac net.HardwareAddr) string {
	return p.folder() + strings.ReplaceAll(mac.String(), ":", p.separator()) + p.suffix()
}

// ParseSecond takes the MAC address out of a name that Second made. The case of
// letters does not matter.
func ParseSecond(name string) (Program, net.HardwareAddr, bool) {
	for _, p := range []Program{GRUB, IPXE} {
		text, inFolder := strings.CutPrefix(name, p.folder())
		text, ok := strings.CutSuffix(text, p.suffix())
		mac, err := net.ParseMAC(text)
		if inFolder && ok && err == nil && len(mac) == 6 && strings.EqualFold(p.Second(mac), name) {
			return p, mac, true
		}
	}
	return 0, nil, false
}

func (p Program) folder() string    { return [...]string{"grub/pc/", "ipxe/"}[p] }
func (p Program) suffix() string    { return [...]string{".cfg", ".ipxe"}[p] }
func (p Program) separator() string { return [...]string{":", "-"}[p] }

// Names of the files that the texts refer to.
const (
	Kernel = "vmlinuz"
	Initrd = "initrd.img"
	Enrol  = "enrol.cpio" // made for each boot, given to the PC that the text was made for
)

// Boot is what a text says.
type Boot struct {
	Server netip.Addr // answers TFTP, and HTTP on port 80 if HTTP is set
	HTTP   bool       // for iPXE: the GRUB 2.06 that Debian signs has no HTTP
	Why    string     // shown on the PC's screen: a sentence
	Args   Args       // of the kernel
}

// First is the text that every PC gets.
func First(p Program, b Boot) ([]byte, error) { return b.write(p, "first") }

// Agent starts the agent, and after three failures the own disk.
func Agent(p Program, b Boot) ([]byte, error) { return b.write(p, "agent") }

// OwnDisk starts what is on the PC's disks.
func OwnDisk(p Program, b Boot) ([]byte, error) { return b.write(p, "disk") }

//go:embed *.tmpl
var texts embed.FS

func (b Boot) write(p Program, what string) ([]byte, error) {
	if !b.Server.Is4() {
		return nil, fmt.Errorf("write text for %s: server address %s is not an IPv4 address", p, b.Server)
	}
	args, err := b.Args.line()
	if err != nil {
		return nil, fmt.Errorf("write text for %s: %w", p, err)
	}
	t, err := template.ParseFS(texts, p.String()+".tmpl")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.ExecuteTemplate(&out, what, map[string]any{
		"server": b.Server, "http": b.HTTP, "why": Plain(b.Why), "args": args,
		"kernel": Kernel, "initrd": Initrd, "enrol": Enrol,
	})
	return out.Bytes(), err
}

// Plain is text as both programs may show it on a screen: one line of ASCII, at
// most 300 bytes, without anything that they interpret.
func Plain(text string) string {
	const harmless = " .,:()/_+-=%@!?<>"
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), ";", ",")
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(harmless, r):
			return r
		case r == '\'', r == '"', r == '`', r == '’':
			return -1
		}
		return '?'
	}, text)
	return plain[:min(len(plain), 300)]
}
