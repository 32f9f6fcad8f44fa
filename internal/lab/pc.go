package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/boottest"
)

// PC is a computer whose firmware starts it from the network first.
type PC struct {
	t        *testing.T
	number   int
	firmware boottest.Firmware
	disk     string // image file
	vars     string // of UEFI
	machine  *boottest.Machine
}

// newPC unpacks a PC with a disk. It is off.
func newPC(t *testing.T, number int, fw boottest.Firmware, disk string) *PC {
	t.Helper()
	pc := &PC{t: t, number: number, firmware: fw, disk: disk, vars: filepath.Join(t.TempDir(), "vars.fd")}
	plug(t, pc.cable())
	switch fw {
	case boottest.UEFI:
		run(t, "cp", "/usr/share/OVMF/OVMF_VARS_4M.fd", pc.vars)
	case boottest.Secure:
		run(t, "cp", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", pc.vars)
	}
	t.Cleanup(func() {
		pc.Cut()
		if t.Failed() {
			t.Logf("console of PC %d (%s):\n%s", number, fw, pc.Console())
		}
	})
	return pc
}

func (pc *PC) cable() string  { return fmt.Sprintf("tap%d", pc.number) }
func (pc *PC) serial() string { return fmt.Sprintf("LAB%04d", pc.number) }

// On turns the power on.
func (pc *PC) On() {
	pc.t.Helper()
	m, err := boottest.Run(context.Background(), fmt.Sprintf("PC %d (%s)", pc.number, pc.firmware), pc.arguments())
	if err != nil {
		pc.t.Fatal(err)
	}
	pc.machine = m
}

// Cut cuts the power.
func (pc *PC) Cut() {
	if pc.machine != nil {
		pc.machine.Stop()
	}
}

// arguments are QEMU's.
func (pc *PC) arguments() []string {
	mac := fmt.Sprintf("52:54:00:aa:00:%02x", pc.number)
	card := "virtio-net-pci,netdev=n,mac=" + mac + ",bootindex=1"
	machine := "pc,graphics=off"
	var more []string
	switch pc.firmware {
	case boottest.UEFI:
		// QEMU's own PXE ROM would take the place of the firmware's.
		machine, card = "q35,graphics=off", card+",romfile="
		more = pc.flash("/usr/share/OVMF/OVMF_CODE_4M.fd")
	case boottest.Secure:
		machine, card = "q35,smm=on,graphics=off", card+",romfile="
		more = append(pc.flash("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"), "-global", "driver=cfi.pflash01,property=secure,value=on")
	}
	return append([]string{
		"-machine", machine, "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1536", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
		"-uuid", fmt.Sprintf("6c616200-0000-4000-8000-%012x", pc.number),
		"-smbios", "type=1,manufacturer=Acme,product=Box,serial=" + pc.serial(),
		"-drive", "if=none,id=d,format=raw,file=" + pc.disk, "-device", "virtio-blk-pci,drive=d,bootindex=2,serial=D" + pc.serial(),
		"-netdev", "tap,id=n,ifname=" + pc.cable() + ",script=no,downscript=no", "-device", card, "-device", "virtio-rng-pci",
	}, more...)
}

func (pc *PC) flash(code string) []string {
	return []string{"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + code, "-drive", "if=pflash,unit=1,format=raw,file=" + pc.vars}
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;=?]*[A-Za-z]|\r`)

// Console is what the PC printed since it was turned on.
func (pc *PC) Console() string {
	if pc.machine == nil {
		return ""
	}
	return escapes.ReplaceAllString(pc.machine.Console(), "")
}

// Prints waits until the PC has printed a text, so many times since it was turned on,
// and says how long that took.
func (pc *PC) Prints(text string, times int, limit time.Duration) {
	pc.t.Helper()
	began := time.Now()
	for strings.Count(pc.Console(), text) < times {
		if time.Since(began) > limit {
			pc.t.Fatalf("PC %d (%s): no %q within %v", pc.number, pc.firmware, text, limit)
		}
		time.Sleep(500 * time.Millisecond)
	}
	pc.t.Logf("PC %d (%s): %q after %.0f s", pc.number, pc.firmware, text, time.Since(began).Seconds())
}

// blank makes an empty disk.
func blank(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	f, err := os.Create(path)
	if err == nil {
		err = f.Truncate(size)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
