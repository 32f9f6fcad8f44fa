package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// archiver is a program that keeps many images in one store.
type archiver struct {
	name string
	init command // makes the store, or nil
	add  func(image, name string) command
}

func archivers(store, ingot string) []archiver {
	restic := command{"env", "RESTIC_PASSWORD=bench", "restic", "--quiet", "--no-cache", "--repo", store}
	borg := command{"env", "BORG_BASE_DIR=" + store + "-borg", "borg"}
	return []archiver{
		{"ingot", nil, func(image, name string) command {
			return command{ingot, "capture", "--store", store, image, name + ":v1"}
		}},
		{"restic", with(restic, "init"), func(image, name string) command {
			return with(restic, "backup", image)
		}},
		{"borg, zstd 1", with(borg, "init", "--encryption=none", store), func(image, name string) command {
			return with(borg, "create", "--compression=zstd,1", store+"::"+name, image)
		}},
		{"casync", command{"mkdir", store}, func(image, name string) command {
			return command{"casync", "make", "--store=" + store + "/default.castr", store + "/" + name + ".caibx", image}
		}},
	}
}

// grown is what each of the three disks added to a store, in bytes, and how long that took.
type grown struct {
	name  string
	added [3]int64
	took  [3]time.Duration
}

// growth adds the disks A, B and C to one store of each archiver, once: sizes
// hardly vary. A store's size is that of all its files.
func growth(ctx context.Context, w io.Writer, images, memory, ingot string) error {
	store := filepath.Join(memory, "store")
	var all []grown
	for _, a := range archivers(store, ingot) {
		g, err := a.grow(ctx, store, images)
		if err != nil {
			return fmt.Errorf("growth, %s: %w", a.name, err)
		}
		all = append(all, g)
		if err := empty(memory, ingot); err != nil {
			return err
		}
	}
	reportGrowth(w, all)
	return nil
}

func (a archiver) grow(ctx context.Context, store, images string) (grown, error) {
	g := grown{name: a.name}
	if a.init != nil {
		if _, err := run(ctx, a.init); err != nil {
			return g, err
		}
	}
	var before int64
	for i, name := range []string{"a", "b", "c"} {
		image := filepath.Join(images, name+".img")
		if err := warm(image); err != nil {
			return g, err
		}
		s, err := run(ctx, a.add(image, name))
		if err != nil {
			return g, err
		}
		after, err := sizeOf(store)
		if err != nil {
			return g, err
		}
		g.added[i], g.took[i] = after-before, s.wall
		before = after
		fmt.Fprintf(os.Stderr, "growth, %s, %s: %d MiB in %.0f s\n", a.name, name, g.added[i]/mib, g.took[i].Seconds())
	}
	return g, nil
}
