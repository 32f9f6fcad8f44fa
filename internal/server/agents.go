package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// agents serves the protocol of package wire.
type agents struct {
	control *control.Control
	log     *slog.Logger
	refused *refused
}

func (a *agents) handler() http.Handler {
	mux := http.NewServeMux()
	handle(mux, a, wire.HelloPath, func(ctx context.Context, r *http.Request, hello wire.Hello) (wire.Welcome, error) {
		return a.control.Hello(ctx, hello, addrOf(r))
	})
	handle(mux, a, wire.NextPath, func(ctx context.Context, r *http.Request, _ struct{}) (wire.Order, error) {
		return a.control.Next(ctx, bearer(r), addrOf(r))
	})
	handle(mux, a, wire.ReportPath, func(ctx context.Context, r *http.Request, report wire.Report) (wire.Reply, error) {
		return a.control.Report(ctx, bearer(r), r.PathValue("job"), report)
	})
	handle(mux, a, wire.FinishPath, func(ctx context.Context, r *http.Request, result wire.Result) (wire.Reply, error) {
		return a.control.Finish(ctx, bearer(r), r.PathValue("job"), result)
	})
	mux.HandleFunc("GET "+wire.ProfilePath, a.profile)
	return mux
}

// handle serves one request of the protocol: JSON in, JSON out.
func handle[In, Out any](mux *http.ServeMux, a *agents, path string, do func(context.Context, *http.Request, In) (Out, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, wire.MaxBody)).Decode(&in); err != nil {
			a.refuse(w, r, &badRequestError{err})
			return
		}
		out, err := do(r.Context(), r, in)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(out)
	})
}

// profile sends the folder of the profile that a running job uses. A folder that
// cannot be read to its end breaks the connection, so that nobody takes the half of
// it for all.
func (a *agents) profile(w http.ResponseWriter, r *http.Request) {
	name, err := a.control.JobProfile(r.Context(), bearer(r), r.PathValue("job"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set("Cache-Control", "no-store")
	if err := a.control.ProfileTar(r.Context(), name, w); err != nil {
		a.log.Error("send a profile", "profile", name, "job", r.PathValue("job"), "error", err)
		panic(http.ErrAbortHandler)
	}
}

// bearer is the token of a request, "" for none.
func bearer(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return strings.TrimSpace(token)
}

// addrOf is where a request comes from, without the port.
func addrOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
