package lvm

import (
	"path/filepath"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func TestFixtures(t *testing.T) { volumetest.Fixtures(t, reader()) }

// FuzzOpen mutates whole volumes; most of it ends at a checksum.
func FuzzOpen(f *testing.F) { volumetest.Fuzz(f, reader()) }

// FuzzText puts hostile text behind right checksums.
func FuzzText(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*.sparse.gz")
	for _, path := range paths {
		s, err := volumetest.ReadFixture(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, area := range areasOf(f, s) {
			if text, err := readText(s, area); err == nil {
				f.Add(text)
			}
		}
	}
	base := fixture(f, "linear").Bytes()
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := volumetest.ParseSparse(base)
		if err != nil {
			t.Fatal(err)
		}
		area := areasOf(t, s)[0]
		if len(text) == 0 || int64(len(text)) > area.Length-sectorSize {
			return
		}
		putText(s, area, string(text))
		v, err := reader().Open(t.Context(), s)
		if err != nil {
			return
		}
		used, err := v.Used(t.Context())
		if err != nil {
			return
		}
		if err := used.Valid(s.Size()); err != nil {
			t.Error(err)
		}
		omitted, err := v.(volume.Omitter).Omit(t.Context())
		for _, o := range omitted {
			if e := o.Extents.Valid(s.Size()); e != nil || err != nil {
				t.Error(e, err)
			}
		}
	})
}
