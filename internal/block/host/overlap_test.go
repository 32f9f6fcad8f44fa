package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func TestOverlap(t *testing.T) {
	image, other := imageFile(t, 16<<20), imageFile(t, 1<<20)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(image, link); err != nil {
		t.Fatal(err)
	}
	disk := attach(t, imageFile(t, 16<<20))
	one := partitionOf(t, disk, 1<<20, 8<<20)
	volumetest.Tool(t, "addpart", disk, "2", "20480", "2048")
	t.Cleanup(func() { exec.Command("delpart", disk, "2").Run() })
	two := PartitionPath(disk, 2)
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{image, image, true},
		{image, link, true},
		{image, other, false},
		{image, image + ".none", false},
		{image + ".none", image + ".none", false},
		{disk, disk, true},
		{disk, one, true},
		{one, disk, true},
		{one, one, true},
		{one, two, false},
		{one, image, false},
	} {
		if got, err := Overlap(test.a, test.b); err != nil || got != test.want {
			t.Errorf("Overlap(%s, %s) = %v, %v, want %v", test.a, test.b, got, err, test.want)
		}
	}
}
