package adapt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/customise/linux"
	"github.com/ingot-imaging/ingot/internal/customise/windows"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/rootfs"
	"github.com/ingot-imaging/ingot/internal/system"
	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/view/volumes"
)

// editLinux edits a Linux system, and has its own programs make anew what only
// they can make.
func (s *Session) editLinux(ctx context.Context, sys *system.System, plan *fit.Plan, c Custom, report *Report) (*customise.Report, error) {
	done := &customise.Report{}
	if err := stage(ctx, sys, &c, done); err != nil {
		return nil, err
	}
	edited, err := linux.Apply(ctx, sys.Root, c.Job)
	if err != nil {
		return nil, err
	}
	done.Add(edited)
	commands, err := moduleCommands(sys.Root, done)
	if err != nil {
		return nil, err
	}
	anew := linux.RebuildCommands(sys.Root, done)
	if len(anew) == 0 && (slices.Contains(done.Rebuild, customise.Initramfs) || slices.Contains(done.Rebuild, customise.BootLoader)) {
		done.Notes = append(done.Notes, "what the system starts from was made for its old file system, and it has no program to make it anew: it may not start")
	}
	commands = append(commands, anew...)
	if len(commands) == 0 {
		return done, nil
	}
	before, err := stamps(sys.Root)
	if err != nil {
		return nil, err
	}
	chroot, err := mount.ForChroot(sys.Root, nil)
	if err != nil {
		return nil, err
	}
	if err = s.runAll(ctx, sys, plan, commands, report); err == nil {
		err = touchMade(sys.Root, before, done)
	}
	return done, errors.Join(err, chroot.Close())
}

// runAll runs programs of the image. What would write to the disk itself, which
// they cannot reach, is done by newCore instead.
func (s *Session) runAll(ctx context.Context, sys *system.System, plan *fit.Plan, commands [][]string, report *Report) error {
	for _, argv := range commands {
		if slices.Contains(argv, linux.DiskArg) {
			writes, err := s.newCore(ctx, sys, plan)
			if err != nil {
				return fmt.Errorf("make GRUB's core image anew: %w", err)
			}
			report.Writes = append(report.Writes, writes...)
			continue
		}
		if err := s.inSystem(ctx, sys, argv); err != nil {
			return err
		}
	}
	return nil
}

// inSystem runs a program of the image. It sees no process, no network and no host
// name of this machine, and no device that holds data.
func (s *Session) inSystem(ctx context.Context, sys *system.System, argv []string) error {
	s.job.Say("in the system: " + strings.Join(argv, " "))
	args := append([]string{"--fork", "--pid", "--net", "--ipc", "--uts", "--kill-child", "chroot", sys.Root.Dir()}, argv...)
	if _, err := (tool.Command{Name: tool.Unshare, Args: args}).Run(ctx); err != nil {
		return fmt.Errorf("make anew what the system starts from: %w", err)
	}
	return nil
}

func (s *Session) editWindows(ctx context.Context, sys *system.System, c Custom) (*customise.Report, error) {
	done := &customise.Report{}
	if err := stage(ctx, sys, &c, done); err != nil {
		return nil, err
	}
	edited, err := windows.Apply(ctx, sys.Root, c.Job)
	if err != nil {
		return nil, err
	}
	done.Add(edited)
	if sys.ESP == nil {
		return done, s.fixActive(ctx, sys, c, done)
	}
	fixed, err := windows.FixBCD(sys.ESP, c.Disk)
	if err != nil {
		return nil, err
	}
	done.Add(fixed.On("ESP"))
	return done, nil
}

// fixActive makes the boot manager's store on the active partition of a BIOS
// machine right, which is often not the one of Windows itself.
func (s *Session) fixActive(ctx context.Context, sys *system.System, c Custom, done *customise.Report) error {
	for _, v := range s.volumes.All {
		n := v.Region.Partition
		p, _ := s.table().Partition(n)
		if n == sys.At["/"] || v.Region.Volume.Kind != "ntfs" || p.Flags&activeFlag == 0 {
			continue
		}
		fixed, err := s.fixBCDOn(ctx, v, c.Disk)
		if err != nil {
			return fmt.Errorf("active partition %d: %w", n, v.Explain(err))
		}
		done.Add(fixed.On(fmt.Sprintf("partition %d", n)))
	}
	return nil
}

// fixBCDOn mounts a volume for FixBCD.
func (s *Session) fixBCDOn(ctx context.Context, v *volumes.Volume, disk customise.Disk) (report *customise.Report, err error) {
	dir, err := os.MkdirTemp(s.job.Scratch, "ingot-active-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(dir)) }()
	m, err := mount.Volume(ctx, v.Path, v.Region.Volume.Kind, dir, mount.Options{SectorSize: s.job.Sector})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	root, err := rootfs.Open(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return windows.FixBCD(root, disk)
}

// activeFlag is the boot indicator of an entry of an MBR.
const activeFlag = 0x80
