// Package raw is the volume whose used map is everything: content that no
// format recognises, or that cannot be looked into, such as an encrypted one.
//
// It recognises nothing and refuses nothing; runs of zeros are for whoever reads
// the bytes to leave out. Callers start with Everything.
package raw

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Unknown is the kind of content that no format recognises.
const Unknown = "unknown"

// Everything returns a volume of the given kind that fills r and uses all of it.
// The note is a sentence that tells the user why, "" for none.
func Everything(r block.Reader, kind, note string) volume.Volume {
	v := everything{volume.Info{Kind: kind, Size: r.Size(), Used: -1}}
	if note != "" {
		v.info.Notes = []string{note}
	}
	return v
}

type everything struct{ info volume.Info }

func (v everything) Info() volume.Info { return v.info }

func (v everything) Used(context.Context) (extent.List, error) {
	return extent.Of(extent.Extent{Length: v.info.Size}), nil
}
