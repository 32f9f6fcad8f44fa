package volumetest

import (
	"context"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Bounds for one run of a parser over hostile bytes.
const (
	fuzzMaxAlloc = 64 << 20
	fuzzMaxTime  = 10 * time.Second
)

// Fixtures checks every fixture of the package's testdata folder: one that is
// named "refused-..." or "damaged-..." must not give a used map, every other
// must be clean. With INGOT_UPDATE=1 in the environment the test that makes the
// volumes may rewrite them by Keep.
func Fixtures(t *testing.T, format volume.Format) {
	paths, _ := filepath.Glob("testdata/*.sparse.gz")
	if len(paths) == 0 {
		t.Fatal("no fixtures in testdata")
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".sparse.gz")
		t.Run(name, func(t *testing.T) {
			s, err := ReadFixture(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(name, "refused-") && !strings.HasPrefix(name, "damaged-") {
				Check(t, format, s)
				return
			}
			v, err := format.Open(context.Background(), s)
			if err != nil {
				return
			}
			if _, err := v.Used(context.Background()); err == nil && v.Info().Clean() {
				t.Error("gave a used map without any reservation")
			}
		})
	}
}

// Keep stores what the parser reads of a volume as the fixture testdata/NAME.sparse.gz,
// when INGOT_UPDATE=1 is set; otherwise it does nothing.
func Keep(t testing.TB, format volume.Format, r block.Reader, name string) {
	t.Helper()
	if os.Getenv("INGOT_UPDATE") != "1" {
		return
	}
	rec := NewRecorder(r)
	exercise(context.Background(), format, rec)
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFixture(filepath.Join("testdata", name+".sparse.gz"), rec.Sparse()); err != nil {
		t.Fatal(err)
	}
}

// Fuzz runs the parser over mutated fixtures: no panic, no used map outside the
// volume, not more than 64 MiB allocated, not more than ten seconds.
func Fuzz(f *testing.F, format volume.Format) {
	paths, _ := filepath.Glob("testdata/*.sparse.gz")
	for _, path := range paths {
		s, err := ReadFixture(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSparse(data)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), fuzzMaxTime)
		defer cancel()
		before := allocated()
		if err := exercise(ctx, format, s); err != nil {
			t.Error(err)
		}
		if ctx.Err() != nil {
			t.Errorf("took longer than %v", fuzzMaxTime)
		}
		if n := allocated() - before; n > fuzzMaxAlloc {
			t.Errorf("allocated %d bytes", n)
		}
	})
}

// exercise calls everything a volume offers and returns an error only for a
// breach of contract, never for bytes that were refused.
func exercise(ctx context.Context, format volume.Format, r block.Reader) error {
	if ok, err := format.Recognise(r); !ok || err != nil {
		return nil
	}
	v, err := format.Open(ctx, r)
	if err != nil {
		return nil
	}
	v.Info()
	used, err := v.Used(ctx)
	if err == nil {
		if err := used.Valid(r.Size()); err != nil {
			return err
		}
	}
	if c, ok := v.(volume.Container); ok {
		c.Children()
	}
	o, ok := v.(volume.Omitter)
	if !ok {
		return nil
	}
	omitted, err := o.Omit(ctx)
	if err != nil {
		return nil
	}
	for _, om := range omitted {
		if err := om.Extents.Valid(r.Size()); err != nil {
			return err
		}
	}
	return nil
}

func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
