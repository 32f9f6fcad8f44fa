package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/ingot-imaging/ingot/internal/store"
)

// Get implements store.Backend. What has arrived when a connection breaks is kept; the
// next one goes on behind it.
func (b *Backend) Get(ctx context.Context, key string, p []byte, off int64) error {
	if !store.ValidKey(key) || off < 0 {
		return fmt.Errorf("get %s: %w", key, errors.Join(store.ErrNotFound, ctx.Err()))
	}
	if len(p) == 0 {
		_, err := b.Stat(ctx, key)
		return err
	}
	have := 0
	return b.repeat(ctx, fmt.Sprintf("get %d bytes at %#x of %s", len(p), off, key), func(ctx context.Context, w *watch) error {
		n, err := b.getSome(ctx, w, key, p[have:], off+int64(have))
		have += n
		b.traffic.AddIn(int64(n))
		return err
	})
}

// getSome fills p in one request and returns how much of it is filled.
func (b *Backend) getSome(ctx context.Context, w *watch, key string, p []byte, off int64) (int, error) {
	last := off + int64(len(p)) - 1
	resp, err := b.do(ctx, http.MethodGet, key, func(r *http.Request) {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, last))
	})
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	w.alive()
	if resp.StatusCode != http.StatusPartialContent {
		return 0, statusError(resp)
	}
	if err := checkRange(resp, off, last); err != nil {
		return 0, err
	}
	for n := 0; ; {
		read, err := resp.Body.Read(p[n:])
		n += read
		if read > 0 {
			w.kept()
		}
		if n == len(p) {
			return n, nil
		}
		if err != nil {
			return n, &passing{err: fmt.Errorf("after %d of %d bytes: %w", n, len(p), unexpected(err))}
		}
	}
}

// checkRange checks that an answer is about the bytes from off to last.
func checkRange(resp *http.Response, off, last int64) error {
	header := resp.Header.Get("Content-Range")
	var first, to, size int64
	_, err := fmt.Sscanf(header, "bytes %d-%d/%d", &first, &to, &size)
	switch {
	case err == nil && first == off && to < last && to == size-1:
		return store.ErrShort
	case err != nil || first != off || to != last || size <= last || resp.ContentLength != last-off+1:
		return &passing{err: fmt.Errorf("the server answers with %q and %d bytes to a request for %d-%d", header, resp.ContentLength, off, last), answered: true}
	}
	return nil
}

// unexpected makes an end that came too early recognisable as such.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
