package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/remote"
	"github.com/ingot-imaging/ingot/internal/trust"
)

// agentWork is what an agent does with what it fetches.
type agentWork string

const (
	transfer  agentWork = "packs are fetched in ranges of 4 MiB and dropped"
	deploying agentWork = "chunks are unpacked, checked against their IDs and dropped, as a deploy to an empty disk does"
)

const transferStep = 4 << 20

// fetchAll lets all agents fetch the image at once and returns the bytes that came.
func fetchAll(ctx context.Context, o options, r *room, url string, work agentWork) (bytes int64, wall time.Duration, err error) {
	var sum atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	begin := time.Now()
	for agent := range o.agents {
		g.Go(func() error {
			var traffic progress.Traffic
			b, err := connect(r, url, &traffic)
			if err != nil {
				return err
			}
			defer b.Close()
			if work == transfer {
				err = fetchPacks(ctx, b, r, o.readers, agent)
			} else {
				err = readImage(ctx, b, r)
			}
			sum.Add(traffic.In.Load())
			return err
		})
	}
	err = g.Wait()
	return sum.Load(), time.Since(begin), err
}

func connect(r *room, url string, traffic *progress.Traffic) (*remote.Backend, error) {
	pinned, err := trust.Config(r.fingerprint, nil)
	if err != nil {
		return nil, err
	}
	return remote.Open(remote.Config{URL: url, TLS: pinned, Plain: true, Token: func() string { return token }, Traffic: traffic})
}

// fetchPacks fetches every pack by some connections. Agents begin at different places,
// as machines do that were not switched on at one moment.
func fetchPacks(ctx context.Context, b *remote.Backend, r *room, readers, agent int) error {
	type part struct {
		key  string
		off  int64
		size int64
	}
	parts := make(chan part)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(parts)
		for i := range r.packs {
			p := r.packs[(i+agent)%len(r.packs)]
			for off := int64(0); off < p.Size; off += transferStep {
				select {
				case parts <- part{p.Key, off, min(transferStep, p.Size-off)}:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	for range readers {
		g.Go(func() error {
			buffer := make([]byte, transferStep)
			for p := range parts {
				if err := b.Get(ctx, p.key, buffer[:p.size], p.off); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// readImage does what a deploy does but for the disk.
func readImage(ctx context.Context, b *remote.Backend, r *room) error {
	s, err := store.Open(ctx, b)
	if err != nil {
		return err
	}
	m, err := catalog.Manifest(ctx, s, r.image)
	if err != nil {
		return err
	}
	var plain atomic.Int64
	err = content.Each(ctx, content.NewStored(s, m), []content.Place{{Size: m.Disk.Size}}, func(f content.Fetcher) content.Worker {
		var buf []byte
		return func(ctx context.Context, t content.Task) error {
			if err := content.FetchAhead(ctx, f, t.Piece.Region, t.Piece.Entries); err != nil {
				return err
			}
			buf = t.Piece.Buffer(buf)
			for _, e := range t.Piece.Entries {
				if e.Zero {
					continue
				}
				if err := f.Fetch(ctx, t.Piece.Region, e, buf[:e.Length]); err != nil {
					return err
				}
				plain.Add(e.Length)
			}
			return nil
		}
	})
	if want := m.Regions[0].Data - m.Regions[0].Zero; err == nil && plain.Load() != want {
		return fmt.Errorf("read %d bytes of %d", plain.Load(), want)
	}
	return err
}
