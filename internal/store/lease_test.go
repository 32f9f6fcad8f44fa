package store_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
)

// slow lets time pass, in which leases are renewed, before each read of a lease.
type slow struct{ store.Backend }

func (b slow) Stat(ctx context.Context, key string) (store.Object, error) {
	if strings.HasPrefix(key, "sessions/") && !strings.HasSuffix(key, ".0") {
		time.Sleep(10 * time.Minute)
	}
	return b.Backend.Stat(ctx, key)
}

// However often a lease is renewed while leases are read, its writer is seen.
func TestLeasesWhileTheyAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, b := t.Context(), &mem.Backend{}
		s, err := store.OpenOrCreate(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		ses, err := s.Begin(ctx, "a long capture")
		if err != nil {
			t.Fatal(err)
		}
		defer ses.Close(ctx)
		reader, err := store.Open(ctx, slow{b})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			leases, err := reader.Leases(ctx)
			if err != nil || len(leases) != 1 || leases[0].Doing != "a long capture" {
				t.Fatalf("got %+v, error %v", leases, err)
			}
		}
	})
}

// A writer that lives is never taken for dead, however long it works; the objects
// of its lease do not pile up.
func TestLeaseIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s, err := store.OpenOrCreate(ctx, &mem.Backend{})
		if err != nil {
			t.Fatal(err)
		}
		ses, err := s.Begin(ctx, "a long capture")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * store.LeaseLimit)
		c, err := s.BeginCleanUp(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Expired) > 0 {
			t.Errorf("took %v for dead", c.Expired)
		}
		objects := 0
		s.Backend().List(ctx, "sessions/", func(store.Object) error { objects++; return nil })
		if objects > 2*3 {
			t.Errorf("two leases consist of %d objects", objects)
		}
		if err := c.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if err := ses.Close(ctx); err != nil {
			t.Fatal(err)
		}
	})
}
