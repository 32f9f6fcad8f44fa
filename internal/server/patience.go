package server

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// How long the body of a request may take: between two pieces, and in all. The last
// is enough for a profile's folder with a gigabyte of drivers over a bad line.
const (
	pieceWithin = 30 * time.Second
	bodyWithin  = 15 * time.Minute
)

// patient hands requests on whose bodies must come in time, so that nobody keeps a
// connection by sending a byte now and then.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &timedBody{r.Body, http.NewResponseController(w), time.Now().Add(bodyWithin)}
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody is a body with a deadline for each Read. A deadline that stayed when all
// was read would end the request while it is answered.
type timedBody struct {
	io.ReadCloser
	conn *http.ResponseController
	last time.Time
}

func (b *timedBody) Read(p []byte) (int, error) {
	until := time.Now().Add(pieceWithin)
	if until.After(b.last) {
		until = b.last
	}
	if err := b.conn.SetReadDeadline(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.conn.SetReadDeadline(time.Time{}) // the connection may be gone
	}
	return n, err
}
