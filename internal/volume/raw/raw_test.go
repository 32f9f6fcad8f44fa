package raw_test

import (
	"context"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/raw"
)

func TestEverything(t *testing.T) {
	for _, size := range []int64{0, 1, 1 << 40} {
		v := raw.Everything(size)
		if info := v.Info(); info.Kind != "unknown" || info.Size != size || info.Used != -1 || !info.Clean() {
			t.Errorf("size %d: %+v", size, info)
		}
		used, err := v.Used(context.Background())
		if err != nil || used.Valid(size) != nil || used.Bytes() != size {
			t.Errorf("size %d: used map %v, %v", size, used, err)
		}
	}
}
