package ext

import "github.com/ingot-imaging/ingot/internal/extent"

// maxMetadataPlaces bounds the memory for metadata to 16 MiB. With flex_bg
// three places serve 16 groups, so it is reached behind 600 TiB; without, at
// 128 TiB of 4 KiB blocks.
const maxMetadataPlaces = 1 << 20

// metadata collects where bitmaps and inode tables lie. Neighbouring groups
// have theirs side by side, so each kind has a run that grows.
type metadata struct {
	growing [3]blockRange
	places  []blockRange
}

func (m *metadata) add(d descriptor, inodeTableBlocks uint64) {
	for i, r := range [3]blockRange{{d.blockBitmap, 1}, {d.inodeBitmap, 1}, {d.inodeTable, inodeTableBlocks}} {
		run := &m.growing[i]
		if run.first+run.count == r.first {
			run.count += r.count
			continue
		}
		if run.count > 0 {
			m.places = append(m.places, *run)
		}
		*run = r
	}
}

// list returns everything that was added, in bytes.
func (m *metadata) list(bytesPerBlock int64) extent.List {
	all := make([]extent.Extent, 0, len(m.places)+len(m.growing))
	for _, r := range append(m.places, m.growing[:]...) {
		all = append(all, extent.Extent{Start: int64(r.first) * bytesPerBlock, Length: int64(r.count) * bytesPerBlock})
	}
	return extent.Of(all...)
}
