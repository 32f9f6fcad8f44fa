package gpt

import (
	"hash/crc32"
	"reflect"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func crcOf(c *tableCopy) uint32 { return crc32.ChecksumIEEE(c.array[:c.arrayBytes()]) }

// FuzzTable reads hostile disks with their checksums made right, and expects
// every table that is accepted to survive being written back.
func FuzzTable(f *testing.F) {
	for _, sectorSize := range []int{512, 4096} {
		s := volumetest.NewSparse(8 * mib)
		writes, err := Encode(sample(sectorSize, 8*mib), 8*mib)
		if err != nil {
			f.Fatal(err)
		}
		for _, w := range writes {
			s.Patch(w.Offset, w.Data[:min(len(w.Data), 1024)])
		}
		f.Add(s.Bytes(), sectorSize == 4096)
	}
	f.Fuzz(func(t *testing.T, data []byte, big bool) {
		s, err := volumetest.ParseSparse(data)
		if err != nil {
			return
		}
		sectorSize := 512
		if big {
			sectorSize = 4096
		}
		forgeChecksums(s, sectorSize)
		table, err := Find(s, sectorSize).Table()
		if err != nil {
			return
		}
		if err := table.Reserved().Valid(s.Size()); err != nil {
			t.Error(err)
		}
		table.Gaps()
		writes, err := Encode(table, s.Size())
		if err != nil {
			return
		}
		for _, w := range writes {
			s.Patch(w.Offset, w.Data)
		}
		again, err := Find(s, sectorSize).Table()
		if err != nil || len(again.Findings) > 0 || !reflect.DeepEqual(again.Partitions, table.Partitions) {
			t.Errorf("written back:\n got %+v, %v\nwant %+v", again, err, table)
		}
	})
}

// forgeChecksums lets mutations get past the two checksums of both copies.
func forgeChecksums(s *volumetest.Sparse, sectorSize int) {
	f := Found{r: s, sectorSize: int64(sectorSize), sectors: s.Size() / int64(sectorSize)}
	for _, lba := range []int64{1, f.sectors - 1} {
		sector, err := f.sector(lba)
		if err != nil {
			continue
		}
		size := uint32(sector[12]) | uint32(sector[13])<<8
		if size < headerSize || int(size) > sectorSize {
			continue
		}
		putCRC(sector, size)
		h, err := decodeHeader(sector, lba, f.sectors)
		if err != nil {
			continue
		}
		array, err := f.array(h)
		if err != nil {
			continue
		}
		h.arrayCRC = crc32.ChecksumIEEE(array[:h.arrayBytes()])
		h.put(sector)
		s.Patch(lba*int64(sectorSize), sector)
	}
}

func putCRC(sector []byte, size uint32) {
	crc := headerCRC(sector, size)
	sector[16], sector[17], sector[18], sector[19] = byte(crc), byte(crc>>8), byte(crc>>16), byte(crc>>24)
}
