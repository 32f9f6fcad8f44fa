// Package boottest makes small Debian disks that boot, and boots disks in QEMU.
//
// It proves the promise that a deployed disk starts: Disk.Build makes the
// reference PC's disk (start there), Boot runs any disk until it asks for a
// login. It is support for tests and for `make demo`, needs root and the tools
// that README names, and is no part of the ingot binary.
//
// It works without device-mapper, without partition device nodes and without a
// vfat driver: partitions are loop devices at an offset, the ESP is filled by mtools.
package boottest

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Firmware is the kind of firmware that a disk is made for.
type Firmware string

const (
	UEFI Firmware = "uefi" // GPT; GRUB at the ESP's fallback path, as there are no boot entries for a new disk
	BIOS Firmware = "bios" // MBR; GRUB in the boot sector and in the gap before the first partition
	// Any is GPT with a BIOS boot partition and an ESP: it starts by BIOS, by UEFI, and
	// by UEFI with Secure Boot, through Debian's signed shim, GRUB and kernel.
	Any Firmware = "any"
	// Secure is UEFI with Secure Boot and Microsoft's keys, for starting disks.
	Secure Firmware = "secure"
)

// ParseFirmware returns the firmware of that name.
func ParseFirmware(name string) (Firmware, error) {
	switch fw := Firmware(name); fw {
	case UEFI, BIOS, Any, Secure:
		return fw, nil
	}
	return "", fmt.Errorf("firmware %q: want %s, %s, %s or %s", name, UEFI, BIOS, Any, Secure)
}

// run starts a program, gives it stdin, and returns what it printed. An error
// carries the program's own words. When ctx ends, the program is asked to stop, so
// that it undoes its mounts.
func run(ctx context.Context, stdin, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(stdout.String()), nil
}
