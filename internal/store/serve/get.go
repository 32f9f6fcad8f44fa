package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

// sendStep is how much is read and sent at a time: large enough that neither reading
// nor the limiter costs, small enough that a few hundred of them do not matter.
const sendStep = 256 << 10

// headerPut says when an object was put, by the server's clock, to the nanosecond.
const headerPut = "Ingot-Put"

// get answers GET and HEAD of an object: 200 with all of it, 206 with a range.
func (s *Server) get(w http.ResponseWriter, r *http.Request, grant Grant, key string) error {
	if !grant.Read.has(key) {
		return notGranted(key)
	}
	from, err := open(r.Context(), s.backend, key)
	if errors.Is(err, store.ErrNotFound) && grant.Missing != nil {
		grant.Missing(key)
	}
	if err != nil {
		return err
	}
	defer from.Close()
	span, err := parseRange(r.Header.Values("Range"), from.object.Size)
	if err != nil {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", from.object.Size))
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(span.length, 10))
	h.Set("Accept-Ranges", "bytes")
	h.Set("Cache-Control", "no-store")
	h.Set(headerPut, from.object.ModTime.UTC().Format(time.RFC3339Nano))
	status := http.StatusOK
	if span.partial {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", span.start, span.start+span.length-1, from.object.Size))
		status = http.StatusPartialContent
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	return s.send(w, r, grant, from, span)
}

// send sends a stretch of an object step by step, no faster than the grant allows.
func (s *Server) send(w http.ResponseWriter, r *http.Request, grant Grant, from opened, span byteRange) error {
	buffer := s.buffers.Get().(*[sendStep]byte)
	defer s.buffers.Put(buffer)
	conn := http.NewResponseController(w)
	file, _ := from.ReaderAt.(*os.File)
	if r.TLS != nil {
		file = nil // the kernel cannot encrypt what it sends by itself
	}
	if file != nil {
		if _, err := file.Seek(span.start, io.SeekStart); err != nil {
			return &begunError{err: err}
		}
	}
	for at, end := span.start, span.start+span.length; at < end; {
		n := min(sendStep, end-at)
		if err := grant.wait(r.Context(), n); err != nil {
			return &begunError{err, true}
		}
		// A writer that knows no deadlines is one of a test.
		if err := conn.SetWriteDeadline(time.Now().Add(s.limits.Stall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return &begunError{err, true}
		}
		if err := sendStretch(w, from, file, buffer[:n], at); err != nil {
			return err
		}
		at += n
		s.Stats.Sent.Add(n)
		if grant.Count != nil {
			grant.Count(n)
		}
	}
	return nil
}

// sendStretch sends len(buffer) bytes from at; file, if any, is positioned there.
func sendStretch(w io.Writer, from io.ReaderAt, file *os.File, buffer []byte, at int64) error {
	if file != nil {
		_, err := io.CopyN(w, file, int64(len(buffer)))
		if err != nil {
			return &begunError{err, !errors.Is(err, io.EOF)}
		}
		return nil
	}
	if n, err := from.ReadAt(buffer, at); n < len(buffer) {
		return &begunError{err: err}
	}
	if _, err := w.Write(buffer); err != nil {
		return &begunError{err, true}
	}
	return nil
}

// opened is an object that is open for reading.
type opened struct {
	io.ReaderAt
	io.Closer
	object store.Object
}

// open opens an object, as a file where the backend has files.
func open(ctx context.Context, b store.Backend, key string) (opened, error) {
	if o, ok := b.(store.Opener); ok {
		f, object, err := o.Open(ctx, key)
		return opened{f, f, object}, err
	}
	object, err := b.Stat(ctx, key)
	return opened{readerAt(func(p []byte, off int64) error { return b.Get(ctx, key, p, off) }), io.NopCloser(nil), object}, err
}

type readerAt func(p []byte, off int64) error

func (f readerAt) ReadAt(p []byte, off int64) (int, error) {
	if err := f(p, off); err != nil {
		return 0, err
	}
	return len(p), nil
}

// byteRange is what of an object is asked for.
type byteRange struct {
	start, length int64
	partial       bool
}

// parseRange reads the Range header of a request for an object of size bytes. There
// is one form: "bytes=first-last" with last behind the end cut off there, or
// "bytes=first-". Anything else, RFC 9110 or not, is refused: nobody needs it.
func parseRange(headers []string, size int64) (byteRange, error) {
	if len(headers) == 0 {
		return byteRange{0, size, false}, nil
	}
	spec, ok := strings.CutPrefix(headers[0], "bytes=")
	from, to, dash := strings.Cut(spec, "-")
	start, err := parseOffset(from)
	last := int64(-1)
	if to != "" {
		var lerr error
		last, lerr = parseOffset(to)
		err = errors.Join(err, lerr)
	}
	if len(headers) > 1 || !ok || !dash || err != nil || to != "" && last < start {
		return byteRange{}, refuse(http.StatusBadRequest, "bad-range", "a range is bytes=first-last or bytes=first-")
	}
	if start >= size {
		return byteRange{}, refuse(http.StatusRequestedRangeNotSatisfiable, "bad-range", "the object ends before that")
	}
	if to == "" || last >= size {
		last = size - 1
	}
	return byteRange{start, last - start + 1, true}, nil
}

// parseOffset reads a decimal number without sign.
func parseOffset(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}
