package verify_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/store"
)

// hooked calls hook before the first map is read.
type hooked struct {
	store.Backend
	once sync.Once
	hook func()
}

func (b *hooked) Get(ctx context.Context, key string, p []byte, off int64) error {
	if strings.HasPrefix(key, "maps/") {
		b.once.Do(b.hook)
	}
	return b.Backend.Get(ctx, key, p, off)
}

// A clean-up that moves chunks out of packs and deletes them, and the end of an
// image, both after the check has listed packs and names, are no damage.
func TestStoreChangesMeanwhile(t *testing.T) {
	w := newWorld(t, capturetest.Small)
	ctx := t.Context()
	remove := func(keys ...string) {
		for _, key := range keys {
			if err := w.backend.Delete(ctx, key); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := &hooked{Backend: w.backend, hook: func() {
		old := w.packs(t, "solo:v1")
		ses, err := w.store.BeginWithout(ctx, "test", old)
		if err != nil {
			t.Fatal(err)
		}
		moveAll(t, ses, w, old)
		if err := errors.Join(ses.Sync(ctx), ses.Close(ctx)); err != nil {
			t.Fatal(err)
		}
		for _, id := range old {
			remove("packs/" + id.String())
		}
		gone := w.images["lab:v2"]
		remove("names/lab/v2", "manifests/"+gone.ID.String(), "maps/"+gone.Manifest.Regions[0].Map[0].ID.String())
	}}
	r := check(t, openStore(t, b), false)
	for _, d := range r.Damage {
		t.Error(d)
	}
	if r.Images != 3 {
		t.Errorf("%d images were looked at", r.Images)
	}
}
