package fat

import (
	"context"
	"fmt"
	"sync"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

type fatVolume struct {
	*geometry
	r         block.Reader
	info      volume.Info
	freeCount int64 // FSInfo's, -1 when it has none

	mu    sync.Mutex
	found []string // notes of the last Used
}

var _ volume.Volume = (*fatVolume)(nil)

// Info tells, after a call of Used, also what the tables' contents gave cause to note.
func (v *fatVolume) Info() volume.Info {
	v.mu.Lock()
	defer v.mu.Unlock()
	info := v.info
	info.Notes = append(info.Notes[:len(info.Notes):len(info.Notes)], v.found...)
	return info
}

func (v *fatVolume) describe(ctx context.Context, sector []byte) error {
	x := parseExtended(sector, v.bits)
	v.info = volume.Info{Kind: v.kind(), UUID: x.serial, Size: v.size, BlockSize: v.clusterSize, Used: -1}
	v.freeCount = -1
	if v.size > v.r.Size() {
		v.info.Label = printable(x.label)
		v.refuse(volume.Damaged, false, fmt.Sprintf("it claims %d bytes, there are %d", v.size, v.r.Size()),
			"Find the rest of the volume, or copy out its files and format it again.")
		return nil
	}
	var err error
	if v.info.Label, err = readLabel(ctx, v.r, v.geometry, x.label); err != nil {
		return err
	}
	if err := v.readFreeCount(); err != nil {
		return err
	}
	if v.freeCount >= 0 {
		v.info.Used = v.size - v.freeCount*v.clusterSize
	}
	return v.judge(x)
}

// Used returns everything in front of the first cluster (boot sectors, tables,
// the fixed root directory), every cluster whose table entry is not free, bad
// ones included, and the rest behind the last whole cluster. FAT32's free count
// is advice by its specification: when it is wrong, Info notes it.
func (v *fatVolume) Used(ctx context.Context) (extent.List, error) {
	if err := v.info.Blocking(); err != nil {
		return nil, err
	}
	s, err := scanTables(ctx, v.r, v.geometry)
	if err != nil {
		return nil, err
	}
	if v.bits == 32 && !s.root {
		return nil, &volume.DamageError{Kind: v.kind(), What: "allocation table", Offset: v.entryOffset(v.activeTable, v.rootCluster),
			Why: fmt.Sprintf("cluster %d of the root directory is free", v.rootCluster)}
	}
	v.mu.Lock()
	v.found = v.notes(s)
	v.mu.Unlock()
	rest := v.clusterOffset(v.clusterEnd())
	outside := extent.Of(extent.Extent{Length: v.dataStart}, extent.Extent{Start: rest, Length: v.size - rest})
	return outside.Union(s.used.List()), nil
}

func (v *fatVolume) notes(s *scan) []string {
	var notes []string
	if s.differ {
		notes = append(notes, "The copies of the allocation table differ; what either of them calls used is taken.")
	}
	if v.freeCount >= 0 && v.freeCount != s.free {
		notes = append(notes, fmt.Sprintf("The free count %d is out of date: %d clusters are free.", v.freeCount, s.free))
	}
	if v.entries() < v.clusterEnd() {
		notes = append(notes, fmt.Sprintf("The allocation table is too short for %d clusters; they are taken as used.", v.clusterEnd()-v.entries()))
	}
	return notes
}
