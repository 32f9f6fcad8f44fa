package btrfs

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

var (
	extentLine   = regexp.MustCompile(`key \((\d+) (EXTENT_ITEM|METADATA_ITEM) (\d+)\)`)
	interiorLine = regexp.MustCompile(`tree block .*level [1-9]`)
	chunkLine    = regexp.MustCompile(`key \(FIRST_CHUNK_TREE CHUNK_ITEM (\d+)\)`)
	lengthLine   = regexp.MustCompile(`^\s+length (\d+) owner .* type (\S+)`)
	stripeLine   = regexp.MustCompile(`^\s+stripe \d+ devid \d+ offset (\d+)`)
	nodeSizeLine = regexp.MustCompile(`(?m)^nodesize\s+(\d+)`)
)

// dumped is the extents of a file system by their logical addresses.
type dumped struct {
	nodeSize int64
	extents  extent.List
	interior extent.List // those that are tree blocks above level 0
}

// dumpExtents reads what btrfs inspect-internal prints of the extent tree.
func dumpExtents(t *testing.T, path string) dumped {
	t.Helper()
	super := volumetest.Tool(t, "btrfs", "inspect-internal", "dump-super", path)
	d := dumped{nodeSize: number(t, nodeSizeLine.FindStringSubmatch(super)[1])}
	var all, interior []extent.Extent
	for line := range strings.Lines(volumetest.Tool(t, "btrfs", "inspect-internal", "dump-tree", "-t", "extent", path)) {
		if m := extentLine.FindStringSubmatch(line); m != nil {
			e := extent.Extent{Start: number(t, m[1]), Length: d.nodeSize}
			if m[2] == "EXTENT_ITEM" {
				e.Length = number(t, m[3])
			}
			all = append(all, e)
		}
		if interiorLine.MatchString(line) {
			interior = append(interior, all[len(all)-1])
		}
	}
	d.extents, d.interior = extent.Of(all...), extent.Of(interior...)
	return d
}

// onDevice maps logical ranges by what btrfs inspect-internal prints of the chunk tree.
func onDevice(stripes []dumpedStripe, logical extent.List) extent.List {
	var found []extent.Extent
	for _, e := range logical {
		for _, s := range stripes {
			part := e.Intersect(extent.Extent{Start: s.logical, Length: s.Length})
			part.Start += s.Start - s.logical
			found = append(found, part)
		}
	}
	return extent.Of(found...)
}

// dumpedStripe is one copy of a chunk.
type dumpedStripe struct {
	extent.Extent
	logical int64
	profile string // as the dump says it: "METADATA|DUP"
	second  bool
}

func dumpStripes(t *testing.T, path string) []dumpedStripe {
	t.Helper()
	var out []dumpedStripe
	var s dumpedStripe
	for line := range strings.Lines(volumetest.Tool(t, "btrfs", "inspect-internal", "dump-tree", "-t", "chunk", path)) {
		if m := chunkLine.FindStringSubmatch(line); m != nil {
			s = dumpedStripe{logical: number(t, m[1])}
		}
		if m := lengthLine.FindStringSubmatch(line); m != nil {
			s.Length, s.profile = number(t, m[1]), m[2]
		}
		if m := stripeLine.FindStringSubmatch(line); m != nil {
			s.Start = number(t, m[1])
			out = append(out, s)
			s.second = true
		}
	}
	return out
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// judge opens a clean volume and fails unless our map is exactly the one that
// follows from the dumps.
func judge(t *testing.T, path string) extent.List {
	t.Helper()
	r := volumetest.Open(t, path)
	_, used := volumetest.Check(t, New(), r)
	want := onDevice(dumpStripes(t, path), dumpExtents(t, path).extents).Union(outside(r.Size()))
	if missing := want.Subtract(used); len(missing) > 0 {
		t.Errorf("%d bytes of the dumped trees are not in our map, first %v", missing.Bytes(), missing[0])
	}
	if more := used.Subtract(want); len(more) > 0 {
		t.Errorf("our map holds %d bytes that the dumped trees do not, first %v", more.Bytes(), more[0])
	}
	return used
}

// againstPartclone holds our map against partclone 0.3.23's, which follows the
// trees from their roots instead of reading the extent tree. The differences are:
//
//   - It marks a tree block up to the end of the 64 KiB stripe that it lies in,
//     in a block group of one copy even to the end of the chunk, and superblocks
//     as nodesize bytes.
//   - It takes the logical address of file data for a place on the device too,
//     and rounds data to nodesize.
//   - It leaves out the second copy of DUP block groups, most of the boot area,
//     and tree blocks above level 0, whose size it does not set before use.
func againstPartclone(t *testing.T, path string, used extent.List) {
	t.Helper()
	size := volumetest.Open(t, path).Size()
	theirs, _ := volumetest.Partclone(t, "btrfs", path)
	stripes, dump := dumpStripes(t, path), dumpExtents(t, path)
	var toEnd, second []extent.Extent
	for _, s := range stripes {
		if s.second {
			second = append(second, s.Extent)
		}
		if !strings.Contains(s.profile, "DUP") && s.profile != "DATA|single" {
			toEnd = append(toEnd, s.Extent)
		}
	}
	allowed := used.Align(64<<10, size).Union(dump.extents.Align(dump.nodeSize, size)).Union(extent.Of(toEnd...))
	if missing := theirs.Clip(extent.Extent{Length: size}).Subtract(allowed); len(missing) > 0 {
		t.Errorf("%d bytes that partclone counts as used are not in our map, first %v", missing.Bytes(), missing[0])
	}
	explained := extent.Of(second...).Union(outside(size)).Union(onDevice(stripes, dump.interior))
	if more := used.Subtract(theirs).Subtract(explained); len(more) > 0 {
		t.Errorf("our map holds %d bytes more than partclone's, first %v", more.Bytes(), more[0])
	}
}
