package boottest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// OVMF's firmware and empty variables (package ovmf): a PC that never saw the disk.
const (
	ovmfCode = "/usr/share/OVMF/OVMF_CODE_4M.fd"
	ovmfVars = "/usr/share/OVMF/OVMF_VARS_4M.fd"

	// The same with Secure Boot on and Microsoft's keys enrolled.
	secureCode = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
	secureVars = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"
)

const prompt = " login:"

// deadEnds are what the serial console says when waiting longer is in vain.
var deadEnds = [...]string{"No bootable device", "UEFI Interactive Shell", "grub rescue>", "(initramfs)", "Kernel panic", "emergency mode"}

// Boot starts the raw disk image in QEMU and returns the serial console's log,
// with an error unless it ends in a login prompt. The image is not changed.
// Software emulation is used, since nested KVM hangs on some machines: allow
// minutes in ctx, whose end stops the machine.
func Boot(ctx context.Context, image string, fw Firmware) (serial string, err error) {
	m, err := Start(ctx, image, fw, false)
	if err != nil {
		return "", err
	}
	defer m.Stop()
	err = m.Wait(prompt)
	return m.Console(), err
}

// Machine is a disk that runs in QEMU, and its serial console.
type Machine struct {
	what  string // for errors
	ctx   context.Context
	stop  func()
	input io.Writer
	ended chan struct{} // closed when QEMU ended, after end was set
	end   error

	mu      sync.Mutex
	console bytes.Buffer
	more    chan struct{} // closed, and made anew, when console has grown
}

// Start starts the raw disk image in QEMU, as Boot does, until Stop or the end of
// ctx. The image keeps what the machine writes if keep is set.
func Start(ctx context.Context, image string, fw Firmware, keep bool) (*Machine, error) {
	args := qemuArgs(image, fw)
	if !keep {
		args = append(args, "-snapshot")
	}
	return Run(ctx, fmt.Sprintf("boot %s with %s", image, fw), args)
}

// Run starts QEMU with these arguments, which connect the first serial port with
// stdio, until Stop or the end of ctx. What names the machine in errors.
func Run(ctx context.Context, what string, args []string) (*Machine, error) {
	m := &Machine{what: what, ended: make(chan struct{}), more: make(chan struct{})}
	m.ctx, m.stop = context.WithCancel(ctx)
	cmd := exec.CommandContext(m.ctx, "qemu-system-x86_64", args...)
	cmd.WaitDelay = 10 * time.Second
	var complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = m, &complaints
	var err error
	if m.input, err = cmd.StdinPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		m.stop()
		return nil, fmt.Errorf("%s: %w", m.what, err)
	}
	go func() {
		defer close(m.ended)
		m.end = fmt.Errorf("qemu ended: %v %s", cmd.Wait(), bytes.TrimSpace(complaints.Bytes()))
	}()
	return m, nil
}

// Stop turns the power off and waits until QEMU has ended.
func (m *Machine) Stop() {
	m.stop()
	<-m.ended
}

// Type types a line at the console.
func (m *Machine) Type(line string) error {
	_, err := io.WriteString(m.input, line+"\n")
	return err
}

// Console is everything that the machine printed.
func (m *Machine) Console() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.console.String()
}

// Write takes what the machine prints; it is for QEMU alone.
func (m *Machine) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.more)
	m.more = make(chan struct{})
	return m.console.Write(p)
}

// Wait waits until the machine has printed every one of texts since it was
// started, in any order.
func (m *Machine) Wait(texts ...string) error {
	for {
		m.mu.Lock()
		log, more := m.console.String(), m.more
		m.mu.Unlock()
		missing := without(texts, log)
		if len(missing) == 0 {
			return nil
		}
		if dead := deadEnd(log); dead != "" {
			return fmt.Errorf("%s: the console says %q, not %q", m.what, dead, missing)
		}
		select {
		case <-more:
		case <-m.ctx.Done():
			return fmt.Errorf("%s: no %q: %w", m.what, missing, context.Cause(m.ctx))
		case <-m.ended:
			return fmt.Errorf("%s: no %q: %w", m.what, missing, m.end)
		}
	}
}

// without returns those of texts that are not in log.
func without(texts []string, log string) (missing []string) {
	for _, text := range texts {
		if !strings.Contains(log, text) {
			missing = append(missing, text)
		}
	}
	return missing
}

// deadEnd returns the first of deadEnds that is in log, or nothing.
func deadEnd(log string) string {
	for _, text := range deadEnds {
		if strings.Contains(log, text) {
			return text
		}
	}
	return ""
}

// qemuArgs describe a PC without anything but two CPUs, the disk and a serial
// console, which graphics=off makes SeaBIOS use too.
func qemuArgs(image string, fw Firmware) []string {
	machine := "pc,graphics=off"
	if fw == Secure {
		machine = "q35,smm=on,graphics=off"
	}
	args := []string{
		"-machine", machine, "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024",
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
		"-drive", "if=virtio,format=raw,file=" + strings.ReplaceAll(image, ",", ",,"),
	}
	switch fw {
	case UEFI:
		args = append(args,
			"-drive", "if=pflash,format=raw,readonly=on,file="+ovmfCode,
			"-drive", "if=pflash,format=raw,snapshot=on,file="+ovmfVars)
	case Secure:
		args = append(args, "-global", "driver=cfi.pflash01,property=secure,value=on",
			"-drive", "if=pflash,format=raw,readonly=on,file="+secureCode,
			"-drive", "if=pflash,format=raw,snapshot=on,file="+secureVars)
	}
	return args
}
