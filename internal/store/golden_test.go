package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
	"github.com/ingot-imaging/ingot/internal/verify"
)

// golden are stores that the first version wrote. They are never written again:
// a version that cannot read one cannot read its users' stores. A later format
// gets a folder of its own, made with INGOT_UPDATE=1.
var golden = []struct {
	folder string
	hash   chunk.Hash
	images map[string]string // SHA-256 of the whole disk, by name
}{
	{"golden-v1", chunk.BLAKE3, map[string]string{
		"lab:v1": "55872f834621055b445d269b83e76d99c4152b5a7e84a473483d46ac838cbd76",
		"lab:v2": "6b02c7e9edbb48c979ccd6a2d94bafa3f74d542e1f0f116417a845db845550da",
	}},
	{"golden-v1-sha256", chunk.SHA256, map[string]string{
		"lab:v1": "55872f834621055b445d269b83e76d99c4152b5a7e84a473483d46ac838cbd76",
	}},
}

func TestGolden(t *testing.T) {
	for _, g := range golden {
		t.Run(g.folder, func(t *testing.T) {
			path := filepath.Join("testdata", g.folder)
			if _, err := os.Stat(path); err != nil && os.Getenv("INGOT_UPDATE") == "1" {
				makeGolden(t, path, g.hash, len(g.images))
			}
			folder := t.TempDir()
			if err := os.CopyFS(folder, os.DirFS(path)); err != nil {
				t.Fatal(err)
			}
			b, err := local.Open(folder)
			if err != nil {
				t.Fatal(err)
			}
			s, err := store.Open(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			report, err := verify.Store(t.Context(), s, true, &progress.Work{})
			if err != nil || report.Images != len(g.images) || *report.LeftOver != (verify.LeftOver{}) {
				t.Errorf("check: %+v, %v", report, err)
			}
			for name, want := range g.images {
				if got := diskSum(t, s, name); got != want {
					t.Errorf("%s reads as %s, was %s", name, got, want)
				}
			}
			// What it holds is found by a capture: the cuts and the indexes are as they were.
			before := report.Packs
			capturetest.Image(t, s, "again:v1", goldenDisk(0))
			if report, err = verify.Store(t.Context(), s, true, &progress.Work{}); err != nil || report.Packs != before {
				t.Errorf("captured again it takes %d packs more, %v", report.Packs-before, err)
			}
		})
	}
}

// goldenDisk is the disk of version n+1.
func goldenDisk(n int) block.Reader {
	return capturetest.Disk(capturetest.Large, 48<<10, 1, uint64(2+n))
}

func makeGolden(t *testing.T, path string, hash chunk.Hash, images int) {
	t.Helper()
	b, err := local.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.OpenOrCreateLike(t.Context(), b, store.Config{Hash: hash, Chunks: chunk.DefaultParams})
	if err != nil {
		t.Fatal(err)
	}
	for n := range images {
		capturetest.Image(t, s, "lab:v"+string(rune('1'+n)), goldenDisk(n))
	}
}

// diskSum is the SHA-256 of the disk that an image restores.
func diskSum(t *testing.T, s *store.Store, name string) string {
	t.Helper()
	img, err := catalog.Find(t.Context(), s, name)
	if err != nil {
		t.Fatal(err)
	}
	src := content.NewStored(s, img.Manifest)
	f, err := src.Fetcher()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	err = src.Pieces(t.Context(), 0, func(p content.Piece) error {
		at := p.Span.Start
		for _, e := range p.Entries {
			h.Write(make([]byte, e.Offset-at))
			data := make([]byte, e.Length)
			if !e.Zero {
				if err := f.Fetch(t.Context(), 0, e, data); err != nil {
					return err
				}
			}
			h.Write(data)
			at = e.Offset + e.Length
		}
		h.Write(make([]byte, p.Span.End()-at))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}
