package lint

import (
	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/survey"
)

// OfDisk describes a disk that was surveyed as if it were an image, volumes that a
// capture would refuse included. The source is for looking at, not for a deploy:
// what is used of it is not known.
func OfDisk(found *survey.Disk, about image.Disk) (*image.Manifest, content.RandomSource) {
	m := &image.Manifest{Format: image.Format, Disk: about}
	if found.Table.Kind != part.None {
		m.Table = &found.Table
	}
	var windows []block.Reader
	for _, v := range found.Volumes {
		method := image.UsedBlocks
		if v.Damage != nil || !v.Info.Clean() {
			method = image.AllSectors
		}
		m.Regions = append(m.Regions, image.Region{
			Partition: v.Partition.Number, Start: v.Start(), Size: v.Window.Size(),
			Volume: &image.Volume{
				Kind: v.Info.Kind, Label: v.Info.Label, UUID: v.Info.UUID, Size: v.Info.Size, BlockSize: v.Info.BlockSize, Method: method,
			},
		})
		windows = append(windows, v.Window)
	}
	return m, content.NewLive(m.Regions, make([]extent.List, len(m.Regions)), windows)
}
