package volumes

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
)

var errBroken = errors.New("a chunk is damaged")

// broken is a volume that cannot be read.
type broken struct{ block.Reader }

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errBroken }

func TestVolumes(t *testing.T) {
	const size = 1 << 20
	disk := blocktest.NewMemory(size, 512)
	regions := []image.Region{
		{Start: 0, Size: size}, // a table
		{Partition: 1, Size: size, Volume: &image.Volume{Kind: "ext4"}},
		{Partition: 2, Size: size, Volume: &image.Volume{Kind: "swap"}},
		{Partition: 3, Size: size, Volume: &image.Volume{Kind: "xfs"}},
		{Partition: 4, Size: size, Volume: &image.Volume{Kind: "xfs"}, Role: image.Listing},
	}
	windows := []block.Reader{disk, disk, disk, broken{disk}, disk}
	dir := t.TempDir()
	v, err := Show(t.Context(), content.NewLive(regions, make([]extent.List, len(regions)), windows), dir, func(r image.Region) bool { return r.Volume.Kind != "swap" })
	if err != nil {
		t.Fatal(err)
	}
	if len(v.All) != 2 || v.Of(1) != v.All[0] || v.Of(3) != v.All[1] || v.Of(2) != nil || v.Of(4) != nil {
		t.Errorf("shown: %+v", v.All)
	}
	checkChanged(t, v.Of(1))
	checkBroken(t, v, v.Of(3))
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := v.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

func checkChanged(t *testing.T, v *Volume) {
	t.Helper()
	if _, err := os.ReadFile(v.Path); err != nil || v.Changed() {
		t.Errorf("read: changed is %v, %v", v.Changed(), err)
	}
	f, err := os.OpenFile(v.Path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte("x")); err != nil || !v.Changed() {
		t.Errorf("written: changed is %v, %v", v.Changed(), err)
	}
}

// checkBroken holds that the reason is told where a file cannot tell it.
func checkBroken(t *testing.T, all *Volumes, v *Volume) {
	t.Helper()
	if err := all.Err(); err != nil {
		t.Errorf("before it was read: %v", err)
	}
	_, err := os.ReadFile(v.Path)
	if err == nil || errors.Is(err, errBroken) {
		t.Errorf("the file was read: %v", err)
	}
	if !errors.Is(v.Explain(err), errBroken) || !errors.Is(all.Explain(err), err) || all.Explain(nil) != nil {
		t.Errorf("explained: %v; %v", v.Explain(err), all.Explain(err))
	}
	if err := all.Err(); !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "partition 3") {
		t.Errorf("after it was read: %v", err)
	}
}
