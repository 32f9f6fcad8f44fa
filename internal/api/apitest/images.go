package apitest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
)

// images are images that are only names: lab-pc:v3, which is lab-pc:stable too, and
// office:v1.
type images struct {
	mu  sync.Mutex
	all []control.Image
}

func newImages() *images {
	volumes := []control.ImageVolume{{Partition: 1, Kind: "fat", Label: "ESP", Size: 512 << 20, Used: 30 << 20}, {Partition: 2, Kind: "ext4", Size: 200e9, Used: 40e9}}
	return &images{all: []control.Image{
		{
			ID: strings.Repeat("ab", 32), Names: []string{"lab-pc:v3", "lab-pc:stable"}, Created: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC),
			Host: "ref-pc", Comment: "first", Disk: 256e9, Sector: 512, Table: "gpt", Data: 40e9, Own: 30e9, Volumes: volumes, System: "Debian 12", Least: 256e9, Shrinks: true,
		},
		{ID: strings.Repeat("cd", 32), Names: []string{"office:v1"}, Disk: 128e9, Sector: 512, Data: 20e9, Own: -1, Least: 128e9},
	}}
}

func (f *images) List(context.Context) ([]control.Image, []string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all), nil, nil
}

func (f *images) Find(_ context.Context, ref string) (control.Image, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := f.index(ref); i >= 0 {
		return f.all[i], nil
	}
	return control.Image{}, &control.NotFoundError{What: "image", ID: ref}
}

func (f *images) index(ref string) int {
	return slices.IndexFunc(f.all, func(i control.Image) bool {
		return len(ref) >= 6 && strings.HasPrefix(i.ID, ref) ||
			slices.ContainsFunc(i.Names, func(n string) bool { return n == ref || strings.HasPrefix(n, ref+":") })
	})
}

func (f *images) Tag(_ context.Context, ref, name string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index(name) >= 0 {
		return "", &control.ConflictError{Message: name + " is another image's"}
	}
	i := f.index(ref)
	if i < 0 {
		return "", &control.NotFoundError{What: "image", ID: ref}
	}
	if !strings.Contains(name, ":") {
		name += ":v1"
	}
	f.all[i].Names = append(slices.Clone(f.all[i].Names), name)
	return name, nil
}

func (f *images) Remove(_ context.Context, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.all, func(i control.Image) bool { return slices.Contains(i.Names, name) })
	if i < 0 {
		return &control.NotFoundError{What: "image", ID: name}
	}
	f.all[i].Names = slices.DeleteFunc(slices.Clone(f.all[i].Names), func(n string) bool { return n == name })
	if len(f.all[i].Names) == 0 {
		f.all = slices.Delete(f.all, i, i+1)
	}
	return nil
}

func (f *images) Lint(context.Context, string) (json.RawMessage, error) {
	return json.RawMessage(`{"findings": [{"severity": "warning", "what": "fast startup is on"}]}`), nil
}
