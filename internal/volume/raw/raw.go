// Package raw is the volume whose used map is everything, for content that no
// format recognises.
//
// It refuses nothing; runs of zeros are for whoever reads the bytes to leave
// out. Formats that recognise what they cannot look into, such as LUKS, have
// packages of their own. Callers start with Everything.
package raw

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Everything returns a volume of kind "unknown" that uses all of its size bytes.
func Everything(size int64) volume.Volume { return everything{size} }

type everything struct{ size int64 }

func (v everything) Info() volume.Info {
	return volume.Info{Kind: "unknown", Size: v.size, Used: -1}
}

func (v everything) Used(context.Context) (extent.List, error) {
	return extent.Of(extent.Extent{Length: v.size}), nil
}
