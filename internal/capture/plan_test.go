package capture

import (
	"context"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// half is a volume that lays claim to the first size bytes and uses the first block.
type half struct{ size int64 }

func (h half) Info() volume.Info { return volume.Info{Kind: "half", Size: h.size} }

func (h half) Used(context.Context) (extent.List, error) {
	return extent.List{{Start: 0, Length: 4096}}, nil
}

func TestEndOfPartitionBehindItsVolumeIsTaken(t *testing.T) {
	const mib = 1 << 20
	first := extent.Extent{Length: 4096}
	for _, c := range []struct {
		name          string
		claimed, size int64
		want          extent.List
	}{
		{"fills it", 8 * mib, 8 * mib, extent.Of(first)},
		{"a few sectors short", 8*mib - 1024, 8 * mib, extent.Of(first, extent.Extent{Start: 8*mib - 4096, Length: 4096})},
		{"half of it", 4 * mib, 8 * mib, extent.Of(first, extent.Extent{Start: 7 * mib, Length: mib})},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := blocktest.NewMemory(c.size, 512)
			v := half{c.claimed}
			d := &survey.Disk{Table: part.Table{Kind: part.None}, Volumes: []survey.Volume{{Window: disk, Volume: v, Info: v.Info(), Partition: part.Partition{Length: c.size}}}}
			p, err := NewPlan(t.Context(), disk, image.Disk{Size: c.size, SectorSize: 512}, d, Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := p.Regions[0].Used
			if len(got) != len(c.want) {
				t.Fatalf("takes %v, want %v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("takes %v, want %v", got, c.want)
				}
			}
		})
	}
}
