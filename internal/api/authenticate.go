package api

import (
	"context"
	"maps"
	"net"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// actorKey is where the context of a request has who asks.
type actorKey struct{}

// actorOf is who asks; nobody, who has no role, in an operation for everybody.
func actorOf(ctx context.Context) fleet.Actor {
	actor, _ := ctx.Value(actorKey{}).(fleet.Actor)
	return actor
}

// authenticate finds out who asks before anything of a request is read.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	if len(ctx.Operation().Security) == 0 {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	actor, err := a.whoAsks(r)
	if err != nil {
		p := problemOf(err)
		if p.Status == http.StatusInternalServerError {
			a.Log.Error("who asks could not be found out", "error", err)
		}
		maps.Copy(w.Header(), headersOf(err))
		write(w, p)
		return
	}
	next(huma.WithValue(ctx, actorKey{}, actor))
}

// whoAsks takes a bearer token for anything. The cookie of a session, which browsers
// send along whoever made them ask, is taken for reading alone, and only from the
// server's own pages.
func (a *API) whoAsks(r *http.Request) (fleet.Actor, error) {
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return a.Control.AuthenticateToken(r.Context(), strings.TrimSpace(token), addressOf(r))
	}
	if a.Cookie == "" || r.Method != http.MethodGet || !ownPage(r) {
		return fleet.Actor{}, control.ErrUnauthenticated
	}
	cookie, err := r.Cookie(a.Cookie)
	if err != nil {
		return fleet.Actor{}, control.ErrUnauthenticated
	}
	actor, _, err := a.Control.Authenticate(r.Context(), cookie.Value)
	return actor, err
}

// ownPage reports whether a page of this server asks, as browsers say it. Those that
// do not say it keep other pages from reading the answer all the same.
func ownPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return false
}

// addressOf is where a request comes from, without its port.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
