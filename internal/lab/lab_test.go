package lab

import (
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

// TestMain prepares what comes from Debian's archive, and runs the tests in a network
// namespace of their own, from which nothing outside can be reached.
func TestMain(m *testing.M) {
	if os.Getenv(preparedIn) != "" {
		os.Exit(m.Run())
	}
	code, err := inside()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// inside runs this program again where the tests can be.
func inside() (code int, err error) {
	dir, err := os.MkdirTemp("", "ingot-lab-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := prepare(dir); err != nil {
		return 0, err
	}
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), preparedIn+"="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(1, exit.ExitCode()), nil
	}
	if err != nil {
		err = fmt.Errorf("these tests need root, for a network namespace of their own: %w", err)
	}
	return 0, err
}

// Times that a PC needs at most in software emulation on a busy machine.
const (
	toAgent = 8 * time.Minute
	toDone  = 8 * time.Minute
	toLogin = 10 * time.Minute
)

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

	pc1 := newPC(t, 1, boottest.BIOS, filepath.Join(prepared(), reference))
	pc1.On()
	site.Approve(pc1, "reference", toAgent)
	site.Ingot("jobs", "capture", "debian", "--on", "reference", "--then", "local-boot", "--yes")
	site.Until("reference capture", "done", toDone)
	pc1.Prints("boottest login:", 1, toLogin)
	pc1.Cut()

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
	if len(room) > 1 {
		for _, pc := range room[:len(room)-1] {
			pc.Cut()
		}
		faults(t, site)
	}
	if pc := room[len(room)-1]; !strings.Contains(pc.Console(), "Secure boot enabled") && !strings.Contains(pc.Console(), "Secure Boot is enabled") {
		t.Error("the PC with Secure Boot does not say that it is on")
	}
}

// faults has a PC deployed while first the server and then the PC itself lose power.
func faults(t *testing.T, site *Site) {
	const name, job = "unlucky", "unlucky deploy"
	pc := newPC(t, 9, boottest.BIOS, blank(t, 3<<30))
	pc.On()
	site.Approve(pc, name, toAgent)
	site.Ingot("machines", "hostname", name, name)
	site.Ingot("jobs", "deploy", "debian", "--on", name, "--rate", "2M", "--then", "reboot", "--yes")
	site.Until(job, "running", toDone)
	time.Sleep(15 * time.Second)

	site.Kill()
	site.Start()
	time.Sleep(10 * time.Second)
	if state := site.Jobs()[job]; state != "running" {
		t.Errorf("after the server was killed the job is %s", state)
	}

	pc.Cut()
	pc.On()
	site.Until(job, "done", toDone)
	pc.Prints(name+" login:", 1, toLogin)
}
