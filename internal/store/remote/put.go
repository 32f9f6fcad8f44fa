package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

const (
	// askFirst is the size from which the server is asked whether it wants the bytes
	// before they are sent.
	askFirst = 64 << 10
	// answerWait is how long a server may take to make an object durable.
	answerWait = 2 * time.Minute
)

// Put implements store.Backend.
func (b *Backend) Put(ctx context.Context, key string, data []byte) error {
	act := "put " + key
	if !store.ValidKey(key) {
		return fmt.Errorf("%s: %w", act, errors.Join(errors.New("this is no key of an object"), ctx.Err()))
	}
	unsure := false // an earlier attempt may have stored it
	err := b.repeat(ctx, act, func(ctx context.Context, w *watch) error {
		err := b.putOnce(ctx, w, key, data)
		var again *passing
		unsure = unsure || errors.As(err, &again)
		return err
	})
	if unsure && errors.Is(err, store.ErrExists) {
		return b.ownPut(ctx, key, data, err)
	}
	return err
}

func (b *Backend) putOnce(ctx context.Context, w *watch, key string, data []byte) error {
	body := &sending{Reader: bytes.NewReader(data), watch: w}
	resp, err := b.do(ctx, http.MethodPut, key, func(r *http.Request) {
		r.Header.Set("If-None-Match", "*")
		r.ContentLength = int64(len(data))
		if len(data) > 0 {
			r.Body = io.NopCloser(body)
		}
		if len(data) >= askFirst {
			r.Header.Set("Expect", "100-continue")
		}
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusCreated:
		b.traffic.AddOut(int64(len(data)))
		return nil
	case http.StatusNoContent: // it was there, intact
		return nil
	}
	return statusError(resp)
}

// ownPut tells an object that an earlier attempt has stored from somebody else's.
func (b *Backend) ownPut(ctx context.Context, key string, data []byte, exists error) error {
	o, err := b.Stat(ctx, key)
	if err != nil {
		return err
	}
	if o.Size != int64(len(data)) {
		return exists
	}
	there := make([]byte, o.Size)
	if err := b.Get(ctx, key, there, 0); err != nil {
		return err
	}
	if !bytes.Equal(there, data) {
		return exists
	}
	return nil
}

// sending is a body that is being sent.
type sending struct {
	*bytes.Reader
	watch *watch
}

func (s *sending) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.Len() == 0 {
		s.watch.patient(answerWait)
	} else if n > 0 {
		s.watch.alive()
	}
	return n, err
}
