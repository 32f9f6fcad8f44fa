package deploy

import (
	"testing"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
)

func TestOneByteInZerosIsOneBlockWritten(t *testing.T) {
	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	if err != nil {
		t.Fatal(err)
	}
	disk := capturetest.Disk(capturetest.Small, 64<<10, 1, 2)
	img := capturetest.Image(t, s, "zeros:v1", disk)
	drifted := &discarding{Memory: blocktest.NewMemory(disk.Size(), 512)}
	all := make([]byte, disk.Size())
	disk.ReadAt(all, 0)
	all[disk.Size()/2] = 1 // in the middle of the zeros between both ends
	drifted.WriteAt(all, 0)

	m := img.Manifest
	target := Target{Size: disk.Size(), SectorSize: 512}
	p, err := NewPlan("test", nil, m.Regions, 512, target, Options{Free: Keep})
	if err != nil {
		t.Fatal(err)
	}
	var work progress.Work
	if err := p.Run(t.Context(), content.NewStored(s, m), drifted, &work); err != nil {
		t.Fatal(err)
	}
	// The front is written anew in any case: it was taken down.
	if n := work.Written.Load(); n > edge+diffBlock {
		t.Errorf("%d bytes written for one that differs", n)
	}
	if err := capturetest.Check(t.Context(), s, img.ID, drifted.Memory); err != nil {
		t.Error(err)
	}
}
