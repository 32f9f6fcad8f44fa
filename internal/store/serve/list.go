package serve

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

// Listed is one line of a listing: an object, or at the end how many there were.
// A listing without its last line is not whole.
type Listed struct {
	Key  string    `json:"key,omitempty"`
	Size int64     `json:"size"`
	Put  time.Time `json:"put,omitzero"`
	End  *int64    `json:"end,omitempty"`
}

// list answers GET of wire.StorePath: NDJSON of what the grant shows.
func (s *Server) list(w http.ResponseWriter, r *http.Request, grant Grant) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	prefix := query.Get("prefix")
	if err != nil || len(query) > 1 || len(query) == 1 && len(query["prefix"]) != 1 || !store.ValidPrefix(prefix) {
		return refuse(http.StatusBadRequest, "bad-key", "no key begins like that")
	}
	if grant.Read == nil && grant.List == nil {
		return notGranted(prefix)
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return nil
	}
	conn := http.NewResponseController(w)
	out := bufio.NewWriterSize(w, 32<<10)
	lines := json.NewEncoder(out)
	shown := int64(0)
	err = s.backend.List(r.Context(), prefix, func(o store.Object) error {
		if !store.ValidKey(o.Key) || !grant.shows(o.Key) {
			return nil
		}
		if shown%256 == 0 {
			_ = conn.SetWriteDeadline(time.Now().Add(s.limits.Stall)) // a test's writer has none
		}
		shown++
		return lines.Encode(Listed{Key: o.Key, Size: o.Size, Put: o.ModTime})
	})
	if err == nil {
		err = lines.Encode(Listed{End: &shown})
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return &begunError{err: err}
	}
	return nil
}
