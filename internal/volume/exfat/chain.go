package exfat

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

const (
	entryBytes = 4
	endOfChain = 0xffffffff // section 4.1

	windowBytes = 4096    // what is read of the table at a time
	pieceBytes  = 1 << 20 // what is read of clusters at a time
)

// chain walks the clusters that the active allocation table links. It ends with
// io.EOF, or with a *volume.DamageError where a link leads nowhere or in a
// circle. It holds one window of the table, whatever the chain's length.
type chain struct {
	*geometry
	r    block.Reader
	what string // whose chain it is: "root directory"

	last     int64 // cluster handed out last, 0 before the first
	ahead    int64 // the next one, when peeked
	aheadErr error
	peeked   bool

	// Brent's way to find a circle: compare with one earlier cluster, which is
	// taken anew after 1, 2, 4, 8 ... steps.
	mark       int64
	steps, lap int64

	window      []byte
	windowStart int64 // -1 when the window holds nothing
}

func newChain(r block.Reader, g *geometry, first int64, what string) *chain {
	c := &chain{geometry: g, r: r, what: what, ahead: first, peeked: true, lap: 1}
	c.window, c.windowStart = make([]byte, windowBytes), -1
	if !g.valid(first) {
		c.aheadErr = c.damage(-1, "it begins at cluster %d of %d", first, g.clusters)
	}
	return c
}

func (c *chain) damage(off int64, why string, args ...any) error {
	return &volume.DamageError{Kind: "exfat", What: c.what, Offset: off, Why: fmt.Sprintf(why, args...)}
}

// run returns the next clusters that lie side by side, at most limit clusters, in bytes.
func (c *chain) run(limit int64) (extent.Extent, error) {
	first, err := c.next()
	if err != nil {
		return extent.Extent{}, err
	}
	n := int64(1)
	for ; n < limit; n++ {
		if next, err := c.peek(); err != nil || next != first+n {
			break // an error comes again with the next call
		}
		c.next()
	}
	return extent.Extent{Start: c.clusterOffset(first), Length: n * c.clusterSize}, nil
}

func (c *chain) next() (int64, error) {
	cluster, err := c.peek()
	if err != nil {
		return 0, err
	}
	c.last, c.peeked = cluster, false
	return cluster, nil
}

func (c *chain) peek() (int64, error) {
	if !c.peeked {
		c.ahead, c.aheadErr = c.follow()
		c.peeked = true
	}
	return c.ahead, c.aheadErr
}

// follow reads the link of the cluster handed out last.
func (c *chain) follow() (int64, error) {
	link, err := c.link(c.last)
	if err != nil {
		return 0, err
	}
	if link == endOfChain {
		return 0, io.EOF
	}
	if !c.valid(link) {
		return 0, c.damage(c.linkOffset(c.last), "cluster %d links to %#x of %d clusters", c.last, link, c.clusters)
	}
	if link == c.mark {
		return 0, c.damage(c.linkOffset(c.last), "the chain of clusters goes in a circle at cluster %d", link)
	}
	if c.steps++; c.steps == c.lap {
		c.mark, c.lap = link, 2*c.lap
	}
	return link, nil
}

// linkOffset is where the active table has the link of a valid cluster.
func (c *chain) linkOffset(cluster int64) int64 {
	return c.tableStart + int64(c.activeTable)*c.tableSize + cluster*entryBytes
}

func (c *chain) link(cluster int64) (int64, error) {
	off := c.linkOffset(cluster)
	if start := off &^ (windowBytes - 1); start != c.windowStart {
		c.windowStart = -1
		// The volume may end inside the window, but behind the table.
		window := c.window[:min(windowBytes, c.size-start)]
		if err := block.ReadFull(c.r, window, start); err != nil {
			return 0, fmt.Errorf("exfat: read the allocation table: %w", err)
		}
		c.windowStart = start
	}
	return int64(binary.LittleEndian.Uint32(c.window[off-c.windowStart:])), nil
}

// each reads the first length bytes of the chain and hands them to visit piece
// by piece, until visit says that it has enough. A chain that ends before is io.EOF.
func (c *chain) each(ctx context.Context, length int64, visit func(piece []byte) (enough bool, err error)) error {
	buf := make([]byte, min(pieceBytes, length))
	for length > 0 {
		e, err := c.run(max(1, pieceBytes/c.clusterSize))
		if err != nil {
			return err
		}
		e.Length = min(e.Length, length)
		length -= e.Length
		for at := e.Start; at < e.End(); at += pieceBytes {
			if err := ctx.Err(); err != nil {
				return err
			}
			piece := buf[:min(pieceBytes, e.End()-at)]
			if err := block.ReadFull(c.r, piece, at); err != nil {
				return fmt.Errorf("exfat: read the %s: %w", c.what, err)
			}
			if enough, err := visit(piece); enough || err != nil {
				return err
			}
		}
	}
	return nil
}
