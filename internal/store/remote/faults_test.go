package remote_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/store/remote"
	"github.com/ingot-imaging/ingot/internal/store/serve"
	"github.com/ingot-imaging/ingot/internal/trust"
)

const packKey = "packs/3f00000000000000000000000000000000000000000000000000000000000000"

// holding is a backend with one object of size bytes.
func holding(t *testing.T, size int) (*mem.Backend, []byte) {
	t.Helper()
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i) ^ byte(i>>8)*7 ^ byte(i>>16)*3
	}
	b := &mem.Backend{}
	if err := b.Put(t.Context(), packKey, data); err != nil {
		t.Fatal(err)
	}
	return b, data
}

// wantAll gets the object and compares it.
func wantAll(t *testing.T, b store.Backend, data []byte) {
	t.Helper()
	got := make([]byte, len(data))
	if err := b.Get(t.Context(), packKey, got, 0); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Fatal("other bytes arrived than were sent")
	}
}

// TestNetworkFaults breaks the first connections in every way; each costs what had
// not arrived yet.
func TestNetworkFaults(t *testing.T) {
	for name, what := range map[string]fault{"cut": cut, "stall": stall, "garbage": garbage} {
		t.Run(name, func(t *testing.T) {
			b, data := holding(t, 8<<20)
			p := start(t, serve.Config{Backend: b}, nil)
			far := newProxy(t, p.Listener.Addr().String(), 0)
			far.breaks(func(conn int) (int64, fault) {
				if conn < 3 {
					return int64(conn+1) << 20, what
				}
				return 0, none
			})
			var traffic progress.Traffic
			c := p.client(t, func(c *remote.Config) { c.URL, c.Stall, c.Traffic = far.url(), 500*time.Millisecond, &traffic })
			wantAll(t, c, data)
			if sent := p.data.Stats.Sent.Load(); sent > 30<<20 || traffic.In.Load() != 8<<20 {
				t.Errorf("%d bytes were counted and %d sent for 8 MiB", traffic.In.Load(), sent)
			}
		})
	}
}

// TestServerRestarts ends the server in the middle of a range, and another one begins
// at the same place a little later.
func TestServerRestarts(t *testing.T) {
	b, data := holding(t, 16<<20)
	slow := func(r *http.Request) (serve.Grant, error) {
		g, err := everything(r)
		g.Rate = slowly{}
		return g, err
	}
	first := start(t, serve.Config{Backend: b, Authorize: slow}, nil)
	far := newProxy(t, first.Listener.Addr().String(), 0)
	var traffic progress.Traffic
	c := first.client(t, func(c *remote.Config) { c.URL, c.Traffic = far.url(), &traffic })
	time.AfterFunc(100*time.Millisecond, func() {
		far.leadsTo("127.0.0.1:1") // nobody
		far.cutAll()
	})
	time.AfterFunc(600*time.Millisecond, func() { far.leadsTo(first.Listener.Addr().String()) })
	wantAll(t, c, data)
	if in := traffic.In.Load(); in != 16<<20 {
		t.Errorf("%d bytes were fetched of 16 MiB", in)
	}
}

// slowly lets 256 KiB through every 8 ms.
type slowly struct{}

func (slowly) Wait(context.Context, int64) error {
	time.Sleep(8 * time.Millisecond)
	return nil
}

// TestServerFaults answers wrongly some times before it answers right.
func TestServerFaults(t *testing.T) {
	for name, wrong := range map[string]http.HandlerFunc{
		"500":       func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
		"502":       func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusBadGateway) },
		"503":       func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) },
		"hang up":   func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		"no answer": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example/", http.StatusFound)
		},
		"all of it": func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1000)) },
		"another range": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-1004/1000000")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(make([]byte, 1000))
		},
		"no range": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			w.Write(make([]byte, 1000))
		},
		"too little": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", 1<<20-1, 1<<20))
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(make([]byte, 100))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, data := holding(t, 1<<20)
			var asked atomic.Int32
			p := start(t, serve.Config{Backend: b}, func(right http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if asked.Add(1) <= 2 {
						wrong(w, r)
						return
					}
					right.ServeHTTP(w, r)
				})
			})
			wantAll(t, p.client(t, func(c *remote.Config) { c.Stall = 300 * time.Millisecond }), data)
		})
	}
}

// TestLists answers with listings that are not whole or not listings; the client asks
// again, and yields nothing of them.
func TestLists(t *testing.T) {
	b, _ := holding(t, 10)
	good := `{"key":"` + packKey + `","size":10,"put":"2026-01-02T03:04:05Z"}` + "\n"
	for name, wrong := range map[string]string{
		"cut off": good, "miscounted": good + `{"size":0,"end":2}`, "goes on": good + `{"size":0,"end":1}` + "\n" + good,
		"no JSON": "<html>", "bad key": `{"key":"packs/../../etc/passwd","size":1}`, "other prefix": `{"key":"config","size":1}`,
		"negative": strings.Replace(good, "10", "-10", 1), "endless line": strings.Repeat("x", 1<<20), "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			p := start(t, serve.Config{Backend: b}, func(right http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if asked.Add(1) == 1 {
						fmt.Fprint(w, wrong)
						return
					}
					right.ServeHTTP(w, r)
				})
			})
			n := 0
			err := p.client(t, nil).List(t.Context(), "packs/", func(o store.Object) error { n++; return nil })
			if err != nil || n != 1 {
				t.Errorf("%d objects, %v", n, err)
			}
		})
	}
}

