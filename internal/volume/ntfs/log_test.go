package ntfs_test

import (
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/ntfs"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// restartPage makes a restart page of $LogFile as Windows does: one log client,
// named NTFS.
func restartPage(version uint16, lsn uint64, client, flags uint16) []byte {
	const page, area = 4096, 0x30
	le := binary.LittleEndian
	p := make([]byte, page)
	copy(p, "RSTR")
	le.PutUint16(p[4:], 0x1E)
	le.PutUint16(p[6:], 1+page/512)
	le.PutUint32(p[0x10:], page)
	le.PutUint32(p[0x14:], page)
	le.PutUint16(p[0x18:], area)
	le.PutUint16(p[0x1A:], version&0xFF)
	le.PutUint16(p[0x1C:], version>>8)
	free := uint16(0xFFFF)
	if client == 0xFFFF {
		free = 0
	}
	le.PutUint64(p[area:], lsn)
	le.PutUint16(p[area+8:], 1)
	le.PutUint16(p[area+0xA:], free)
	le.PutUint16(p[area+0xC:], client)
	le.PutUint16(p[area+0xE:], flags)
	le.PutUint32(p[area+0x10:], 67-21) // bits of a sequence number in a file of 2^20 bytes
	le.PutUint16(p[area+0x14:], 0xE0)
	le.PutUint16(p[area+0x16:], 0x40)
	le.PutUint64(p[area+0x18:], mib)
	le.PutUint16(p[area+0x24:], 0x30)
	le.PutUint16(p[area+0x26:], 0x40)
	record := p[area+0x40:]
	le.PutUint16(record[0x10:], 0xFFFF)
	le.PutUint16(record[0x12:], 0xFFFF)
	le.PutUint32(record[0x1C:], 8)
	for i, u := range utf16.Encode([]rune("NTFS")) {
		le.PutUint16(record[0x20+2*i:], u)
	}
	const number = 7
	le.PutUint16(p[0x1E:], number)
	for i := 1; i <= page/512; i++ {
		copy(p[0x1E+2*i:], p[512*i-2:512*i])
		le.PutUint16(p[512*i-2:], number)
	}
	return p
}

func torn(page []byte) []byte {
	page[1022]++
	return page
}

func marked(page []byte) []byte {
	copy(page, "CHKD")
	return page
}

// bare makes a page without update sequence of one with.
func bare(page []byte) []byte {
	for i := 1; i <= len(page)/512; i++ {
		copy(page[512*i-2:], page[0x1E+2*i:0x20+2*i])
	}
	clear(page[4:8])
	return page
}

// TestLog writes the restart pages of closed and of open logs.
func TestLog(t *testing.T) {
	const none, isClean = 0xFFFF, 2
	for _, c := range []struct {
		name          string
		first, second []byte
		verdict       int // of ntfs-3g
		refused       bool
	}{
		{"windows-closed", restartPage(0x101, 9, 0, isClean), restartPage(0x101, 9, 0, isClean), 0, false},
		{"no-client", restartPage(0x101, 9, none, 0), restartPage(0x101, 8, none, 0), 0, false},
		{"unclean", restartPage(0x101, 9, 0, 0), restartPage(0x101, 9, 0, 0), probeUnclean, true},
		{"second-page-is-later-and-unclean", restartPage(0x101, 8, 0, isClean), restartPage(0x101, 9, 0, 0), probeUnclean, true},
		{"second-page-is-later-and-clean", restartPage(0x101, 8, 0, 0), restartPage(0x101, 9, 0, isClean), 0, false},
		{"second-page-is-torn", restartPage(0x101, 8, 0, isClean), torn(restartPage(0x101, 9, 0, 0)), probeUnclean, true},
		{"both-pages-are-torn", torn(restartPage(0x101, 9, 0, isClean)), torn(restartPage(0x101, 9, 0, isClean)), probeUnclean, true},
		{"after-chkdsk", marked(restartPage(0x101, 9, 0, isClean)), marked(restartPage(0x101, 8, 0, isClean)), 0, false},
		{"after-chkdsk-bare", bare(marked(restartPage(0x101, 9, 0, isClean))), bare(marked(restartPage(0x101, 8, 0, isClean))), 0, false},
		{"windows-8-mounted", restartPage(0x200, 9, 0, isClean), restartPage(0x200, 8, 0, isClean), probeHibernated, true},
		{"zeroed", make([]byte, 4096), make([]byte, 4096), probeUnclean, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := mkntfs(t, 16*mib)
			log := place(t, path, ntfs.RecordLogFile, ntfs.AttrData)
			patch(t, path, log, c.first)
			patch(t, path, log+4096, c.second)
			if c.name == "zeroed" {
				patch(t, path, log, make([]byte, 128<<10))
			}
			if verdict := probe(t, path); verdict != c.verdict {
				t.Errorf("ntfs-3g.probe: exit code %d, want %d", verdict, c.verdict)
			}
			r := volumetest.Open(t, path)
			if !c.refused {
				volumetest.Check(t, ntfs.New(), r)
				return
			}
			if refusal := volumetest.Refused(t, ntfs.New(), r, volume.NeedsReplay); !refusal.Waivable {
				t.Errorf("%+v", refusal)
			}
			volumetest.Keep(t, ntfs.New(), r, "refused-log-"+c.name)
		})
	}
}
