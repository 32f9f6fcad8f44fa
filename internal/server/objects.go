package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

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
	objects *serve.Server

	asking singleflight.Group // control, for a token

	mu     sync.Mutex
	recent map[[sha256.Size]byte]recentGrant
	images map[string]*serve.Found // what each image needs, by its ID
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

// authorize is serve.Config's Authorize.
func (g *grants) authorize(r *http.Request) (serve.Grant, error) {
	token := bearer(r)
	if token == "" {
		return serve.Grant{}, &serve.Refusal{Status: http.StatusUnauthorized, Kind: "no-token", Detail: "objects are for machines with a job: its token is missing"}
	}
	key, now := sha256.Sum256([]byte(token)), time.Now()
	if grant, ok := g.remembered(key, now); ok {
		return grant, nil
	}
	// All connections of a job find at one moment that the answer is too old.
	grant, err, _ := g.asking.Do(string(key[:]), func() (any, error) {
		grant, err := g.ask(context.WithoutCancel(r.Context()), token)
		if err == nil {
			g.remember(key, grant, now)
		}
		return grant, err
	})
	return grant.(serve.Grant), err
}

func (g *grants) remember(key [sha256.Size]byte, grant serve.Grant, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.recent == nil || len(g.recent) >= maxRecent {
		g.recent = map[[sha256.Size]byte]recentGrant{}
	}
	g.recent[key] = recentGrant{grant, now.Add(grantFor)}
}

func (g *grants) remembered(key [sha256.Size]byte, now time.Time) (serve.Grant, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	known, ok := g.recent[key]
	return known.grant, ok && now.Before(known.until)
}

func (g *grants) ask(ctx context.Context, token string) (grant serve.Grant, err error) {
	granted, err := g.control.Objects(ctx, token)
	if errors.Is(err, control.ErrUnauthenticated) {
		return grant, &serve.Refusal{Status: http.StatusUnauthorized, Kind: "bad-token", Detail: "this token is of no job that runs"}
	}
	if err != nil {
		return grant, err
	}
	if grant, err = g.of(ctx, granted, token); err != nil {
		return grant, err
	}
	if granted.Rate != nil {
		grant.Rate = granted.Rate
	}
	return grant, nil
}

func (g *grants) of(ctx context.Context, granted control.Grant, token string) (serve.Grant, error) {
	who := "job " + granted.Job.ID
	if !granted.Write {
		return g.needs(granted.Image).Grant(ctx, who)
	}
	name, tag, err := store.ParseName(granted.Name)
	if err != nil {
		return serve.Grant{}, err
	}
	return g.objects.ForCapture(ctx, serve.Capture{Token: token, Name: name, Tag: tag, Began: granted.Job.Started}, who), nil
}

// maxImages bounds how many images' needs are remembered.
const maxImages = 64

// needs is what a reader of an image needs.
func (g *grants) needs(image string) *serve.Found {
	g.mu.Lock()
	defer g.mu.Unlock()
	if found := g.images[image]; found != nil {
		return found
	}
	if g.images == nil || len(g.images) >= maxImages {
		g.images = map[string]*serve.Found{}
	}
	g.images[image] = serve.NewFound(func(ctx context.Context) (serve.Keys, error) {
		id, err := chunk.ParseID(image)
		if err != nil {
			return nil, err
		}
		n, err := content.FindNeeds(ctx, g.store, id)
		if err != nil {
			return nil, err
		}
		return n.Has, nil
	})
	return g.images[image]
}
