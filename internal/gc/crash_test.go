package gc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
	"github.com/ingot-imaging/ingot/internal/store/local/crashfs"
)

// job is a sequence of commands on one store, and what it was told.
type job struct {
	store     *store.Store
	content   map[string][]int // of every image that it may make, by name
	published map[string]bool  // the command that made the name returned
	removing  map[string]bool  // a command that removes the name began
}

func (j *job) capture(ctx context.Context, name, tag string, blocks []int, perPack int) error {
	j.content[name+":"+tag] = blocks
	err := capture(ctx, j.store, name, tag, blocks, perPack)
	j.published[name+":"+tag] = j.published[name+":"+tag] || err == nil
	return err
}

func (j *job) tag(ctx context.Context, ref, name, tag string) error {
	j.content[name+":"+tag] = j.content[ref]
	_, err := catalog.Tag(ctx, j.store, ref, name, tag)
	j.published[name+":"+tag] = j.published[name+":"+tag] || err == nil
	return err
}

func (j *job) remove(ctx context.Context, name, tag string) error {
	j.removing[name+":"+tag] = true
	return j.store.RemoveName(ctx, store.Name{Name: name, Tag: tag})
}

func (j *job) collect(ctx context.Context) error {
	_, err := Run(ctx, j.store, Options{RepackBelow: DefaultRepackBelow}, &progress.Work{})
	return err
}

// steps is everything that changes a store.
func (j *job) steps(ctx context.Context) error {
	for _, step := range []func() error{
		func() error { return j.capture(ctx, "lab", "v1", blocks(0, 19), 7) },
		func() error { return j.capture(ctx, "gone", "v1", blocks(15, 34), 7) },
		func() error { return j.capture(ctx, "lab", "v2", blocks(10, 29), 7) },
		func() error { return j.remove(ctx, "gone", "v1") },
		func() error { return j.collect(ctx) },
		func() error { return j.tag(ctx, "lab:v2", "office", "v1") },
		func() error { return j.remove(ctx, "lab", "v2") },
		func() error { return j.capture(ctx, "lab", "v3", blocks(28, 37), 7) },
		func() error { return j.collect(ctx) },
		func() error { return j.remove(ctx, "lab", "v1") },
		func() error { return j.collect(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// check looks at a store after a crash: what a command said is so, and every
// image that has a name is whole.
func (j *job) check(ctx context.Context, s *store.Store) error {
	images, damage, err := catalog.List(ctx, s)
	if err = errors.Join(err, damage); err != nil {
		return err
	}
	found := map[string]bool{}
	for _, i := range images {
		for _, n := range i.Names {
			found[n.String()] = true
			if err := wantImage(ctx, s, n.String(), j.content[n.String()]); err != nil {
				return err
			}
		}
	}
	for name := range j.published {
		if j.published[name] && !j.removing[name] && !found[name] {
			return fmt.Errorf("%s was published and is gone", name)
		}
	}
	return nil
}

const storeFolder = "/srv/store"

// TestKilledAtEveryStep kills a program at every one of its changes to the disk,
// loses what was not synced, and looks at what is left: all of it is whole, and
// one clean-up makes it as if nothing had happened.
func TestKilledAtEveryStep(t *testing.T) {
	for n := 0; ; n++ {
		disk := crashfs.New()
		disk.CrashAfter(n)
		j := &job{content: map[string][]int{}, published: map[string]bool{}, removing: map[string]bool{}}
		err := j.runOn(t.Context(), disk)
		if err == nil {
			t.Logf("killed at each of %d steps", n)
			return
		}
		if !disk.Dead() {
			t.Fatalf("failed without being killed: %v", err)
		}
		after := disk.Crash(rand.New(rand.NewPCG(1, uint64(n))))
		after.Age(store.LeaseLimit + time.Hour)
		if err := j.recover(t.Context(), after); err != nil {
			t.Fatalf("killed after %d steps: %v", n, err)
		}
	}
}

func (j *job) runOn(ctx context.Context, disk *crashfs.FS) error {
	b, err := local.OpenOn(disk, storeFolder)
	if err != nil {
		return err
	}
	if j.store, err = store.OpenOrCreate(ctx, b); err != nil {
		return err
	}
	return j.steps(ctx)
}

func (j *job) recover(ctx context.Context, disk *crashfs.FS) error {
	b, err := local.OpenOn(disk, storeFolder)
	if err != nil {
		return err
	}
	s, err := store.OpenOrCreate(ctx, b)
	if err != nil {
		return err
	}
	if err := j.check(ctx, s); err != nil {
		return err
	}
	if _, err := collect(ctx, s); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	if err := j.check(ctx, s); err != nil {
		return fmt.Errorf("after the clean-up: %w", err)
	}
	images, _, err := catalog.List(ctx, s)
	if err != nil {
		return err
	}
	return wantNothingLeft(ctx, s, len(images))
}

// TestKilledAgainAndAgain runs random commands on one disk, kills them at random
// moments, the clean-ups after a crash included, and looks at it each time.
func TestKilledAgainAndAgain(t *testing.T) {
	for seed := range uint64(3) {
		chance := rand.New(rand.NewPCG(seed, 7))
		disk := crashfs.New()
		j := &job{content: map[string][]int{}, published: map[string]bool{}, removing: map[string]bool{}}
		for crash := range 25 {
			disk.CrashAfter(chance.IntN(300))
			for err := error(nil); err == nil; {
				err = j.randomStep(t.Context(), disk, chance)
				if err != nil && !disk.Dead() {
					t.Fatalf("seed %d, crash %d: failed without being killed: %v", seed, crash, err)
				}
			}
			disk = disk.Crash(chance)
			disk.Age(store.LeaseLimit + time.Hour)
			if err := j.look(t.Context(), disk); err != nil {
				t.Fatalf("seed %d, crash %d: %v", seed, crash, err)
			}
		}
		if err := j.recover(t.Context(), disk); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func (j *job) randomStep(ctx context.Context, disk *crashfs.FS, chance *rand.Rand) error {
	b, err := local.OpenOn(disk, storeFolder)
	if err != nil {
		return err
	}
	if j.store, err = store.OpenOrCreate(ctx, b); err != nil {
		return err
	}
	switch chance.IntN(4) {
	case 0:
		return j.collect(ctx)
	case 1:
		images, _, err := catalog.List(ctx, j.store)
		if err != nil || len(images) == 0 {
			return err
		}
		n := images[chance.IntN(len(images))].Names[0]
		return j.remove(ctx, n.Name, n.Tag)
	}
	first := chance.IntN(20)
	return j.capture(ctx, "lab", fmt.Sprint("n", len(j.content)), blocks(first, first+chance.IntN(30)), 1+chance.IntN(20))
}

// look only looks, and leaves to later commands what the crash left behind.
func (j *job) look(ctx context.Context, disk *crashfs.FS) error {
	b, err := local.OpenOn(disk.Copy(), storeFolder)
	if err != nil {
		return err
	}
	s, err := store.OpenOrCreate(ctx, b)
	if err != nil {
		return err
	}
	return j.check(ctx, s)
}
