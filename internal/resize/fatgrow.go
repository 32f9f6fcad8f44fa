package resize

import (
	"context"
	"encoding/binary"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// A FAT volume grows when its tables do. Clusters are numbered from the first one,
// so everything behind the tables moves up as it is, and no directory changes.

// mostTable bounds the memory for a table: 16 Mi clusters of FAT32, 512 GiB in
// clusters of 32 KiB.
const mostTable = 64 << 20

// fatGrain is what the data moves by a multiple of, so that clusters stay on the
// grid of 4 KiB that they were on.
const fatGrain = 4096

func growFAT(ctx context.Context, v Volume, size int64) ([]string, error) {
	return nil, change(v.Path, func(d disk) error { return growTables(ctx, d, v.Kind, size) })
}

func growTables(ctx context.Context, d block.Writer, kind string, size int64) error {
	b, err := readFATBoot(d)
	if err != nil {
		return err
	}
	old, err := b.layout(kind)
	if err != nil {
		return err
	}
	l, err := old.grown(kind, size)
	if err != nil {
		return err
	}
	table, err := b.readTable(d, old)
	if err != nil {
		return err
	}
	if by := (l.data() - old.data()) * l.size; by > 0 {
		if err := moveUp(ctx, d, old.used(table), by); err != nil {
			return err
		}
	}
	table = append(table, make([]byte, l.perTable*l.size-int64(len(table)))...)
	for i := range l.tables {
		if _, err := d.WriteAt(table, (l.reserved+i*l.perTable)*l.size); err != nil {
			return err
		}
	}
	if err := b.addFree(d, l.clusters()-old.clusters()); err != nil {
		return err
	}
	b.set(l)
	return b.write(d)
}

// grown is l with size bytes.
func (l fatLayout) grown(kind string, size int64) (fatLayout, error) {
	if limit := l.limit(); size > limit {
		return l, &TooLargeError{kind, size, limit, "It can be made anew with larger clusters, or as FAT32, and its files copied."}
	}
	g := l
	g.total = size / l.size
	for g.tableNeeds() > g.perTable { // a longer table leaves fewer clusters, so this ends
		g.perTable = g.tableNeeds()
	}
	for (g.data()-l.data())*l.size%fatGrain != 0 {
		g.perTable++
	}
	if g.perTable*g.size > mostTable {
		return l, &NotPossibleError{kind, Growing, rebuild}
	}
	if g.clusters() < l.clusters() { // the little there is more went to the tables
		return l, nil
	}
	return g, nil
}

// limit is the largest size in bytes; sectors are counted by 32 bits. What the
// tables take on top is left out.
func (l fatLayout) limit() int64 {
	return min(l.mostClusters()*l.perCluster, 1<<32-1) * l.size
}

// readTable returns the table in use: the entries of the clusters there are, and
// the flags before them.
func (b fatBoot) readTable(d block.Reader, l fatLayout) ([]byte, error) {
	n := ((l.clusters()+2)*l.bits + 7) / 8
	if n > mostTable {
		return nil, &NotPossibleError{"fat32", Growing, rebuild}
	}
	at := int64(0)
	if flags := b.u16(fatFlags); b.fat32() && flags&0x80 != 0 {
		at = min(flags&0xF, l.tables-1)
	}
	return superblock(d, (l.reserved+at*l.perTable)*l.size, int(n))
}

// used returns what lies behind the tables, in bytes: the root directory, where it
// has a place of its own, and every cluster that is not free.
func (l fatLayout) used(table []byte) extent.List {
	var out extent.Builder
	out.Add(l.root()*l.size, l.rootDirectory*l.size)
	cluster := l.perCluster * l.size
	for n := range l.clusters() {
		if l.entry(table, n+2) != 0 {
			out.Add(l.data()*l.size+n*cluster, cluster)
		}
	}
	return out.List()
}

func (l fatLayout) entry(table []byte, n int64) uint32 {
	switch l.bits {
	case 12:
		pair := uint32(table[n*3/2])
		if at := n*3/2 + 1; at < int64(len(table)) {
			pair |= uint32(table[at]) << 8
		}
		return pair >> (n % 2 * 4) & 0xFFF
	case 16:
		return uint32(binary.LittleEndian.Uint16(table[n*2:]))
	}
	return binary.LittleEndian.Uint32(table[n*4:]) & 0x0FFFFFFF
}

// moveUp moves extents towards the end, the last bytes first.
func moveUp(ctx context.Context, d block.Writer, list extent.List, by int64) error {
	const step = 1 << 20
	buf := make([]byte, step)
	for i := len(list) - 1; i >= 0; i-- {
		for end := list[i].End(); end > list[i].Start; {
			if err := ctx.Err(); err != nil {
				return err
			}
			p := buf[:min(step, end-list[i].Start)]
			end -= int64(len(p))
			if err := block.ReadFull(d, p, end); err != nil {
				return err
			}
			if _, err := d.WriteAt(p, end+by); err != nil {
				return err
			}
		}
	}
	return nil
}

// addFree adds to the count of free clusters that FAT32 keeps (fatgen103, "FSInfo
// Sector Structure").
func (b fatBoot) addFree(d block.Writer, clusters int64) error {
	const lead, free, unknown = 0x41615252, 488, 1<<32 - 1
	at := b.u16(fatInfo)
	if !b.fat32() || at == 0 || at >= b.u16(fatReserved) {
		return nil
	}
	p, err := superblock(d, at*int64(len(b.sector)), 512)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	have := int64(le.Uint32(p[free:]))
	if le.Uint32(p) != lead || have == unknown {
		return nil
	}
	le.PutUint32(p[free:], uint32(min(have+clusters, unknown)))
	_, err = d.WriteAt(p, at*int64(len(b.sector)))
	return err
}
