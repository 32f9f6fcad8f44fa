package browse

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/image"
)

// partition compares two partitions and the volumes on them.
func (c *comparison) partition(ctx context.Context, p, q Partition) error {
	var d details
	d.add("start", p.Start, q.Start)
	d.add("size", p.Size, q.Size)
	d.add("type", p.Type, q.Type)
	d.add("name", p.Name, q.Name)
	d.add("ID", p.ID, q.ID)
	d.add("flags", fmt.Sprintf("%#x", p.Flags), fmt.Sprintf("%#x", q.Flags))
	d.add("kind", p.Kind, q.Kind)
	d.add("label", p.Label, q.Label)
	d.add("UUID", p.UUID, q.UUID)
	d.add("size of the volume", p.Volume.Size, q.Volume.Size)
	same := c.sameMap(p, q)
	reachable := p.reachable() && q.reachable()
	if !same && !reachable {
		d.add("reachable files", p.reachable(), q.reachable())
		if p.blocks >= 0 && q.blocks >= 0 {
			n, err := differentBytes(ctx, c.a, p.blocks, c.b, q.blocks)
			if err != nil {
				return err
			}
			if n > 0 {
				d = append(d, Detail{What: fmt.Sprintf("%d bytes of content", n)})
			}
		}
	}
	if len(d) > 0 {
		if err := c.differ(Difference{Partition: p.Number, Change: Changed, Details: d}); err != nil {
			return err
		}
	}
	if same || !reachable {
		return nil
	}
	return c.trees(ctx, p.Number)
}

// sameMap reports whether two volumes have the same bytes by their maps.
func (c *comparison) sameMap(p, q Partition) bool {
	for _, pair := range [][2]int{{p.blocks, q.blocks}, {p.listing, q.listing}, {p.contents, q.contents}} {
		if (pair[0] < 0) != (pair[1] < 0) {
			return false
		}
		if pair[0] >= 0 && !equalMaps(&c.a.manifest.Regions[pair[0]], &c.b.manifest.Regions[pair[1]]) {
			return false
		}
	}
	return true
}

func equalMaps(r, s *image.Region) bool { return r.Size == s.Size && slices.Equal(r.Map, s.Map) }

// NeedsMounts reports whether a comparison mounts volumes.
func NeedsMounts(a, b *Image, opts CompareOptions) bool {
	c := &comparison{a: a, b: b, opts: opts}
	for _, p := range a.Partitions() {
		q, err := b.partition(p.Number)
		if err == nil && c.wanted(&p) && p.reachable() && q.reachable() && (p.Mounted() || q.Mounted()) && !c.sameMap(p, q) {
			return true
		}
	}
	return false
}
