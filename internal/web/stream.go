package web

import (
	"net/http"
	"time"
)

// writeWait is how long a browser may take to read.
const writeWait = 20 * time.Second

// stream sends what changes of a page, until the browser leaves or its session
// ends.
func (v *visit) stream(source liveSource) error {
	f, wake, leave := v.feeds.join(v.r.URL.RequestURI(), source, v.actor)
	defer leave()
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies of some kinds keep events back
	v.w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(v.w)
	write := func(b []byte) bool {
		_ = out.SetWriteDeadline(time.Now().Add(writeWait)) // where it cannot be set there is none
		if _, err := v.w.Write(b); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	seen := f.seen(v.r.Header.Get("Last-Event-ID"))
	beats := time.NewTicker(v.cfg.Beat)
	defer beats.Stop()
	if !write([]byte(": here\n\n")) {
		return nil
	}
	for {
		event, version := f.news(seen)
		if seen = version; event != nil && !write(event) {
			return nil
		}
		select {
		case <-v.r.Context().Done():
			return nil
		case <-wake:
		case <-beats.C:
			if _, _, err := v.ctl.Authenticate(v.r.Context(), cookie(v.r, SessionCookie)); err != nil {
				return nil // the browser comes back, and is sent to the login
			}
			if !write([]byte(": here\n\n")) {
				return nil
			}
		}
	}
}
