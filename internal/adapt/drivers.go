package adapt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/drivers"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/rootfs"
	"github.com/ingot-imaging/ingot/internal/system"
)

// Drivers chooses driver sets for a machine, out of a folder of them, "" for none,
// and tells which of its devices nobody claims. It is for the plan: what is chosen
// is staged by Prepare. Of an image that was captured file by file, and of a system
// without modules, it is not known what it brings itself, so nothing is called
// unclaimed.
func (s *Session) Drivers(ctx context.Context, facts profile.Facts, folder string) (choice drivers.Choice, err error) {
	library, err := loadDrivers(folder)
	if err != nil {
		return choice, err
	}
	target := drivers.Target{OS: drivers.OS(s.found)}
	if len(s.trees) > 0 {
		if choice, err = library.Choose(ctx, facts, target); err == nil {
			choice.Unclaimed = nil
		}
		return choice, err
	}
	sys, err := system.Open(ctx, s.job.Scratch, s.mountable(true))
	if err != nil {
		return choice, s.volumes.Explain(err)
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	if sys.Root == nil {
		return choice, nil
	}
	builtin, notes, err := drivers.OpenBuiltin(ctx, sys.Root, target.OS, "")
	unknown := errors.Is(err, fs.ErrNotExist) // its kernel needs no modules, or comes from elsewhere
	if err != nil && !unknown {
		return choice, err
	}
	target.Builtin = builtin
	choice, err = library.Choose(ctx, facts, target)
	if unknown {
		choice.Unclaimed = nil
	}
	choice.Notes = append(choice.Notes, notes...)
	return choice, err
}

// loadDrivers reads what sets there are; mistakes in their match files are those
// of a profile.
func loadDrivers(folder string) (*drivers.Library, error) {
	if folder == "" {
		return nil, nil
	}
	library, problems, err := drivers.Load(os.DirFS(folder))
	if err == nil && len(problems) > 0 {
		err = &profile.Error{Name: folder, Problems: problems}
	}
	return library, err
}

// stage puts the chosen drivers into the system.
func stage(ctx context.Context, sys *system.System, c *Custom, report *customise.Report) error {
	staged, err := drivers.Stage(ctx, sys.Root, c.Drivers)
	if err != nil {
		return err
	}
	report.Add(&staged.Report)
	if staged.Script != "" {
		settings := *c.Settings
		settings.Scripts = append([]profile.Script{{Name: "drivers", Content: staged.Script}}, settings.Scripts...)
		c.Settings = &settings
	}
	return nil
}

// moduleCommands list the modules of every kernel of a system anew.
func moduleCommands(root *rootfs.Root, report *customise.Report) ([][]string, error) {
	if !slices.Contains(report.Rebuild, customise.Modules) {
		return nil, nil
	}
	kernels, err := root.ReadDir("/lib/modules")
	if err != nil {
		return nil, fmt.Errorf("list the system's kernels: %w", err)
	}
	var commands [][]string
	for _, k := range kernels {
		if k.IsDir() && !strings.HasPrefix(k.Name(), "-") {
			commands = append(commands, []string{"depmod", "-a", k.Name()})
		}
	}
	return commands, nil
}
