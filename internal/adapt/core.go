package adapt

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/boot"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/system"
)

// biosBoot is the type of a partition that GRUB keeps its core image in.
const biosBoot = "21686148-6449-6E6F-744E-656564454649"

// typeOf is the type of a partition of the source, "" when there is none.
func (s *Session) typeOf(partition int) string {
	p, _ := s.table().Partition(partition)
	return p.Type
}

// moveCore returns the writes that GRUB's first stages need when the partition that
// holds its core moves: they know it by sector numbers.
func (s *Session) moveCore(ctx context.Context, plan *fit.Plan) ([]part.Write, error) {
	for _, step := range plan.Steps {
		if !step.Moves() || s.typeOf(step.Partition) != biosBoot {
			continue
		}
		disk, err := s.oldDisk(ctx)
		if err != nil {
			return nil, err
		}
		defer disk.Close()
		return boot.Relocate(disk, step.From, step.To.Start)
	}
	return nil, nil
}

// maxCore is far above what a core image has, bytes.
const maxCore = 1 << 20

// newCore makes a core image that knows the kind of file system /boot has now, with
// the system's own grub-mkimage, and returns the writes that put it in the old
// one's place.
func (s *Session) newCore(ctx context.Context, sys *system.System, plan *fit.Plan) ([]part.Write, error) {
	program := "grub-mkimage"
	if !sys.Root.Exists("/usr/bin/" + program) {
		program = "grub2-mkimage"
	}
	folder := "/boot/grub"
	if !sys.Root.Exists(folder + "/i386-pc") {
		folder = "/boot/grub2"
	}
	partition, name := sys.Partition(folder)
	if sys.At["/boot"] == 0 {
		name = path.Join("/", sys.Subvolume, name)
	}
	i := slices.IndexFunc(plan.Steps, func(st fit.Step) bool { return st.Partition == partition })
	if i < 0 {
		return nil, fmt.Errorf("GRUB's files are on partition %d, which the plan does not have", partition)
	}
	scheme, module := "msdos", plan.Steps[i].Kind
	if plan.Table.Kind == part.GPT {
		scheme = "gpt"
	}
	if strings.HasPrefix(module, "ext") {
		module = "ext2"
	}
	argv := []string{program, "-O", "i386-pc", "-o", "/run/core.img", "-p", fmt.Sprintf("(,%s%d)%s", scheme, partition, name), "biosdisk", "part_" + scheme, module}
	if err := s.inSystem(ctx, sys, argv); err != nil {
		return nil, err
	}
	core, err := sys.Root.ReadFile("/run/core.img", maxCore)
	if err != nil {
		return nil, err
	}
	disk, err := s.oldDisk(ctx)
	if err != nil {
		return nil, err
	}
	defer disk.Close()
	room, err := boot.CoreRoom(disk, s.table())
	if err != nil {
		return nil, err
	}
	return boot.Embed(plan.Table.Raw(0, 512), core, s.moved(plan, room))
}

// moved is where a stretch of the source lies on the target.
func (s *Session) moved(plan *fit.Plan, e extent.Extent) extent.Extent {
	for _, step := range plan.Steps {
		if step.From.Start <= e.Start && e.Start < step.From.End() {
			e.Start += step.To.Start - step.From.Start
			break
		}
	}
	return e
}

// oldDisk is the source's disk as far as boot loaders for BIOS use it: the first
// sector and what was captured of gaps and small partitions.
func (s *Session) oldDisk(ctx context.Context) (*pieced, error) {
	table := s.table()
	d := &pieced{size: table.DiskSize, first: table.Raw(0, table.SectorSize)}
	for i, r := range s.job.Source.Regions() {
		if r.Role != image.Blocks || r.Volume != nil && s.typeOf(r.Partition) != biosBoot {
			continue
		}
		random, err := s.job.Source.Open(ctx, i)
		if err != nil {
			d.Close()
			return nil, err
		}
		d.parts = append(d.parts, placedRandom{r.Start, random})
	}
	return d, nil
}

// pieced is a disk of which some parts are there; the others read as zeros.
type pieced struct {
	size  int64
	first []byte // at offset 0
	parts []placedRandom
}

type placedRandom struct {
	at int64
	content.Random
}

// Size implements block.Reader.
func (d *pieced) Size() int64 { return d.size }

// ReadAt implements block.Reader.
func (d *pieced) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= d.size {
		return 0, io.EOF
	}
	clear(p)
	whole := extent.Extent{Start: off, Length: int64(len(p))}
	if off < int64(len(d.first)) {
		copy(p, d.first[off:])
	}
	for _, part := range d.parts {
		both := whole.Intersect(extent.Extent{Start: part.at, Length: part.Size()})
		if both.Length <= 0 {
			continue
		}
		if err := block.ReadFull(part, p[both.Start-off:both.End()-off], both.Start-part.at); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Close lets go of the parts.
func (d *pieced) Close() {
	for _, p := range d.parts {
		p.Random.Close()
	}
}
