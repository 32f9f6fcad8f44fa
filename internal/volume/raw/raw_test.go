package raw_test

import (
	"context"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/raw"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func TestEverything(t *testing.T) {
	for _, size := range []int64{0, 1, 1 << 40} {
		v := raw.Everything(volumetest.NewSparse(size), raw.Unknown, "")
		info := v.Info()
		if info.Kind != "unknown" || info.Size != size || info.Used != -1 || !info.Clean() || len(info.Notes) != 0 {
			t.Errorf("size %d: %+v", size, info)
		}
		used, err := v.Used(context.Background())
		if err != nil || used.Valid(size) != nil || used.Bytes() != size {
			t.Errorf("size %d: used map %v, %v", size, used, err)
		}
	}
	if notes := raw.Everything(volumetest.NewSparse(1), "luks2", "It is encrypted.").Info().Notes; len(notes) != 1 {
		t.Errorf("notes %q, want the one given", notes)
	}
}
