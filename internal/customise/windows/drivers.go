package windows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/hive"
)

// driversDir is where package drivers stages what was chosen, before Apply.
const driversDir = "Drivers/ingot"

// The folders in which Windows looks for INF files of new devices, in SOFTWARE.
const (
	devicePathKey   = `Microsoft\Windows\CurrentVersion`
	devicePathValue = "DevicePath"
	windowsINF      = `%SystemRoot%\inf`
	maxDevicePath   = 4000 // characters; more is not tried
)

// Bounds of the folder with drivers.
const (
	maxDriverDepth = 16
	maxDriverFiles = 100_000
)

// drivers tells Windows to look into the folders with staged drivers for the
// devices it finds; the answer file then installs them all. Windows Setup reads
// DriverPaths only when it starts from Windows PE, services an image offline, or is
// in audit mode: DevicePath and pnputil do here what DriverPaths does there.
//
// Drivers that Windows needs to reach its disk at all must be in the image.
func (s *session) drivers(ctx context.Context) error {
	dir, err := s.root.Fold(driversDir)
	if err != nil {
		return absent(err)
	}
	s.staged = true
	d := &driverWalk{ctx: ctx, tree: &s.tree}
	if err := d.folder(dir, 0); err != nil {
		return err
	}
	return s.devicePath(d.withINF)
}

// driverWalk goes through staged drivers.
type driverWalk struct {
	*tree
	ctx     context.Context
	files   int
	withINF []string
}

// folder gives all that is in a folder the descriptors that Windows would, and
// notes which folders have INF files.
func (d *driverWalk) folder(dir string, depth int) error {
	if err := d.protect(dir, true, inherited); err != nil {
		return err
	}
	entries, err := d.root.ReadDir(dir)
	if err != nil {
		return err
	}
	d.files += len(entries)
	if depth > maxDriverDepth || d.files > maxDriverFiles {
		return fmt.Errorf("%s has more than %d files, or more than %d folders inside each other", driversDir, maxDriverFiles, maxDriverDepth)
	}
	inf := false
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case d.ctx.Err() != nil:
			return d.ctx.Err()
		case e.IsDir():
			err = d.folder(name, depth+1)
		case e.Type().IsRegular():
			inf = inf || strings.EqualFold(path.Ext(name), ".inf")
			err = d.protect(name, false, inherited)
		}
		if err != nil {
			return err
		}
	}
	if inf {
		d.withINF = append(d.withINF, dir)
	}
	return nil
}

// devicePath names each folder, since Windows does not look into folders below.
func (s *session) devicePath(folders []string) error {
	old := s.text(software, devicePathKey, devicePathValue)
	if old == "" {
		old = windowsINF
	}
	paths := slices.DeleteFunc(strings.Split(old, ";"), func(p string) bool {
		return strings.HasPrefix(strings.ToLower(p), `c:\drivers\ingot`) // of an earlier deploy
	})
	slices.Sort(folders)
	for _, f := range folders {
		p := "C:" + strings.ReplaceAll(f, "/", `\`)
		if strings.ContainsAny(p, ";%") {
			s.note("Windows cannot look for drivers in %s, whose name has a semicolon or a percent sign in it.", p)
			continue
		}
		paths = append(paths, p)
	}
	all := strings.Join(paths, ";")
	if len(all) > maxDevicePath {
		s.note("The folders with drivers are too many for Windows to look into when it finds devices; they are installed by the answer file alone.")
		return nil
	}
	e, err := s.edit(software)
	if err != nil {
		return err
	}
	return e.Set(devicePathKey, hive.ExpandString(devicePathValue, all))
}

// absent is err, or none when it says that a file is not there.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
