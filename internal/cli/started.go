package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ingot-imaging/ingot/internal/adapt"
	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/boot"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// checksBoot reports whether a job ends with a look at how its target will start.
// That takes mounts, and a whole disk.
func (j *deployJob) checksBoot() bool {
	return j.partition == 0 && j.table != nil && os.Geteuid() == 0
}

// started looks at how a target that was written will start; nil when it holds no
// system. What cannot be looked at is told, and is no failure.
func (a *App) started(ctx context.Context, path string, job deployJob) (*adapt.Started, error) {
	src, err := host.OpenSource(path, host.SourceOptions{SectorSize: job.sector})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	s, err := adapt.CheckBoot(ctx, adapt.Disk{Path: path, Reader: src, Firmware: job.fl.firmware, Formats: all.Formats(), Scratch: job.fl.scratchFolder()})
	var no *adapt.NoBootError
	if err == nil || errors.As(err, &no) || ctx.Err() != nil {
		return s, err
	}
	a.Note("whether %s starts could not be looked at: %v", path, err)
	return nil, nil
}

// addBootEntry makes this machine's firmware start the target first.
func (a *App) addBootEntry(s *adapt.Started, label string) error {
	if s == nil || s.Loader == nil {
		return errors.New("no boot entry was made: the disk has no loader for UEFI")
	}
	if _, err := os.Stat(boot.EFIVarfs); err != nil {
		return refuse("no boot entry was made: this machine was not started by UEFI, or %s is not mounted", boot.EFIVarfs)
	}
	changes, err := boot.EnsureEntry(boot.Variables{Dir: boot.EFIVarfs, Mutable: host.MakeMutable}, boot.Entry{Label: label, Place: *s.Loader})
	if err != nil {
		return fmt.Errorf("make a boot entry: %w", err)
	}
	a.Note("boot entry %v starts %s first", changes.Number, s.Loader.File)
	return nil
}

// writeStarted tells how a disk starts.
func writeStarted(w io.Writer, s *adapt.Started) {
	if s == nil {
		return
	}
	for _, by := range []struct{ firmware, loader string }{{"UEFI", s.UEFI}, {"a BIOS", s.BIOS}} {
		if by.loader != "" {
			fmt.Fprintf(w, "It starts by %s: %s.\n", by.firmware, by.loader)
		}
	}
	for _, f := range s.Findings {
		fmt.Fprintf(w, "Note: %v\n", f)
	}
}
