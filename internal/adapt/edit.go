package adapt

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/customise/linux"
	"github.com/ingot-imaging/ingot/internal/customise/windows"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/system"
	"github.com/ingot-imaging/ingot/internal/tool"
)

// editLinux edits a Linux system, and has its own programs make anew what only
// they can make.
func (s *Session) editLinux(ctx context.Context, sys *system.System, c Custom) (*customise.Report, error) {
	done, err := linux.Apply(ctx, sys.Root, c.Job)
	if err != nil {
		return nil, err
	}
	commands := linux.RebuildCommands(sys.Root, done)
	if len(commands) == 0 {
		return done, nil
	}
	chroot, err := mount.ForChroot(sys.Root, nil)
	if err != nil {
		return nil, err
	}
	for _, argv := range commands {
		if err = s.inSystem(ctx, sys, argv); err != nil {
			break
		}
	}
	return done, errors.Join(err, chroot.Close())
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
	done, err := windows.Apply(ctx, sys.Root, c.Job)
	if err != nil || sys.ESP == nil {
		return done, err
	}
	fixed, err := windows.FixBCD(sys.ESP, c.Disk)
	if err != nil {
		return nil, err
	}
	for _, name := range fixed.Changed {
		done.Touch("ESP:" + name)
	}
	done.Notes = append(done.Notes, fixed.Notes...)
	return done, nil
}
