package e2e

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

// A vast store seems to hold 10 TiB of chunks of 64 KiB: about 160 million
// records in index objects, whose bytes are computed when they are read, and the
// names of 250,000 packs. What is put into it goes to the backend below.
type vast struct {
	store.Backend
}

// The layout of an index object (doc/format.md).
const (
	vastIndexes = 640
	vastPacks   = 250_000

	indexHeader  = 48
	indexPage    = 4096
	indexRecord  = 60
	perPage      = (indexPage - 8) / indexRecord
	perIndex     = 256 << 10
	indexPages   = (perIndex + perPage - 1) / perPage
	indexSize    = indexHeader + indexPages*(8+indexPage)
	recordSpread = ^uint64(0) / (vastIndexes * perIndex)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// name is the ID of the n-th of a number of objects; their IDs are spread evenly.
func name(n, of uint64) string {
	var id [32]byte
	binary.BigEndian.PutUint64(id[:], ^uint64(0)/of*n)
	id[31] = 1
	return hex.EncodeToString(id[:])
}

// index returns which synthetic index a key names.
func index(key string) (uint64, bool) {
	digits, ok := strings.CutPrefix(key, "indexes/")
	id, err := hex.DecodeString(digits)
	if !ok || err != nil || len(id) != 32 {
		return 0, false
	}
	n := (binary.BigEndian.Uint64(id) + 1<<32) / (^uint64(0) / vastIndexes)
	return n, digits == name(n, vastIndexes)
}

func (v vast) List(ctx context.Context, prefix string, yield func(store.Object) error) error {
	err := v.Backend.List(ctx, prefix, yield)
	for n := range uint64(vastIndexes) {
		if key := "indexes/" + name(n, vastIndexes); err == nil && strings.HasPrefix(key, prefix) {
			err = yield(store.Object{Key: key, Size: indexSize, ModTime: time.Unix(0, 0)})
		}
	}
	for n := range uint64(vastPacks) {
		if key := "packs/" + name(n, vastPacks); err == nil && strings.HasPrefix(key, prefix) {
			err = yield(store.Object{Key: key, Size: 40 << 20, ModTime: time.Unix(0, 0)})
		}
	}
	return err
}

func (v vast) Stat(ctx context.Context, key string) (store.Object, error) {
	if _, ok := index(key); ok {
		return store.Object{Key: key, Size: indexSize, ModTime: time.Unix(0, 0)}, nil
	}
	return v.Backend.Stat(ctx, key)
}

func (v vast) Get(ctx context.Context, key string, p []byte, off int64) error {
	n, ok := index(key)
	if !ok {
		return v.Backend.Get(ctx, key, p, off)
	}
	if off < 0 || off+int64(len(p)) > indexSize {
		return store.ErrShort
	}
	const pages = indexHeader + 8*indexPages
	if off < pages {
		k := copy(p, indexFront(n)[off:])
		p, off = p[k:], off+int64(k)
	}
	for len(p) > 0 {
		page := indexPageOf(n, (off-pages)/indexPage)
		k := copy(p, page[(off-pages)%indexPage:])
		p, off = p[k:], off+int64(k)
	}
	return nil
}

func (v vast) Delete(ctx context.Context, key string) error {
	if _, ok := index(key); ok {
		return errors.New("the test's synthetic indexes must stay")
	}
	return v.Backend.Delete(ctx, key)
}

// idPrefix is the first 8 bytes of the ID in a record of index n.
func idPrefix(n uint64, record int64) uint64 {
	return (n*perIndex + uint64(record)) * recordSpread
}

// indexFront is header and fences of index n, one of a single run at level 5.
func indexFront(n uint64) []byte {
	le := binary.LittleEndian
	var fences []byte
	for page := range int64(indexPages) {
		fences = binary.BigEndian.AppendUint64(fences, idPrefix(n, page*perPage))
	}
	b := append(make([]byte, 0, indexHeader+len(fences)), "ingotix1"...)
	b = le.AppendUint32(b, 5)
	b = le.AppendUint32(b, indexPages)
	b = le.AppendUint64(b, perIndex)
	b = le.AppendUint64(b, 1)
	b = le.AppendUint64(b, idPrefix(n, perIndex-1))
	b = le.AppendUint32(b, crc32.Checksum(fences, castagnoli))
	b = le.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, fences...)
}

// indexPageOf is a page of index n.
func indexPageOf(n uint64, page int64) []byte {
	le := binary.LittleEndian
	b := make([]byte, indexPage)
	count := min(perPage, perIndex-page*perPage)
	le.PutUint16(b[4:], uint16(count))
	for i := range count {
		r := b[8+i*indexRecord:]
		record := page*perPage + i
		binary.BigEndian.PutUint64(r, idPrefix(n, record))
		pack := (n*perIndex + uint64(record)) % vastPacks
		le.PutUint64(r[32:], ^uint64(0)/vastPacks*pack)
		le.PutUint32(r[40:], 4096)        // offset of the frame
		le.PutUint32(r[44:], 30_000)      // stored
		le.PutUint32(r[48:], 1<<28|65536) // zstd, plain
		le.PutUint32(r[56:], 65536)       // length
	}
	le.PutUint32(b, crc32.Checksum(b[4:], castagnoli))
	return b
}
