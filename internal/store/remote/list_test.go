package remote

import (
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/store"
)

// FuzzList holds that nothing but whole listings of real keys is believed.
func FuzzList(f *testing.F) {
	line := `{"key":"packs/` + strings.Repeat("3f", 32) + `","size":10,"put":"2026-01-02T03:04:05Z"}` + "\n"
	for _, s := range []string{"", line, line + `{"size":0,"end":1}`, `{"end":0}`, line + line + `{"end":2}` + "\n" + line, "<html>", `{"key":"config","size":-1}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		objects, err := readList(strings.NewReader(text), "packs/")
		for _, o := range objects {
			if !store.ValidKey(o.Key) || !strings.HasPrefix(o.Key, "packs/") || o.Size < 0 || err != nil {
				t.Errorf("%+v, %v", o, err)
			}
		}
		if err == nil && !strings.Contains(strings.ToLower(text), "end") {
			t.Error("a listing without an end is whole")
		}
	})
}
