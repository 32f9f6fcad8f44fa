package files

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume/all"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestSharesWithBlocks captures a volume by blocks and then by files: the second
// adds nearly nothing.
func TestSharesWithBlocks(t *testing.T) {
	path := volumetest.Mkfs(t, 128<<20, "mkfs.ext4", "-q", "-b", "4096", "{}")
	dir, unmount := volumetest.Mount(t, path)
	r := rand.New(rand.NewPCG(3, 3))
	for i := range 2000 {
		name := filepath.Join(dir, fmt.Sprint(i%40), fmt.Sprint(i))
		must(t, os.MkdirAll(filepath.Dir(name), 0o755))
		must(t, os.WriteFile(name, randomBytes(r, 40_000), 0o644))
	}
	unmount()
	dir, _ = volumetest.Mount(t, path, "ro")
	tree := walk(t, dir, WalkOptions{All: true})

	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	must(t, err)
	taken := func(p *capture.Plan) (plain int64) {
		t.Helper()
		ses, err := s.Begin(t.Context(), "test")
		must(t, err)
		_, err = p.Run(t.Context(), s, ses, &progress.Work{})
		must(t, err)
		must(t, ses.Close(t.Context()))
		return ses.Stats.Plain.Load()
	}
	volume := volumetest.Open(t, path)
	disk, err := survey.Look(t.Context(), volume, all.Formats())
	must(t, err)
	from := image.Disk{Path: path, Size: volume.Size(), SectorSize: 512}
	byBlocks, err := capture.NewPlan(t.Context(), volume, from, disk, capture.Options{})
	must(t, err)
	first, second := taken(byBlocks), taken(byFiles(tree, from))
	if second*20 > first {
		t.Errorf("%d bytes by blocks, and %d more by files", first, second)
	}
}

func byFiles(tree *Tree, from image.Disk) *capture.Plan {
	listing := bytes.NewReader(tree.Listing.Encode())
	plan := &capture.Plan{Disk: from}
	for _, r := range []struct {
		role   image.Role
		window block.Reader
		used   extent.List
	}{{image.Listing, listing, extent.List{{Length: listing.Size()}}}, {image.Contents, tree.Contents(), tree.Used()}} {
		plan.Regions = append(plan.Regions, capture.Region{
			Region: image.Region{Role: r.role, Size: r.window.Size(), Rest: image.Free, Volume: &image.Volume{Kind: "ext4"}},
			Window: r.window, Used: r.used,
		})
	}
	return plan
}
