package adapt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/boot"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/system"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// NoBootError says why a disk that holds a system will not start. Everything on it
// is as it should be.
type NoBootError struct{ Findings []boot.Finding }

func (e *NoBootError) Error() string {
	var why []string
	for _, f := range e.Findings {
		if f.Severity == boot.Fatal {
			why = append(why, f.String())
		}
	}
	return "the disk will not start: " + strings.Join(why, " ")
}

// Disk is a disk whose boot is checked.
type Disk struct {
	Path     string
	Reader   block.Reader // of the whole disk
	Firmware string       // of its machine: "uefi", "bios"; "": either will do
	Formats  []volume.Format
	Scratch  string // folder for mounts
}

// Started is how a disk will start.
type Started struct {
	boot.Verdict
	// Loader is the first loader on the EFI system partition, for an entry of the
	// firmware; nil when there is none.
	Loader *boot.Place `json:"loader,omitempty"`
}

// CheckBoot tells how a disk that holds a system will start; nil for one without a
// system. The error is a *NoBootError when it will not.
func CheckBoot(ctx context.Context, d Disk) (s *Started, err error) {
	found, err := survey.Look(ctx, d.Reader, d.Formats)
	if err != nil {
		return nil, err
	}
	check := boot.Disk{Reader: d.Reader, Table: found.Table, Firmware: d.Firmware}
	for _, w := range found.Volumes {
		check.Volumes = append(check.Volumes, system.Volume{
			Partition: w.Partition.Number, Kind: w.Info.Kind, UUID: w.Info.UUID, Label: w.Info.Label, Path: d.Path,
			Options: mount.Options{ReadOnly: true, Offset: w.Start(), Size: w.Window.Size(), SectorSize: found.Table.SectorSize},
		}.In(found.Table))
	}
	sys, err := system.Open(ctx, d.Scratch, check.Volumes)
	if err != nil {
		return nil, fmt.Errorf("mount the system that was deployed: %w", err)
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	if sys.Kind == system.None {
		return nil, nil
	}
	check.Root, check.ESP = sys.Root, sys.ESP
	s = &Started{}
	if s.Verdict, err = boot.Check(ctx, check); err != nil {
		return nil, err
	}
	if s.Loader, err = loaderOf(sys, found.Table); err != nil {
		return nil, err
	}
	if !s.Boots(d.Firmware) {
		err = &NoBootError{s.Findings}
	}
	return s, err
}

// loaderOf is the place of the first loader on a system's ESP.
func loaderOf(sys *system.System, t part.Table) (*boot.Place, error) {
	i := slices.IndexFunc(t.Partitions, t.IsESP)
	if sys.ESP == nil || i < 0 || t.Kind != part.GPT {
		return nil, nil
	}
	loaders, err := boot.Loaders(sys.ESP)
	if err != nil || len(loaders) == 0 {
		return nil, err
	}
	p, sector := t.Partitions[i], int64(t.SectorSize)
	return &boot.Place{
		Partition: p.Number, Start: p.Start / sector, Size: p.Length / sector, GUID: p.ID,
		File: `\` + strings.ReplaceAll(loaders[0].File, "/", `\`),
	}, nil
}
