package fit

import (
	"fmt"
	"io"
	"strings"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// minPicture is the fewest columns in which a picture is drawn.
const minPicture = 40

// Picture draws the old layout and the new one below it, to the same scale in at
// most width columns, then a line for each step and each note. Lines are drawn in
// ASCII, or with box-drawing characters if boxes is true. Labels come from the
// disk; what is not printable in them becomes '?'. Errors of w are ignored.
func (p *Plan) Picture(w io.Writer, width int, boxes bool) {
	strokes := []rune("++++++-|")
	if boxes {
		strokes = []rune("┌┬┐└┴┘─│")
	}
	width = max(width, minPicture)
	old, fresh := p.cells()
	most := max(p.Source.Size, p.Target.Size, 1)
	for _, d := range []struct {
		title string
		disk  Target
		cells []cell
	}{{"old", p.Source, old}, {"new", p.Target, fresh}} {
		fmt.Fprintf(w, "%s: %s, sectors of %d bytes\n", d.title, size(d.disk.Size), d.disk.SectorSize)
		columns := int(proportion(int64(width), d.disk.Size, most))
		for _, line := range draw(d.cells, columns, strokes) {
			fmt.Fprintln(w, line)
		}
	}
	for _, s := range p.Steps {
		paragraph(w, width, 6, fmt.Sprintf("%4d  %s", s.Partition, s.sentence()))
	}
	if p.Free >= mib {
		paragraph(w, width, 6, fmt.Sprintf("      %s at the end stay free.", size(p.Free)))
	}
	for _, n := range p.Notes {
		paragraph(w, width, 6, "note  "+n)
	}
}

// sentence is the step in words.
func (s Step) sentence() string {
	name := s.OldKind
	if opaque(name) && s.Role != "" {
		name = s.Role
	}
	if s.Kind != s.OldKind {
		name += " -> " + s.Kind
	}
	if s.Label != "" {
		name += fmt.Sprintf(" \"%s\"", printable(s.Label))
	}
	length := size(s.From.Length)
	if to := size(s.To.Length); to != length {
		length += " -> " + to
	}
	return fmt.Sprintf("%s, %s: %s. %s", name, length, s.Action, s.Why)
}

// cell is a stretch of a disk in the picture.
type cell struct {
	bytes int64
	texts [3]string // one below the other, the first one is never cut
}

// cells cuts both disks into what is drawn: partitions, and free space that is
// worth it.
func (p *Plan) cells() (old, fresh []cell) {
	var before, after []cellAt
	for _, s := range p.Steps {
		number := fmt.Sprint(s.Partition)
		if p.Table.Kind == part.None {
			number = "-"
		}
		label := printable(s.Label)
		before = append(before, cellAt{s.From, cell{s.From.Length, [3]string{number, s.OldKind + " " + label, size(s.From.Length)}}})
		after = append(after, cellAt{s.To, cell{s.To.Length, [3]string{number, s.Kind + " " + label, size(s.To.Length)}}})
	}
	return withGaps(before, p.Source.Size), withGaps(after, p.Target.Size)
}

type cellAt struct {
	extent.Extent
	cell
}

// withGaps adds the free space between cells, without alignment and the like.
func withGaps(cells []cellAt, disk int64) []cell {
	var out []cell
	at, least := int64(0), max(disk/200, 2*mib)
	gap := func(until int64) {
		if free := until - at; free > least {
			out = append(out, cell{free, [3]string{"", "free", size(free)}})
		}
	}
	for _, c := range cells {
		gap(c.Start)
		out = append(out, c.cell)
		at = c.End()
	}
	gap(disk)
	return out
}

// draw returns the lines of one disk, columns wide or as narrow as its numbers
// allow. The strokes are the three of the top edge, the three of the bottom edge,
// and the two lines.
func draw(cells []cell, columns int, s []rune) []string {
	widths := spread(cells, columns)
	edge := func(left, between, right rune) string {
		var parts []string
		for _, n := range widths {
			parts = append(parts, strings.Repeat(string(s[6]), n))
		}
		return string(left) + strings.Join(parts, string(between)) + string(right)
	}
	lines := []string{edge(s[0], s[1], s[2])}
	for row := range 3 {
		line := string(s[7])
		for i, c := range cells {
			line += pad(fitText(c.texts[row], widths[i], row == 2), widths[i]) + string(s[7])
		}
		lines = append(lines, line)
	}
	return append(lines, edge(s[3], s[4], s[5]))
}

// spread shares columns among the cells by their bytes; each has room for its number.
func spread(cells []cell, columns int) []int {
	widths, rest, total := make([]int, len(cells)), columns-len(cells)-1, int64(0)
	for i, c := range cells {
		widths[i] = max(2, len(c.texts[0]))
		rest -= widths[i]
		total += c.bytes
	}
	at := int64(0)
	for i, c := range cells {
		if rest > 0 && total > 0 {
			from := proportion(int64(rest), at, total)
			at += c.bytes
			widths[i] += int(proportion(int64(rest), at, total) - from)
		}
	}
	return widths
}
