package cli

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/store"
)

// newManifest describes the image that a capture took.
func newManifest(plan *capture.Plan, s *store.Store, note string, regions []image.Region) *image.Manifest {
	hostname, _ := os.Hostname()
	var requires []string
	if image.ByFiles(regions) {
		requires = []string{image.NeedsFiles}
	}
	return &image.Manifest{
		Format: image.Format, Requires: requires, Created: time.Now().UTC().Truncate(time.Second), Program: version(), Host: hostname, Note: note,
		Hash: s.Hash(), Disk: plan.Disk, Table: plan.Table, Regions: regions,
	}
}

// publish stores the manifest and names it, which makes the image exist.
func publish(ctx context.Context, s *store.Store, ses *store.Session, m *image.Manifest, name, tag string) (captured, error) {
	data, err := m.Encode()
	if err != nil {
		return captured{}, err
	}
	var n store.Name
	id, err := ses.Publish(ctx, data, func(id chunk.ID) (key string, err error) {
		key, n, err = catalog.Put(ctx, s, name, tag, id)
		return key, err
	})
	if errors.Is(err, store.ErrExists) { // somebody was faster
		err = nameTaken(name, tag)
	}
	if err != nil {
		return captured{}, err
	}
	return captured{ID: id, Name: n.String(), Data: m.Data(), Unreadable: m.Unreadable()}, nil
}

func nameTaken(name, tag string) error {
	return refuse("%s:%s exists already; choose another tag, or remove it first with 'ingot rm %s:%s'", name, tag, name, tag)
}