// TestPutTwice loses the answer to a put: that the object is there is then success,
// unless it is another one.
func TestPutTwice(t *testing.T) {
	for name, other := range map[string]bool{"own": false, "somebody else's": true} {
		t.Run(name, func(t *testing.T) {
			b := &mem.Backend{}
			var asked atomic.Int32
			p := start(t, serve.Config{Backend: b}, func(right http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method != http.MethodPut || asked.Add(1) > 1 {
						right.ServeHTTP(w, r)
						return
					}
					if other {
						b.Put(r.Context(), "names/lab/v1", []byte("their"))
					} else {
						right.ServeHTTP(httptest.NewRecorder(), r)
					}
					panic(http.ErrAbortHandler)
				})
			})
			err := p.client(t, nil).Put(t.Context(), "names/lab/v1", []byte("mine!"))
			if other != errors.Is(err, store.ErrExists) || !other && err != nil {
				t.Errorf("put: %v", err)
			}
		})
	}
}

func TestGivesUp(t *testing.T) {
	b, _ := holding(t, 10)
	p := start(t, serve.Config{Backend: b}, nil)
	c := p.client(t, func(c *remote.Config) { c.GiveUp, c.URL = 700*time.Millisecond, "https://127.0.0.1:1" })
	begin := time.Now()
	err := c.Get(t.Context(), packKey, make([]byte, 1), 0)
	var gone *remote.UnreachableError
	if !errors.As(err, &gone) || !errors.Is(err, store.ErrUnavailable) || time.Since(begin) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(begin), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin = time.Now()
	if err := c.Get(ctx, packKey, make([]byte, 1), 0); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > time.Second {
		t.Errorf("cancelled after %v: %v", time.Since(begin), err)
	}
}

// TestCancelWhileItStalls cancels in the middle of a range from which nothing comes.
func TestCancelWhileItStalls(t *testing.T) {
	b, data := holding(t, 1<<20)
	p := start(t, serve.Config{Backend: b}, nil)
	far := newProxy(t, p.Listener.Addr().String(), 0)
	far.breaks(func(int) (int64, fault) { return 100 << 10, stall })
	c := p.client(t, func(c *remote.Config) { c.URL = far.url() })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := c.Get(ctx, packKey, make([]byte, len(data)), 0); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > time.Second {
		t.Errorf("after %v: %v", time.Since(begin), err)
	}
}

// TestErrorsThatStay are not asked about twice.
func TestErrorsThatStay(t *testing.T) {
	b, _ := holding(t, 10)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		change func(*remote.Config)
		is     func(error) bool
	}{
		"old token": {change: func(c *remote.Config) { c.Token = func() string { return "old" } }, is: func(err error) bool {
			var denied *remote.DeniedError
			return errors.As(err, &denied) && denied.Status == http.StatusUnauthorized
		}},
		"another server": {change: func(c *remote.Config) { c.TLS, _ = trust.Config(trust.Fingerprint{1}, nil) }, is: func(err error) bool {
			return errors.As(err, new(*trust.MismatchError))
		}},
		"unknown authority": {change: func(c *remote.Config) { c.TLS = &tls.Config{} }, is: func(err error) bool {
			return errors.As(err, new(*remote.CertificateError))
		}},
		"full": {answer: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInsufficientStorage) }, is: func(err error) bool {
			return errors.Is(err, syscall.ENOSPC)
		}},
		"teapot": {answer: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }, is: func(err error) bool {
			return err != nil
		}},
		"always broken": {answer: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, is: func(err error) bool {
			return err != nil && !errors.Is(err, store.ErrUnavailable)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, serve.Config{Backend: b}, func(right http.Handler) http.Handler {
				if c.answer != nil {
					return c.answer
				}
				return right
			})
			begin := time.Now()
			err := p.client(t, c.change).Get(t.Context(), packKey, make([]byte, 5), 0)
			if !c.is(err) || time.Since(begin) > 15*time.Second {
				t.Errorf("after %v: %v", time.Since(begin), err)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for _, url := range []string{"", "server", "http://server", "https://", "https://a:b@server", "https://server/else", "https://server?x=1", "ftp://server"} {
		if _, err := remote.Open(remote.Config{URL: url}); err == nil {
			t.Errorf("%q is taken for a server", url)
		}
	}
}

// TestTimes sees that put times pass as they are.
func TestTimes(t *testing.T) {
	b, _ := holding(t, 10)
	want, err := b.Stat(t.Context(), packKey)
	if err != nil {
		t.Fatal(err)
	}
	got, err := start(t, serve.Config{Backend: b}, nil).client(t, nil).Stat(t.Context(), packKey)
	if err != nil || !got.ModTime.Equal(want.ModTime) {
		t.Errorf("%v, not %v: %v", got.ModTime, want.ModTime, err)
	}
}
