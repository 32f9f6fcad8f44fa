package browse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/ingot-imaging/ingot/internal/system"
)

// NoSystemError says that no volume of an image holds a system.
type NoSystemError struct {
	Have []int // partitions
	Err  error // why one could not be looked into; nil: there is none
}

func (e *NoSystemError) Error() string {
	s := fmt.Sprintf("no system was found on the partitions %v; name one, as in 2:/etc", e.Have)
	if e.Err != nil {
		s += "\n" + e.Err.Error()
	}
	return s
}

func (e *NoSystemError) Unwrap() error { return e.Err }

// System returns the tree of the system on the image's volumes, with those that
// belong to it at their places. Where the image is one volume without a system,
// that is the tree. The error may be a *NoSystemError.
func (i *Image) System(ctx context.Context) (*Tree, system.Kind, error) {
	all := i.Partitions()
	none := &NoSystemError{}
	for _, p := range all {
		none.Have = append(none.Have, p.Number)
		if !system.HoldsSystems(p.Kind) {
			continue
		}
		t, err := i.Volume(ctx, p.Number)
		if err != nil {
			none.Err = errors.Join(none.Err, err)
			continue
		}
		for _, folder := range system.Subvolumes(p.Kind, Files{t}.ReadDir) {
			at, err := t.Resolve(folder, true)
			if err != nil {
				continue
			}
			found := &Tree{points: slices.Clone(t.points)}
			found.points[0].folder = at
			if kind := system.KindOf(Files{found}); kind != system.None {
				return found, kind, i.assemble(ctx, found, all)
			}
		}
	}
	if len(all) == 1 {
		t, err := i.Volume(ctx, all[0].Number)
		return t, system.None, err
	}
	return nil, system.None, none
}

// maxFstab is far above what an fstab has, bytes.
const maxFstab = 1 << 20

// assemble puts the volumes that a system's fstab names at their places.
func (i *Image) assemble(ctx context.Context, t *Tree, all []Partition) error {
	fstab, err := Files{t}.ReadFile("etc/fstab", maxFstab)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the system's fstab: %w", err)
	}
	points, missing := system.Points(string(fstab), i.systemVolumes(all))
	t.Missing = missing
	for _, p := range points {
		if err := i.attach(ctx, t, p, all[p.Volume]); err != nil {
			t.Missing = append(t.Missing, fmt.Sprintf("%s of its fstab: %v", p.At, err))
		}
	}
	return nil
}

// attach puts a volume at its place, if there is a folder for it and nothing else
// is there.
func (i *Image) attach(ctx context.Context, t *Tree, at system.Point, p Partition) error {
	place, err := t.Resolve(at.At, true)
	if err != nil {
		return err
	}
	taken := slices.ContainsFunc(t.points, func(q point) bool { return q.at == place })
	if e, err := t.Lstat(place); err != nil || !e.IsDir() || taken {
		return err
	}
	if p.Mounted() && os.Geteuid() != 0 {
		return fmt.Errorf("partition %d was captured by blocks, and only root may mount it", p.Number)
	}
	t.points = append(t.points, point{at: place, partition: p.Number, kind: p.Kind, open: func() (volume, string, error) {
		v, err := i.Volume(ctx, p.Number)
		if err != nil {
			return nil, "", err
		}
		folder, err := v.Resolve(at.Subvolume, true)
		return v.points[0].files, folder, err
	}})
	return nil
}

// systemVolumes describes the volumes as package system wants them.
func (i *Image) systemVolumes(all []Partition) []system.Volume {
	volumes := make([]system.Volume, len(all))
	for n, p := range all {
		volumes[n] = system.Volume{Partition: p.Number, Kind: p.Kind, UUID: p.UUID, Label: p.Label}
		if i.manifest.Table != nil {
			volumes[n] = volumes[n].In(*i.manifest.Table)
		}
	}
	return volumes
}
