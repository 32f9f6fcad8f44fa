package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/serve"
)

// grants say what of the store a job's token opens.
type grants struct {
	control *control.Control
	store   *store.Store

	mu     sync.Mutex
	recent map[[sha256.Size]byte]recentGrant
	images map[string]*imageKeys
}

// recentGrant is an answer of control, which is asked again after a moment: a job
// makes hundreds of requests a second.
type recentGrant struct {
	grant serve.Grant
	until time.Time
}

const (
	grantFor  = time.Second
	maxRecent = 4096
)

// authorize implements serve.Config's Authorize.
func (g *grants) authorize(r *http.Request) (serve.Grant, error) {
	token := bearer(r)
	if token == "" {
		return serve.Grant{}, &serve.Refusal{Status: http.StatusUnauthorized, Kind: "no-token", Detail: "objects are for machines with a job: its token is missing"}
	}
	key, now := sha256.Sum256([]byte(token)), time.Now()
	g.mu.Lock()
	known, ok := g.recent[key]
	g.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.grant, nil
	}
	grant, err := g.ask(r.Context(), token)
	if err != nil {
		return serve.Grant{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.recent == nil || len(g.recent) >= maxRecent {
		g.recent = map[[sha256.Size]byte]recentGrant{}
	}
	g.recent[key] = recentGrant{grant, now.Add(grantFor)}
	return grant, nil
}

func (g *grants) ask(ctx context.Context, token string) (serve.Grant, error) {
	granted, err := g.control.Objects(ctx, token)
	if errors.Is(err, control.ErrUnauthenticated) {
		return serve.Grant{}, &serve.Refusal{Status: http.StatusUnauthorized, Kind: "bad-token", Detail: "this token is of no job that runs"}
	}
	if err != nil {
		return serve.Grant{}, err
	}
	out := serve.Grant{Who: "job " + granted.Job.ID}
	if granted.Rate != nil {
		out.Rate = granted.Rate
	}
	if granted.Write {
		out.Read, out.List, out.Put, out.Delete = writerReads, writerReads, writerPuts, writerDeletes
		return out, nil
	}
	keys, err := g.keysOf(ctx, granted.Image)
	if err != nil {
		return serve.Grant{}, err
	}
	out.Read = keys.has
	out.List = lists
	return out, nil
}

// What a capture needs: it looks up what is there by the indexes, and neither reads
// anybody's bytes nor touches what is there. It may end what it began: its leases.
func writerReads(key string) bool {
	return key == "config" || under(key, "indexes", "names", "sessions", "condemned", "manifests", "maps")
}
func writerPuts(key string) bool {
	return under(key, "packs", "maps", "manifests", "indexes", "names", "sessions")
}
func writerDeletes(key string) bool { return under(key, "sessions") }

// lists is what a reader's listings show: where chunks are, and nothing else.
func lists(key string) bool { return under(key, "indexes") }

func under(key string, kinds ...string) bool {
	kind, _, ok := strings.Cut(key, "/")
	if !ok {
		return false
	}
	for _, k := range kinds {
		if k == kind {
			return true
		}
	}
	return false
}

// imageKeys are the objects that a reader of one image needs. They are found out
// again, not more often than every keysFor, when one is asked for that is not among
// them: a clean-up may have moved it.
type imageKeys struct {
	store *store.Store
	id    string

	mu   sync.Mutex
	keys map[string]bool
	at   time.Time
}

const keysFor = 30 * time.Second

func (g *grants) keysOf(ctx context.Context, id string) (*imageKeys, error) {
	g.mu.Lock()
	k := g.images[id]
	if k == nil {
		k = &imageKeys{store: g.store, id: id}
		if g.images == nil {
			g.images = map[string]*imageKeys{}
		}
		g.images[id] = k
	}
	g.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys != nil {
		return k, nil
	}
	return k, k.find(ctx)
}

// has implements serve.Keys.
func (k *imageKeys) has(key string) bool {
	if key == "config" || under(key, "indexes") {
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.keys[key] && time.Since(k.at) > keysFor && under(key, "packs") {
		if k.find(context.Background()) != nil {
			return false
		}
	}
	return k.keys[key]
}

// find finds out which objects the image needs.
func (k *imageKeys) find(ctx context.Context) error {
	k.at = time.Now()
	id, err := chunk.ParseID(k.id)
	if err != nil {
		return err
	}
	m, err := catalog.Manifest(ctx, k.store, id)
	if err != nil {
		return err
	}
	keys := map[string]bool{string(store.ManifestKind) + "/" + id.String(): true}
	for _, r := range m.Regions {
		for _, ref := range r.Map {
			keys[string(store.MapKind)+"/"+ref.ID.String()] = true
		}
	}
	// A chunk that lies nowhere is told to who reads it.
	packs, err := content.Packs(ctx, k.store, m, func(error) error { return ctx.Err() })
	if err != nil {
		return err
	}
	for _, p := range packs {
		keys[string(store.PackKind)+"/"+p.String()] = true
	}
	named, err := catalog.Names(ctx, k.store, k.id)
	if err != nil {
		return err
	}
	for _, n := range named.Names {
		keys[n.Key()] = true
	}
	k.keys = keys
	return nil
}
