package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/verify"
)

// tampered is a backend in which one object changes for the worse after a
// number of reads of it.
type tampered struct {
	store.Backend
	key    string
	damage func([]byte) []byte // nil: the object is gone
	after  int64
	reads  atomic.Int64
}

func (b *tampered) object(ctx context.Context) ([]byte, error) {
	o, err := b.Backend.Stat(ctx, b.key)
	if err != nil {
		return nil, err
	}
	data := make([]byte, o.Size)
	if err := b.Backend.Get(ctx, b.key, data, 0); err != nil || b.reads.Load() <= b.after {
		return data, err
	}
	if b.damage == nil {
		return nil, store.ErrNotFound
	}
	return b.damage(data), nil
}

func (b *tampered) Get(ctx context.Context, key string, p []byte, off int64) error {
	if key != b.key {
		return b.Backend.Get(ctx, key, p, off)
	}
	b.reads.Add(1)
	data, err := b.object(ctx)
	if err != nil {
		return err
	}
	if off > int64(len(data)) || copy(p, data[off:]) < len(p) {
		return store.ErrShort
	}
	return nil
}

func (b *tampered) Stat(ctx context.Context, key string) (store.Object, error) {
	o, err := b.Backend.Stat(ctx, key)
	if err != nil || key != b.key {
		return o, err
	}
	data, err := b.object(ctx)
	o.Size = int64(len(data))
	return o, err
}

func (b *tampered) List(ctx context.Context, prefix string, yield func(store.Object) error) error {
	return b.Backend.List(ctx, prefix, func(o store.Object) error {
		if o.Key == b.key && b.damage == nil && b.reads.Load() > b.after {
			return nil
		}
		return yield(o)
	})
}

// TestDamagedStore deploys from stores in which an object is damaged, before or
// in the middle. A deploy then fails and the target says so, or it got all right
// bytes; and verify finds what a deploy did not need.
func TestDamagedStore(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 0))
	d := newDisk(t, rng, "gpt", 512, small("ext4", "unknown"))
	backend := &mem.Backend{}
	s, err := store.OpenOrCreate(t.Context(), backend)
	must(t, err)
	image := take(t, s, d, "v1")
	var keys []string
	must(t, backend.List(t.Context(), "", func(o store.Object) error {
		if strings.HasPrefix(o.Key, "packs/") || strings.HasPrefix(o.Key, "maps/") || strings.HasPrefix(o.Key, "indexes/") {
			keys = append(keys, o.Key)
		}
		return nil
	}))
	before := garbage(d.Size(), 512)
	for _, key := range keys {
		for name, damage := range damages(rng) {
			b := &tampered{Backend: backend, key: key, damage: damage, after: rng.Int64N(3)}
			broken := image
			broken.store, err = store.Open(t.Context(), b)
			must(t, err)
			target := before.Clone()
			_, _, err := put(t.Context(), broken, target, false, deploy.Options{})
			checkDamaged(t, fmt.Sprintf("%s %s after %d reads", key, name, b.after), err)
			if err != nil {
				unfinished(t, target)
			} else if err := sameBytes(d, target, image.plan); err != nil {
				t.Errorf("%s %s: the deploy succeeded with wrong bytes: %v", key, name, err)
			}
			b.after = 0
			err = verify.Image(t.Context(), broken.store, "image", image.manifest, true, &progress.Work{})
			var found *verify.DamageError
			if !strings.HasPrefix(key, "indexes/") && !errors.As(err, &found) {
				t.Errorf("%s %s: verify says %v", key, name, err)
			}
		}
	}
}

// damages are ways to damage an object.
func damages(rng *rand.Rand) map[string]func([]byte) []byte {
	flip := func(at float64) func([]byte) []byte {
		return func(p []byte) []byte {
			q := bytes.Clone(p)
			q[int(at*float64(len(q)))] ^= 1 << 3
			return q
		}
	}
	return map[string]func([]byte) []byte{
		"flipped at the start":  flip(0),
		"flipped in the middle": flip(rng.Float64()),
		"flipped at the end":    flip(0.999999),
		"cut in half":           func(p []byte) []byte { return p[:len(p)/2] },
		"emptied":               func([]byte) []byte { return nil },
		"zeroed":                func(p []byte) []byte { return make([]byte, len(p)) },
		"gone":                  nil,
	}
}

// checkDamaged fails when an error does not say that data is wrong or missing.
func checkDamaged(t *testing.T, what string, err error) {
	t.Helper()
	var integrity *store.IntegrityError
	var chunk *store.ChunkError
	if err != nil && !errors.As(err, &integrity) && !errors.As(err, &chunk) && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrShort) {
		t.Errorf("%s: the error is of no kind that says so: %v", what, err)
	}
}
