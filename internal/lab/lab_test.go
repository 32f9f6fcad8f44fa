package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/boottest"
)

// TestMain runs the tests in a network namespace of their own.
func TestMain(m *testing.M) {
	if os.Getenv("INGOT_LAB_INSIDE") != "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), "INGOT_LAB_INSIDE=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		os.Exit(max(1, exit.ExitCode()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "these tests need root, for a network namespace of their own:", err)
		os.Exit(1)
	}
}

// Times that a PC needs at most in software emulation on a busy machine.
const (
	toAgent = 8 * time.Minute
	toDone  = 8 * time.Minute
	toLogin = 10 * time.Minute
)

// referenceDisk is the disk of a reference PC that starts by any firmware.
func referenceDisk(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "reference.img")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if err := (boottest.Disk{Firmware: boottest.Any, FileSystem: "ext4", Size: 2 << 30}).Build(ctx, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRoom is the whole way: PCs start from the network beside a foreign DHCP server,
// are let in, one is captured, the others get its image on larger disks, start from
// them, and say their own names. By default the reference PC has BIOS and the other
// one Secure Boot with Microsoft's keys; INGOT_LAB=all has one of each kind.
func TestRoom(t *testing.T) {
	if testing.Short() {
		t.Skip("PCs are emulated, which takes minutes")
	}
	kinds := []boottest.Firmware{boottest.Secure}
	if os.Getenv("INGOT_LAB") == "all" {
		kinds = []boottest.Firmware{boottest.BIOS, boottest.UEFI, boottest.Secure}
	}
	newWire(t)
	site := newSite(t)
	site.Start()
	site.SetUp()

	reference := newPC(t, 1, boottest.BIOS, referenceDisk(t))
	reference.On()
	site.Approve(reference, "reference", toAgent)
	site.Ingot("jobs", "capture", "debian", "--on", "reference", "--then", "local-boot", "--yes")
	site.Until("reference capture", "done", toDone)
	reference.Prints("boottest login:", 1, toLogin)
	reference.Cut()

	var room []*PC
	var names []string
	for i, fw := range kinds {
		pc := newPC(t, 2+i, fw, blank(t, 3<<30))
		pc.On()
		room = append(room, pc)
		names = append(names, fmt.Sprintf("lab-%d", 2+i))
	}
	for i, pc := range room {
		site.Approve(pc, names[i], toAgent)
		site.Ingot("machines", "hostname", names[i], names[i])
	}
	site.Ingot("jobs", "deploy", "debian", "--on", strings.Join(names, ","), "--then", "reboot", "--yes")
	for i := range room {
		site.Until(names[i]+" deploy", "done", toDone)
	}
	for i, pc := range room {
		pc.Prints(names[i]+" login:", 1, toLogin)
	}
	if pc := room[len(room)-1]; !strings.Contains(pc.Console(), "Secure boot enabled") && !strings.Contains(pc.Console(), "Secure Boot is enabled") {
		t.Error("the PC with Secure Boot does not say that it is on")
	}
}
