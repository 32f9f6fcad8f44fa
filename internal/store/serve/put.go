package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

// put answers PUT: 201 when the object was stored, 204 when one that is named by its
// hash was there and is intact, 412 when any other was there.
//
// All bytes are in memory and checked before the backend sees the first: a client
// that is cut off, or lies, leaves nothing.
func (s *Server) put(w http.ResponseWriter, r *http.Request, grant Grant, key string) error {
	if !grant.Put.has(key) {
		return notGranted(key)
	}
	switch {
	case r.Header.Get("If-None-Match") != "*":
		return refuse(http.StatusPreconditionRequired, "no-condition", "objects are never replaced: say If-None-Match: *")
	case r.ContentLength < 0:
		return refuse(http.StatusLengthRequired, "no-length", "an object is sent with its length")
	case r.ContentLength > s.limits.Object:
		return refuse(http.StatusRequestEntityTooLarge, "too-large", fmt.Sprintf("objects have at most %d bytes here", s.limits.Object))
	}
	there, damaged, err := s.intact(r.Context(), key)
	if err != nil {
		return err
	}
	if there && !damaged {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	release, err := s.reserve(r.Context(), r.ContentLength)
	if err != nil {
		return err
	}
	defer release()
	data, err := s.receive(w, r)
	if err != nil {
		return err
	}
	if err := s.store(r.Context(), key, data, damaged); err != nil {
		return err
	}
	s.Stats.Received.Add(int64(len(data)))
	w.WriteHeader(http.StatusCreated)
	return nil
}

// intact reports whether an object of that name is there, and whether it is damaged:
// who puts an object has its bytes. The error is store.ErrExists when it is there and
// its name says nothing of its bytes.
func (s *Server) intact(ctx context.Context, key string) (there, damaged bool, err error) {
	o, err := s.backend.Stat(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	id, named := store.HashNamed(key)
	if !named || s.hash == 0 {
		return true, false, fmt.Errorf("put %s: %w", key, store.ErrExists)
	}
	if o.Size > s.limits.Object {
		return true, true, nil // of what was put here, none is as large
	}
	release, err := s.reserve(ctx, o.Size)
	if err != nil {
		return true, false, err
	}
	defer release()
	data := make([]byte, o.Size)
	if err := s.backend.Get(ctx, key, data, 0); err != nil && !errors.Is(err, store.ErrShort) {
		return true, false, err
	}
	return true, s.hash.Sum(data) != id, nil
}

// reserve takes n bytes of the memory that all puts share.
func (s *Server) reserve(ctx context.Context, n int64) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.QueueWait)
	defer cancel()
	if err := s.memory.Acquire(ctx, n); err != nil {
		return nil, refuse(http.StatusServiceUnavailable, "busy", "the server has too much to store at the moment: try again")
	}
	return func() { s.memory.Release(n) }, nil
}

// receive reads the body. A client that sends nothing for a while is cut off.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data := make([]byte, r.ContentLength)
	conn := http.NewResponseController(w)
	// A writer that knows no deadlines is one of a test.
	defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	for at := 0; at < len(data); {
		_ = conn.SetReadDeadline(time.Now().Add(s.limits.Stall))
		n, err := io.ReadFull(r.Body, data[at:min(at+sendStep, len(data))])
		at += n
		if err != nil {
			return nil, &Refusal{http.StatusBadRequest, "cut-off", fmt.Sprintf("only %d of %d bytes arrived", at, len(data)), nil}
		}
	}
	return data, nil
}

// store checks the bytes and puts them. What is damaged makes room only for bytes that
// were checked: most of a damaged pack can be read, and a client may lie, or be cut
// off. That somebody else was faster with the same is as good.
func (s *Server) store(ctx context.Context, key string, data []byte, damaged bool) error {
	if s.hash == 0 {
		return s.backend.Put(ctx, key, data)
	}
	if err := store.CheckObject(s.hash, key, data); err != nil {
		return err
	}
	if damaged {
		s.log.to.Warn("data plane: a damaged object is replaced", "key", key)
		if err := s.backend.Delete(ctx, key); err != nil {
			return err
		}
	}
	err := s.backend.Put(ctx, key, data)
	if _, named := store.HashNamed(key); named && errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}
