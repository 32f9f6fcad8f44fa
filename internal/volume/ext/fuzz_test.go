package ext

import (
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func TestFixtures(t *testing.T) { volumetest.Fixtures(t, New()) }

func FuzzExt(f *testing.F) { volumetest.Fuzz(f, New()) }
