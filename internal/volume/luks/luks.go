// Package luks recognises LUKS1 and LUKS2 volumes.
//
// Without the key nothing tells used sectors from free ones, so the used map is
// the whole volume; what this package adds to a raw capture is the name of the
// format, its UUID and label, and the refusal of a volume that is in the middle
// of being encrypted anew. It reads headers only, no key material, and it does
// not see a volume whose header is kept on another device. Callers start with New.
//
// Sources: LUKS1 On-Disk Format Specification 1.2.3; LUKS2 On-Disk Format
// Specification 1.1.1.
package luks

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

type format struct{}

// New returns the reader of LUKS volumes. A secondary LUKS2 header outlives a
// new file system on the volume, so LUKS is to be tried after file systems.
func New() volume.Format { return format{} }

func (format) Name() string { return "luks" }

func (format) Recognise(r block.Reader) (bool, error) {
	h, err := find(r)
	return h != nil, err
}

func (format) Open(_ context.Context, r block.Reader) (volume.Volume, error) {
	h, err := find(r)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, &volume.DamageError{Kind: "luks", What: "header", Offset: 0, Why: "it has no LUKS signature"}
	}
	info := volume.Info{
		Kind:     h.kind,
		Label:    h.label,
		UUID:     h.uuid,
		Size:     r.Size(),
		Used:     -1,
		Refusals: h.refusals,
		Notes: append(h.notes, "It is encrypted: all of it is captured, free space included, and it neither compresses nor deduplicates. "+
			"Every machine it is deployed to has the same keys."),
	}
	return luksVolume{info}, nil
}

type luksVolume struct{ info volume.Info }

func (v luksVolume) Info() volume.Info { return v.info }

func (v luksVolume) Used(context.Context) (extent.List, error) {
	if err := v.info.Blocking(); err != nil {
		return nil, err
	}
	return extent.Of(extent.Extent{Length: v.info.Size}), nil
}
