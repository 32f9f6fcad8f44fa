package remote

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

const (
	maxLine   = 1 << 10 // bytes of a line of a listing; a key has at most 135
	maxListed = 4 << 20 // objects: a store of 60 TiB of packs
)

// List implements store.Backend. The listing is fetched whole before yield is called,
// so that one that was cut off can be asked for again.
func (b *Backend) List(ctx context.Context, prefix string, yield func(store.Object) error) error {
	if !store.ValidPrefix(prefix) {
		return ctx.Err() // nothing that the server would name begins like that
	}
	var objects []store.Object
	err := b.repeat(ctx, "list "+prefix, func(ctx context.Context, w *watch) error {
		resp, err := b.do(ctx, http.MethodGet, "?"+url.Values{"prefix": {prefix}}.Encode(), nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		w.alive()
		if resp.StatusCode != http.StatusOK {
			return statusError(resp)
		}
		counted := &counting{resp.Body, w, 0}
		objects, err = readList(counted, prefix)
		b.traffic.AddIn(counted.n)
		return err
	})
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(o); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// counting counts what is read, and shows that it moves.
type counting struct {
	io.Reader
	watch *watch
	n     int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.n += int64(n); n > 0 {
		c.watch.alive()
	}
	return n, err
}

// line is a line of a listing.
type line struct {
	Key  string    `json:"key"`
	Size int64     `json:"size"`
	Put  time.Time `json:"put"`
	End  *int64    `json:"end"`
}

// readList reads a listing of objects that begin with prefix. It is whole only with a
// last line that counts the others. Every error but one of size may pass.
func readList(r io.Reader, prefix string) ([]store.Object, error) {
	var objects []store.Object
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, &passing{err: fmt.Errorf("line %d of the listing: %w", len(objects)+1, err), answered: true}
		}
		if l.End != nil {
			if *l.End != int64(len(objects)) || lines.Scan() {
				return nil, &passing{err: fmt.Errorf("the listing has %d objects and says %d", len(objects), *l.End), answered: true}
			}
			return objects, lines.Err()
		}
		if !store.ValidKey(l.Key) || !strings.HasPrefix(l.Key, prefix) || l.Size < 0 {
			return nil, &passing{err: fmt.Errorf("line %d of the listing names %.150q, which is no object of %s", len(objects)+1, l.Key, prefix), answered: true}
		}
		if len(objects) == maxListed {
			return nil, fmt.Errorf("the listing has more than %d objects", maxListed)
		}
		objects = append(objects, store.Object{Key: l.Key, Size: l.Size, ModTime: l.Put})
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, &passing{err: fmt.Errorf("line %d of the listing is too long", len(objects)+1), answered: true}
	} else if err != nil {
		return nil, &passing{err: err}
	}
	return nil, &passing{err: fmt.Errorf("the listing was cut off after %d objects", len(objects))}
}
