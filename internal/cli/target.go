package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// targetLook is what a target is and holds before it is overwritten.
type targetLook struct {
	deploy.Target
	disk    host.Disk
	holds   string // one line for the plan
	missing bool   // an image file that will be made
}

// stillIs refuses another disk than the one that was looked at and agreed to: people
// pull disks out while they are asked.
func (t targetLook) stillIs(disk *host.Target) error {
	now := disk.Describe()
	if t.missing || now.Name == t.disk.Name && now.Serial == t.disk.Serial && disk.Size() == t.Size {
		return nil
	}
	return refuse("%s was %s and is %s now; nothing was written. Look again, with 'ingot disks'", t.Path, identity(t.disk), identity(now))
}

// lookAt looks at a target without opening it for writing.
func lookAt(ctx context.Context, path string, job deployJob) (targetLook, error) {
	var t targetLook
	t.Path = path
	if !host.InDev(path) && (!exists(path) || isEmptyFile(path)) {
		t.disk = host.Disk{Path: path, Name: filepath.Base(path), Model: "new image file"}
		t.Target = deploy.Target{Path: path, Size: job.size, SectorSize: job.sector, CanDiscard: true, DiscardZeroes: true, Blank: true}
		t.missing, t.holds = true, "nothing yet: it will be made"
		_, err := os.Stat(filepath.Dir(path))
		return t, err
	}
	src, err := host.OpenSource(path, host.SourceOptions{SectorSize: job.sector})
	if err != nil {
		return t, err
	}
	defer src.Close()
	uses, err := host.InUse(path)
	if err != nil {
		return t, err
	}
	if len(uses) > 0 {
		return t, &host.BusyError{Path: path, Uses: uses}
	}
	t.disk, t.Size, t.SectorSize = src.Describe(), src.Size(), src.SectorSize()
	t.CanDiscard, t.DiscardZeroes = t.disk.CanDiscard(), t.disk.DiscardZeroes()
	if t.Unfinished, err = deploy.Unfinished(src); err != nil {
		return t, err
	}
	if t.Unfinished != "" {
		t.holds = "an unfinished deploy of " + t.Unfinished
		return t, nil
	}
	t.holds, t.Blank, err = holds(ctx, src)
	return t, err
}

// holds says in a line what is on a disk, and whether that is nothing.
func holds(ctx context.Context, r block.Reader) (what string, blank bool, err error) {
	d, err := survey.Look(ctx, r, all.Formats())
	if err != nil {
		return fmt.Sprintf("something that cannot be read (%v)", err), false, ctx.Err()
	}
	var kinds []string
	for _, v := range d.Volumes {
		kind := v.Info.Kind
		if v.Info.Label != "" {
			kind += fmt.Sprintf(" %q", v.Info.Label)
		}
		kinds = append(kinds, kind)
	}
	if d.Table.Kind != part.None && len(kinds) == 0 {
		return "an empty " + strings.ToUpper(string(d.Table.Kind)), false, nil
	}
	if d.Table.Kind != part.None {
		return fmt.Sprintf("a %s with %s", strings.ToUpper(string(d.Table.Kind)), strings.Join(kinds, ", ")), false, nil
	}
	if d.Volumes[0].Info.Kind != "unknown" || d.Volumes[0].Damage != nil {
		return kinds[0], false, nil
	}
	blank, err = looksBlank(r)
	if blank {
		return "nothing", true, err
	}
	return "data of unknown kind", false, err
}

// looksBlank reads samples: the first and last MiB and fifteen places between.
// Taking a disk with data for blank costs no byte, only the question whether to
// overwrite it, so the samples are where data lies if there is any.
func looksBlank(r block.Reader) (bool, error) {
	const sample, steps = 1 << 20, 16
	buf := make([]byte, min(sample, r.Size()))
	last := max(0, r.Size()-sample)
	for i := range int64(steps + 1) {
		if err := block.ReadFull(r, buf, last/steps*i+last%steps*i/steps); err != nil {
			return false, err
		}
		if len(strings.Trim(string(buf), "\x00")) > 0 {
			return false, nil
		}
	}
	return true, nil
}

// exists reports whether something is at path, readable or not.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func isEmptyFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == 0
}

// identity tells a disk from its neighbours: "Samsung SSD 870 EVO, serial
// S5Y1NX0R, 465.8 GiB".
func identity(d host.Disk) string {
	var words []string
	for _, w := range []string{d.Vendor + " " + d.Model, serialWord(d)} {
		if w = strings.TrimSpace(w); w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, ", ")
}

func serialWord(d host.Disk) string {
	if d.Serial == "" {
		return ""
	}
	return "serial " + d.Serial
}
