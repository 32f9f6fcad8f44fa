package ntfs

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// keepHead is how much of an omitted file is kept, in bytes. Windows looks at
// its header when it starts, for an image to resume or a crash dump to save;
// on a second-hand disk the clusters might hold just that.
const keepHead = 64 << 10

// Omit lists the page, swap and hibernation files in the root folder. Their
// names are Windows' own; it makes them anew at every start.
func (v *vol) Omit(ctx context.Context) ([]volume.Omission, error) {
	used, err := v.Used(ctx)
	if err != nil {
		return nil, err
	}
	var out []volume.Omission
	for _, name := range []string{"pagefile.sys", "swapfile.sys", hibernationFile} {
		s, err := v.rootFile(ctx, name)
		if err != nil {
			return nil, err
		}
		keep, err := v.mustKeep(name, s)
		if err != nil {
			return nil, err
		}
		if keep {
			continue
		}
		content := s.extents(v.boot, (keepHead+v.boot.cluster-1)/v.boot.cluster)
		if err := v.notShared(name, content); err != nil {
			return nil, err
		}
		if content = content.Intersect(used); len(content) > 0 {
			out = append(out, volume.Omission{Name: name, Extents: content})
		}
	}
	return out, nil
}

// mustKeep reports whether a file is not what its name says, or is needed.
func (v *vol) mustKeep(name string, s stream) (bool, error) {
	if s.flags&(streamCompressed|streamEncrypted|streamSparse) != 0 {
		return true, nil
	}
	if name != hibernationFile {
		return false, nil
	}
	return v.sleeps(s)
}

// notShared fails when a file lies where metadata is.
func (v *vol) notShared(name string, content extent.List) error {
	for _, f := range v.system {
		if both := content.Intersect(f.extents); len(both) > 0 {
			return damaged(name, both[0].Start, "shares %v with %s", both[0], f.name)
		}
	}
	return nil
}

// rootFile returns the data of a file in the root folder, not found when there
// is no such file or the name is a folder's.
func (v *vol) rootFile(ctx context.Context, name string) (stream, error) {
	ix, err := v.mft.openIndex(ctx, recordRoot)
	if err != nil {
		return stream{}, err
	}
	ref, ok, err := ix.lookup(ctx, name)
	if err != nil || !ok {
		return stream{}, err
	}
	r, err := v.mft.record(int64(ref & referenceMask))
	if err != nil {
		return stream{}, err
	}
	if r.sequence != uint16(ref>>48) || r.base != 0 {
		return stream{}, damaged(r.what(), r.offset, "is not the file that the root folder calls %s", name)
	}
	if r.flags&recordIsFolder != 0 {
		return stream{}, nil
	}
	return v.mft.stream(ctx, r, attrData, nil, name)
}
