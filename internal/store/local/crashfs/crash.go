package crashfs

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// copier copies nodes, each once. With chance set it crashes on the way.
type copier struct {
	chance *rand.Rand
	done   map[*node]*node
}

func (c *copier) copy(n *node) *node {
	if n == nil {
		return nil
	}
	if c.done[n] != nil {
		return c.done[n]
	}
	to := &node{data: n.data, synced: n.synced, put: n.put}
	c.done[n] = to
	switch {
	case n.names == nil && c.chance != nil:
		c.tear(to)
	case n.names == nil:
	case c.chance == nil:
		to.names, to.durable = c.copyNames(n.names), c.copyNames(n.durable)
	default:
		to.names = c.copyNames(c.surviving(n))
		to.durable = maps.Clone(to.names)
	}
	return to
}

func (c *copier) copyNames(names map[string]*node) map[string]*node {
	to := map[string]*node{}
	for _, name := range slices.Sorted(maps.Keys(names)) { // in order, so that chance repeats itself
		to[name] = c.copy(names[name])
	}
	return to
}

// surviving is what a folder holds after a crash: each name that came or went
// since it was synced may have reached the disk or not.
func (c *copier) surviving(n *node) map[string]*node {
	names := maps.Clone(n.durable)
	both := maps.Clone(n.durable)
	maps.Copy(both, n.names)
	for _, name := range slices.Sorted(maps.Keys(both)) {
		now := n.names[name]
		if now == n.durable[name] || c.chance.IntN(2) == 0 {
			continue
		}
		if now == nil {
			delete(names, name)
		} else {
			names[name] = now
		}
	}
	return names
}

// tear leaves of a file that was not synced a part, zeros, or all.
func (c *copier) tear(n *node) {
	if n.synced {
		return
	}
	switch c.chance.IntN(3) {
	case 0:
		n.data = n.data[:c.chance.IntN(len(n.data)+1)]
	case 1:
		n.data = make([]byte, len(n.data))
	}
	n.synced = true
}

// info describes a node under one of its names.
func (n *node) info(name string) fs.FileInfo {
	return info{name, int64(len(n.data)), n.names != nil, n.put}
}

type info struct {
	name string
	size int64
	dir  bool
	put  time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return i.put }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }

func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o750
	}
	return 0o640
}
