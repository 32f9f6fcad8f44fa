package ext

import "github.com/ingot-imaging/ingot/internal/extent"

// maxMetadataPlaces bounds the memory for metadata to 16 MiB. With flex_bg
// three places serve 16 groups, so it is reached behind 600 TiB; without, at
// 64 TiB of 4 KiB blocks.
const maxMetadataPlaces = 1 << 20

const metadataKinds = 4

// metadataOf is where a group's own metadata lies: what its place demands, its
// two bitmaps, its inode table. With flex_bg only the first lies in the group.
func (g *geometry) metadataOf(group uint64, d descriptor) [metadataKinds]blockRange {
	return [metadataKinds]blockRange{
		g.fixedMetadata(group),
		{d.blockBitmap, 1},
		{d.inodeBitmap, 1},
		{d.inodeTable, g.inodeTableBlocks},
	}
}

// metadata collects the metadata of all groups. Neighbouring groups have theirs
// side by side, so each kind has a run that grows.
type metadata struct {
	growing [metadataKinds]blockRange
	places  []blockRange
}

func (m *metadata) add(kind int, r blockRange) {
	run := &m.growing[kind]
	switch {
	case r.count == 0:
	case run.first+run.count == r.first:
		run.count += r.count
	default:
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
