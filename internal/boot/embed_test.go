package boot

import (
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// TestEmbed puts a new core into the place of an old one, elsewhere than where
// grub-mkimage thinks it is, and follows the numbers as a BIOS would.
func TestEmbed(t *testing.T) {
	core := makeCore(t, "embedded")
	for _, c := range []struct {
		name, table string
		sector      int64
	}{{"gap", mbrTable, 1}, {"later in the gap", mbrTable, 70}, {"partition", gptTable, 2048}} {
		t.Run(c.name, func(t *testing.T) {
			d := biosDisk(t, c.table, c.sector, core)
			table := readTable(t, d)
			room, err := CoreRoom(d, table)
			if err != nil || room.Start != c.sector*sectorSize || room.Length < int64(len(core)) {
				t.Fatalf("%v, %v", room, err)
			}
			if _, err := d.WriteAt(make([]byte, len(core)+sectorSize), room.Start); err != nil {
				t.Fatal(err)
			}
			boot := make([]byte, sectorSize)
			if err := block.ReadFull(d, boot, 0); err != nil {
				t.Fatal(err)
			}
			// A little further, so that the numbers have to change.
			room.Start, room.Length = room.Start+2*sectorSize, room.Length-2*sectorSize
			writes, err := Embed(boot, core, room)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range writes {
				if _, err := d.WriteAt(w.Data, w.Offset); err != nil {
					t.Fatal(err)
				}
			}
			if starts, findings, err := CheckBIOS(d, table); starts != "GRUB" || len(findings) > 0 || err != nil {
				t.Errorf("%q, %v, %v", starts, findings, err)
			}
		})
	}
}

func TestEmbedRefuses(t *testing.T) {
	core := makeCore(t, "refused")
	d := biosDisk(t, mbrTable, 1, core)
	boot := make([]byte, sectorSize)
	if err := block.ReadFull(d, boot, 0); err != nil {
		t.Fatal(err)
	}
	room := extent.Extent{Start: sectorSize, Length: mib}
	for name, err := range map[string]error{
		"no boot code":  second(Embed(make([]byte, sectorSize), core, room)),
		"half a sector": second(Embed(boot[:100], core, room)),
		"tiny core":     second(Embed(boot, core[:600], room)),
		"huge core":     second(Embed(boot, make([]byte, mib), room)),
		"no room":       second(Embed(boot, core, extent.Extent{Start: sectorSize, Length: int64(len(core)) / 2})),
		"odd place":     second(Embed(boot, core, extent.Extent{Start: 700, Length: mib})),
		"first sector":  second(Embed(boot, core, extent.Extent{Start: 0, Length: mib})),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }
