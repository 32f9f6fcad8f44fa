package fit

import (
	"fmt"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// step says what happens to an item that is no head.
func (l *layout) step(it item) Step {
	s := Step{
		Partition: it.number, From: it.source, To: extent.Extent{Start: it.want, Length: it.length},
		OldKind: it.volume.Kind, Kind: it.kind, Label: it.volume.Label, Role: string(it.role),
	}
	s.Action, s.Why = it.action()
	return s
}

// action is what happens to the item's content, and a sentence that says why.
func (it item) action() (Action, string) {
	change := it.length - it.base
	switch {
	case it.anew != "":
		return Rebuild, fmt.Sprintf("It is made anew, since %s.", it.anew)
	case it.swap() && it.volume.Files:
		return Remake, "It is made anew, since nothing in it was captured."
	case it.swap() && change != 0:
		return Remake, fmt.Sprintf("It is made anew, %s smaller, since nothing else gives more room.", size(-change))
	case change > 0:
		return Grow, fmt.Sprintf("It gets %s more.", size(change))
	case change < 0 && it.length >= it.byTool():
		return Shrink, fmt.Sprintf("It gives up %s; the smallest it can have is %s.", size(-change), size(it.byTool()))
	case change < 0 && Shrinks(it.kind):
		return Rebuild, fmt.Sprintf("It gives up %s, more than %s can without being made anew.", size(-change), it.kind)
	case change < 0:
		return Rebuild, fmt.Sprintf("It gives up %s; %s cannot shrink and is made anew.", size(-change), it.kind)
	case it.want > it.source.Start:
		return Move, fmt.Sprintf("It moves %s towards the end of the disk.", size(it.want-it.source.Start))
	case it.want < it.source.Start:
		return Move, fmt.Sprintf("It moves %s towards the start of the disk.", size(it.source.Start-it.want))
	}
	return Keep, "It stays as it is."
}

// notes are what a person should know beyond the steps.
func (l *layout) notes(p *Plan) (out []string) {
	note := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	bios := l.table.Kind == part.MBR
	for _, it := range l.items {
		if it.head {
			continue
		}
		bios = bios || it.role == biosBoot
		if opaque(it.kind) && !it.spared() && it.volume.End > 0 && (p.Changes() || p.Free >= mib) {
			note("Partition %d (%s) keeps its size: what is in it is not looked into.", it.number, it.kind)
		}
		if it.role == biosBoot && it.want != it.source.Start {
			note("Partition %d, which holds the boot loader for a BIOS, had to move: the disk starts only when the boot loader is installed anew.", it.number)
		}
		if it.length > it.base && it.length >= it.most-mib {
			note("Partition %d has %s: %s cannot become larger.", it.number, size(it.length), it.kind)
		}
	}
	if l.converted && bios {
		note("A BIOS reads the boot loader in sectors of %d bytes: the disk starts only when the boot loader is installed anew.", p.Source.SectorSize)
	}
	if l.table.Kind == part.MBR && l.limit < l.target.Size/mib*mib {
		note("Of the disk's %s an MBR can address the first %s; the rest stays free.", size(l.target.Size), size(l.limit))
	}
	return out
}
