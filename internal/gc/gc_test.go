package gc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

const chunkLength = 4 << 10

// block returns the bytes of chunk n: incompressible, and the same every time.
func block(n int) []byte {
	b := make([]byte, chunkLength)
	var seed [32]byte
	seed[0], seed[1] = byte(n), byte(n>>8)
	rand.NewChaCha8(seed).Read(b)
	return b
}

// capture stores an image of the given blocks in packs of perPack blocks, as a
// real capture does, and publishes it.
func capture(ctx context.Context, s *store.Store, name, tag string, blocks []int, perPack int) (err error) {
	ses, err := s.Begin(ctx, "capture of "+name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ses.Close(ctx)) }()
	segment, err := putBlocks(ctx, ses, blocks, perPack)
	if err != nil {
		return err
	}
	id, err := ses.PutMap(ctx, segment.Encode(0), segment.Encode)
	if err != nil {
		return err
	}
	m := manifest(s, name+":"+tag, len(blocks), id)
	data, err := m.Encode()
	if err != nil {
		return err
	}
	_, err = ses.Publish(ctx, data, func(id chunk.ID) (string, error) {
		key, _, err := catalog.Put(ctx, s, name, tag, id)
		return key, err
	})
	return err
}

func manifest(s *store.Store, note string, blocks int, segment chunk.ID) *image.Manifest {
	size := int64(blocks) * chunkLength
	return &image.Manifest{
		Format: image.Format, Created: time.Unix(1e9, 0).UTC(), Note: note, Hash: s.Hash(),
		Disk: image.Disk{Path: "/dev/test", Size: size, SectorSize: 512},
		Regions: []image.Region{{
			Size: size, Data: size, End: size, Rest: image.Free, Map: []image.SegmentRef{{ID: segment}},
		}},
	}
}

// putBlocks stores blocks and returns their map.
func putBlocks(ctx context.Context, ses *store.Session, blocks []int, perPack int) (*image.Segment, error) {
	w, err := ses.NewWriter()
	if err != nil {
		return nil, err
	}
	segment := &image.Segment{}
	var places []*store.Place
	for i, n := range blocks {
		id, at, _, err := w.Put(ctx, block(n))
		if err != nil {
			return nil, err
		}
		segment.Entries = append(segment.Entries, image.Entry{Offset: int64(i) * chunkLength, Length: chunkLength, ID: id})
		places = append(places, at)
		if i%perPack == perPack-1 {
			ses.SealSoon()
			if err := w.SealIfAsked(ctx); err != nil {
				return nil, err
			}
		}
	}
	if err := errors.Join(w.Close(ctx), ses.Sync(ctx)); err != nil {
		return nil, err
	}
	for i, p := range places {
		at, ok := p.Location()
		if !ok {
			return nil, errors.New("a chunk has no place after Sync")
		}
		segment.Entries[i].At = at
	}
	return segment, nil
}

// wantImage checks that an image is there and that every byte of it is right.
func wantImage(ctx context.Context, s *store.Store, name string, blocks []int) error {
	img, err := catalog.Find(ctx, s, name)
	if err != nil {
		return err
	}
	r, err := s.NewReader()
	if err != nil {
		return err
	}
	defer r.Close()
	segment, err := content.Segment(ctx, s, &img.Manifest.Regions[0], img.Manifest.Regions[0].Map[0])
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(segment.Entries) != len(blocks) {
		return fmt.Errorf("%s: has %d blocks, not %d", name, len(segment.Entries), len(blocks))
	}
	got := make([]byte, chunkLength)
	for i, e := range segment.Entries {
		if err := r.Read(ctx, e.ID, e.At, got); err != nil {
			return fmt.Errorf("%s: block %d: %w", name, i, err)
		}
		if !bytes.Equal(got, block(blocks[i])) {
			return fmt.Errorf("%s: block %d holds other bytes", name, i)
		}
	}
	return nil
}

// blocks returns the numbers from first to last.
func blocks(first, last int) []int {
	var list []int
	for n := first; n <= last; n++ {
		list = append(list, n)
	}
	return list
}

// collect runs a clean-up with the default options.
func collect(ctx context.Context, s *store.Store) (Result, error) {
	return Run(ctx, s, Options{RepackBelow: DefaultRepackBelow}, &progress.Work{})
}

// keys lists the objects of a store by prefix.
func keys(ctx context.Context, s *store.Store) (map[string]int, error) {
	count := map[string]int{}
	err := s.Backend().List(ctx, "", func(o store.Object) error {
		kind, _, _ := bytes.Cut([]byte(o.Key), []byte("/"))
		count[string(kind)]++
		return nil
	})
	return count, err
}

// wantNothingLeft checks, after a clean-up that nothing had to wait for, that the
// store holds the given images and nothing else.
func wantNothingLeft(ctx context.Context, s *store.Store, images int) error {
	count, err := keys(ctx, s)
	if err != nil {
		return err
	}
	if count["manifests"] > images || count["maps"] > images || count["sessions"] > 0 || count["condemned"] > 0 {
		return fmt.Errorf("%d images, but the store holds %v", images, count)
	}
	if images == 0 && count["packs"] > 0 {
		return fmt.Errorf("no images, but the store holds %v", count)
	}
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
