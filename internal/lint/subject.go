package lint

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/system"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// subject is what the checks look at.
type subject struct {
	job     Job
	volumes []partition
	systems []*installed
	esps    []esp
}

// partition is a volume with what its own structures say of it.
type partition struct {
	browse.Partition
	info   volume.Info // of one that was captured by blocks
	damage error       // why a volume that was recognised could not be opened
}

// esp is an EFI system partition.
type esp struct {
	tree
	partition int
}

// open finds the volumes, the systems on them and the loaders that start them.
func (s *subject) open(ctx context.Context, img *browse.Image) []Finding {
	var problems []Finding
	for _, p := range img.Partitions() {
		v, err := s.survey(ctx, p)
		if err != nil {
			problems = append(problems, unseen(p.Number, "", "the structures of the volume", err))
		}
		s.volumes = append(s.volumes, v)
	}
	problems = append(problems, s.openSystems(ctx, img)...)
	for _, p := range s.volumes {
		if !s.isESP(p.Partition) || !strings.HasPrefix(p.Kind, "fat") {
			continue
		}
		t, err := img.Volume(ctx, p.Number)
		if err != nil {
			problems = append(problems, unseen(p.Number, "", "the EFI system partition", err))
			continue
		}
		s.esps = append(s.esps, esp{tree{browse.Files{Tree: t}, true}, p.Number})
	}
	return problems
}

// survey reads what a volume that was captured by blocks says of itself.
func (s *subject) survey(ctx context.Context, p browse.Partition) (partition, error) {
	v := partition{Partition: p, info: volume.Info{Kind: p.Kind}}
	i := slices.IndexFunc(s.job.Source.Regions(), func(r image.Region) bool {
		return r.Partition == p.Number && r.Role == image.Blocks && r.Volume != nil
	})
	if i < 0 {
		return v, nil
	}
	r, err := s.job.Source.Open(ctx, i)
	if err != nil {
		return v, err
	}
	opened := survey.Open(ctx, r, s.job.Formats)
	v.info, v.damage = opened.Info, opened.Damage
	return v, r.Close()
}

// openSystems finds every system: the one that a deploy would find, with its
// volumes put together, and others by the volume that holds them.
func (s *subject) openSystems(ctx context.Context, img *browse.Image) []Finding {
	var problems []Finding
	t, kind, err := img.System(ctx)
	var none *browse.NoSystemError
	var kindless *browse.KindError // its volume is a finding itself
	switch {
	case errors.As(err, &none) && none.Err == nil, errors.As(err, &kindless):
		return nil
	case errors.As(err, &none):
		return []Finding{unseen(0, "", "the volumes that may hold a system", none.Err)}
	case err != nil:
		problems = append(problems, unseen(0, "", "the volumes of the system", err))
	}
	if t == nil {
		return problems
	}
	s.add(t, kind)
	for _, p := range s.volumes {
		if p.Number == t.Partition() || !system.HoldsSystems(p.Kind) {
			continue
		}
		t, err := img.Volume(ctx, p.Number)
		if err != nil {
			problems = append(problems, unseen(p.Number, "", "the files of the volume", err))
			continue
		}
		s.add(t, system.None)
	}
	return problems
}

// add adds the system in a tree, if there is one.
func (s *subject) add(of *browse.Tree, kind system.Kind) {
	t := tree{Files: browse.Files{Tree: of}}
	if kind == system.None {
		kind = system.KindOf(t)
	}
	t.ignoreCase = kind == system.Windows
	if kind != system.None {
		s.systems = append(s.systems, &installed{tree: t, kind: kind, partition: of.Partition()})
	}
}

func (s *subject) isESP(p browse.Partition) bool {
	t := s.job.Manifest.Table
	return t != nil && t.IsESP(part.Partition{Type: p.Type})
}
