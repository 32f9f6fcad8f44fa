package webtest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/ingot-imaging/ingot/internal/control"
)

// Images are descriptions of images, without their bytes.
type Images struct {
	mu     sync.Mutex
	all    []control.Image
	Report json.RawMessage // what looking one over finds
}

// Add adds an image, which is then the newest.
func (i *Images) Add(image control.Image) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all = slices.Insert(i.all, 0, image)
}

// List implements control.Images.
func (i *Images) List(context.Context) ([]control.Image, []string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.all), nil, nil
}

// Find implements control.Images.
func (i *Images) Find(_ context.Context, ref string) (control.Image, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, image := range i.all {
		for _, name := range image.Names {
			if name == ref || strings.HasPrefix(name, ref+":") {
				return image, nil
			}
		}
		if len(ref) >= 4 && strings.HasPrefix(image.ID, ref) {
			return image, nil
		}
	}
	return control.Image{}, &control.NotFoundError{What: "image", ID: ref}
}

// Tag implements control.Images.
func (i *Images) Tag(_ context.Context, ref, name string) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := range i.all {
		if i.all[n].ID == ref || slices.Contains(i.all[n].Names, ref) {
			i.all[n].Names = append(i.all[n].Names, name)
			return name, nil
		}
	}
	return "", &control.NotFoundError{What: "image", ID: ref}
}

// Remove implements control.Images.
func (i *Images) Remove(_ context.Context, name string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := range i.all {
		if at := slices.Index(i.all[n].Names, name); at >= 0 {
			i.all[n].Names = slices.Delete(i.all[n].Names, at, at+1)
			return nil
		}
	}
	return &control.NotFoundError{What: "image", ID: name}
}

// Lint implements control.Images.
func (i *Images) Lint(context.Context, string) (json.RawMessage, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.Report, nil
}
