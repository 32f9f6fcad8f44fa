package boottest

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// OVMF's firmware and empty variables (package ovmf): a PC that never saw the disk.
const (
	ovmfCode = "/usr/share/OVMF/OVMF_CODE_4M.fd"
	ovmfVars = "/usr/share/OVMF/OVMF_VARS_4M.fd"
)

const prompt = " login:"

// deadEnds are what the serial console says when waiting longer is in vain.
var deadEnds = [...]string{"No bootable device", "UEFI Interactive Shell", "grub rescue>", "(initramfs)", "Kernel panic", "emergency mode"}

// Boot starts the raw disk image in QEMU and returns the serial console's log,
// with an error unless it ends in a login prompt. The image is not changed.
// Software emulation is used, since nested KVM hangs on some machines: allow
// minutes in ctx, whose end stops the machine.
func Boot(ctx context.Context, image string, fw Firmware) (serial string, err error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	cmd := exec.CommandContext(running, "qemu-system-x86_64", qemuArgs(image, fw)...)
	cmd.WaitDelay = 10 * time.Second
	var complaints bytes.Buffer
	console := &console{ended: stop}
	cmd.Stdout, cmd.Stderr = console, &complaints
	err = cmd.Run()
	switch {
	case console.has(prompt):
		return console.log.String(), nil
	case console.deadEnd() != "":
		err = fmt.Errorf("the console says %q", console.deadEnd())
	case ctx.Err() != nil:
		err = fmt.Errorf("no login prompt: %w", context.Cause(ctx))
	default:
		err = fmt.Errorf("qemu ended without a login prompt: %v %s", err, bytes.TrimSpace(complaints.Bytes()))
	}
	return console.log.String(), fmt.Errorf("boot %s with %s: %w", image, fw, err)
}

// qemuArgs describe a PC without anything but two CPUs, the disk and a serial
// console, which graphics=off makes SeaBIOS use too.
func qemuArgs(image string, fw Firmware) []string {
	args := []string{
		"-machine", "pc,graphics=off", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024",
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
		"-snapshot", "-drive", "if=virtio,format=raw,file=" + strings.ReplaceAll(image, ",", ",,"),
	}
	if fw == UEFI {
		args = append(args,
			"-drive", "if=pflash,format=raw,readonly=on,file="+ovmfCode,
			"-drive", "if=pflash,format=raw,file="+ovmfVars)
	}
	return args
}

// console collects what the machine prints, and calls ended when it has come to
// an end, good or bad.
type console struct {
	log   bytes.Buffer
	ended func()
}

func (c *console) Write(p []byte) (int, error) {
	c.log.Write(p)
	if c.has(prompt) || c.deadEnd() != "" {
		c.ended()
	}
	return len(p), nil
}

func (c *console) has(text string) bool { return bytes.Contains(c.log.Bytes(), []byte(text)) }

// deadEnd returns the first of deadEnds that was printed, or nothing.
func (c *console) deadEnd() string {
	for _, text := range deadEnds {
		if c.has(text) {
			return text
		}
	}
	return ""
}
