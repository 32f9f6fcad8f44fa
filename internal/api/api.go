package api

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/ingot-imaging/ingot/internal/api/message"
)

// Config is what the API is made of.
type Config struct {
	Control Control
	Version string // of the server
	// Cookie is the name of the cookie with the secret of a session; "" for none.
	Cookie string
	// Heartbeat is how often a stream of events says that it is alive, and whether its
	// reader may still have it is looked at; 0: 15 seconds.
	Heartbeat time.Duration
	Clock     func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: none
}

// API answers requests below message.Base.
type API struct {
	Config
	mux      *http.ServeMux
	document []byte
}

// documentPath is where the OpenAPI document lies, below message.Base.
const documentPath = "/openapi.json"

// New is an API. It panics when two operations have the same name or place.
func New(c Config) (*API, error) {
	if c.Heartbeat == 0 {
		c.Heartbeat = 15 * time.Second
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	a := &API{Config: c, mux: http.NewServeMux()}
	h := humago.NewWithPrefix(a.mux, message.Base, a.humaConfig())
	h.UseMiddleware(a.authenticate)
	b := builder{a, h}
	for _, add := range []func(builder){
		addServer, addMachines, addGroups, addImages, addProfiles, addBatches, addJobs, addUsers, addTokens, addHistory, addEvents,
	} {
		add(b)
	}
	var err error
	if a.document, err = document(h); err != nil {
		return nil, err
	}
	a.mux.HandleFunc("GET "+message.Base+documentPath, a.serveDocument)
	return a, nil
}

// Document is the OpenAPI document, indented.
func (a *API) Document() []byte { return slices.Clone(a.document) }

func (a *API) serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
	w.Write(a.document)
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if _, pattern := a.mux.Handler(r); pattern == "" {
		a.refusePath(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// refusePath answers for a path without an operation, or a method that its path does
// not have.
func (a *API) refusePath(w http.ResponseWriter, r *http.Request) {
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := a.mux.Handler(other); pattern != "" {
			methods = append(methods, m)
		}
	}
	if len(methods) == 0 {
		write(w, &message.Problem{Type: message.TypeNotFound, Status: http.StatusNotFound, Detail: "the API has no such path; see " + message.Base + documentPath})
		return
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	write(w, &message.Problem{Type: message.TypeRequest, Status: http.StatusMethodNotAllowed, Detail: "this path has only " + strings.Join(methods, ", ")})
}

// humaConfig has nothing of what huma adds by itself: pages that load programs from
// elsewhere, links to schemas in answers.
func (a *API) humaConfig() huma.Config {
	c := huma.DefaultConfig("ingot", "1")
	c.CreateHooks, c.OpenAPIPath, c.DocsPath, c.SchemasPath = nil, "", "", ""
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{foreignProblem}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Servers = []*huma.Server{{URL: message.Base}}
	describe(c.OpenAPI, a.Cookie)
	return c
}
