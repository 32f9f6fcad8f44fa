package lint

import (
	"context"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// volumes looks at what stands against each volume, and at those that hold no
// files that a deploy could reach.
func volumes(_ context.Context, s *subject) ([]Finding, error) {
	var all []Finding
	for _, v := range s.volumes {
		state := s.state(v)
		all = append(all, state...)
		if f, ok := s.closed(v); ok {
			all = append(all, f)
			continue
		}
		whole := !s.job.Live && v.Method == image.AllSectors && mount.Mountable(v.Kind)
		if whole && len(state) == 0 {
			all = append(all, found(AllSectors, v.Number, "", "%s holds %s, and every sector of it was taken.", called(v.Partition), v.Kind))
		}
	}
	return all, nil
}

// state is what stands against a volume: once for each kind of finding.
func (s *subject) state(v partition) []Finding {
	how := "a capture refuses it as it is"
	switch {
	case !s.job.Live && v.Method == image.AllSectors:
		how = "every sector of it was taken"
	case !s.job.Live:
		how = "it was taken all the same"
	}
	var all []Finding
	add := func(id ID, why string) {
		if !slices.ContainsFunc(all, func(f Finding) bool { return f.ID == id }) {
			all = append(all, found(id, v.Number, "", "%s, %s: %s; %s.", called(v.Partition), v.info.Kind, shown(strings.TrimSuffix(why, ".")), how))
		}
	}
	if v.damage != nil {
		add(VolumeDamaged, v.damage.Error())
	}
	for _, r := range v.info.Refusals {
		switch r.Reason {
		case volume.NeedsReplay, volume.Dirty:
			add(VolumeNotClean, r.What)
		case volume.Hibernated:
			add(VolumeHibernated, r.What)
		case volume.Damaged:
			add(VolumeDamaged, r.What)
		default:
			add(VolumeUnsupported, r.What)
		}
	}
	return all
}

// typesRAID are the types of partitions of Linux software RAID.
var typesRAID = map[part.Kind]string{part.GPT: "A19D880F-05FC-4D3B-A006-743F0F84911E", part.MBR: "fd"}

// closed is for volumes whose files nothing here can reach.
func (s *subject) closed(v partition) (Finding, bool) {
	name := called(v.Partition)
	t := s.job.Manifest.Table
	switch {
	case v.Kind == "bitlocker":
		return found(BitLocker, v.Number, "", "%s is encrypted by BitLocker.", name), true
	case strings.HasPrefix(v.Kind, "luks"):
		return found(Encrypted, v.Number, "", "%s is encrypted by LUKS.", name), true
	case v.Kind == "lvm2":
		return found(LogicalVolumes, v.Number, "", "%s holds logical volumes (LVM).", name), true
	case t != nil && t.Kind != part.None && v.Type == typesRAID[t.Kind]:
		return found(SoftwareRAID, v.Number, "", "%s is a part of a Linux software RAID by its type.", name), true
	case v.Kind == "unknown" && !s.bare(v):
		return found(UnknownVolume, v.Number, "", "%s holds nothing that is known here; all %s of it are taken.", name, mib(v.Size)), true
	}
	return Finding{}, false
}

// typesBare are the types of partitions that hold no volume: Microsoft reserved,
// GRUB's core, PReP.
var typesBare = []string{"E3C9E316-0B5C-4DB8-817D-F92DF00215AE", typeBIOSBoot, "9E1A2D38-C612-4316-AA26-8B49521E5A8B", "41"}

func (s *subject) bare(v partition) bool { return slices.Contains(typesBare, v.Type) }
