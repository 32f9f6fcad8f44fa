package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// sealIndex gives an index the checksums that fit its bytes, so that what lies
// behind them is reached.
func sealIndex(data []byte) {
	if len(data) < indexHeaderSize {
		return
	}
	le := binary.LittleEndian
	rest := data[indexHeaderSize:]
	fences := min(int(le.Uint32(data[12:]))&0xffff*8, len(rest))
	le.PutUint32(data[40:], crc32.Checksum(rest[:fences], castagnoli))
	le.PutUint32(data[44:], crc32.Checksum(data[:44], castagnoli))
	for pages := rest[fences:]; len(pages) >= indexPage; pages = pages[indexPage:] {
		le.PutUint32(pages, crc32.Checksum(pages[4:indexPage], castagnoli))
	}
}

// FuzzIndex changes index objects: no panic, and every place that is found is
// possible or passed over by whoever asks.
func FuzzIndex(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, n := range []int{1, 30, 2*recordsPerPage + 3} {
		entries := randomEntries(r, n)
		f.Add(encodeIndex(0, 9, entries), entries[n/2].id[:])
	}
	f.Fuzz(func(t *testing.T, data, name []byte) {
		sealIndex(data)
		file, err := openIndex("fuzz", int64(len(data)), bytesAt("indexes/fuzz", data))
		if err != nil {
			return
		}
		var id chunk.ID
		copy(id[:], name)
		n := 0
		err = file.lookup(id, make([]byte, indexPage), func(e indexEntry) bool {
			n++
			e.loc.Possible()
			return true
		})
		records, allErr := all(file)
		if err == nil && allErr == nil && n > len(records) {
			t.Fatalf("%d of %d records found", n, len(records))
		}
		file.covers(id)
		due([]*indexFile{file})
		merge(t, file)
	})
}

func merge(t *testing.T, f *indexFile) {
	err := mergeIndexes(t.Context(), []*indexFile{f, f}, func(e indexEntry) bool { return e.loc.Possible() }, func(data []byte) error {
		_, err := openIndex("merged", int64(len(data)), bytesAt("indexes/merged", data))
		return err
	})
	var damage *IntegrityError
	if err != nil && !errors.As(err, &damage) {
		t.Fatal(err)
	}
}

// FuzzUnseal changes configs, names, leases and condemnations, with a checksum
// that fits: what is read as one can be used, all else is an *IntegrityError.
func FuzzUnseal(f *testing.F) {
	f.Add([]byte(`{"ingotStore": 1, "id": "x", "hash": 2, "chunks": {"min": 16384, "mean": 65536, "max": 262144}}`))
	f.Add([]byte(`{"name": "lab", "tag": "v1", "image": "` + chunk.ID{}.String() + `", "put": "2026-11-22T10:00:00Z"}`))
	f.Add([]byte(`{"writer": "x", "pid": 1, "started": "2026-11-22T10:00:00Z", "knows": ["a"]}`))
	f.Add([]byte(`{"keys": ["packs/x", "maps/y"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		data := append([]byte(sealPrefix+chunk.SHA256.Sum(body).String()+"\n"), body...)
		for _, v := range []any{&Config{}, &Name{}, &Lease{}, &condemnation{}} {
			err := unseal("fuzz", data, v)
			var damage *IntegrityError
			if err != nil && !errors.As(err, &damage) {
				t.Fatal(err)
			}
			switch v := v.(type) {
			case *Lease:
				v.Abandoned(time.Now())
			case *Config:
				v.Chunks.Valid()
			case *Name:
				_ = v.String()
			}
		}
		// The bytes as they are, without a checksum that fits.
		if unseal("fuzz", body, &Name{}) == nil && chunk.SHA256.Sum(body[len(sealPrefix)+65:]).String() != string(body[len(sealPrefix):][:64]) {
			t.Fatal("a wrong checksum passes")
		}
	})
}
