package bootenv

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/bootenv/kmod"
)

const moduleFolder = "usr/lib/modules/"

// kernelModules are the modules of the one kernel in the packages.
func (s *packageSet) kernelModules() (version string, tree *kmod.Tree, err error) {
	var modules []*kmod.Module
	builtin := ""
	for name, p := range s.files {
		below, ok := strings.CutPrefix(name, moduleFolder)
		if !ok {
			continue
		}
		v, file, _ := strings.Cut(below, "/")
		if version != "" && v != version {
			return "", nil, fmt.Errorf("there are modules of two kernels: %s and %s", version, v)
		}
		version = v
		switch {
		case kmod.IsModule(file):
			m, err := kmod.Read(file, p.from.Content(p.entry), p.entry.Size)
			if err != nil {
				return "", nil, err
			}
			modules = append(modules, m)
		case file == "modules.builtin":
			if builtin, err = s.text(name); err != nil {
				return "", nil, err
			}
		}
	}
	if version == "" {
		return "", nil, errors.New("no package has kernel modules")
	}
	slices.SortFunc(modules, func(a, b *kmod.Module) int { return strings.Compare(a.Path, b.Path) })
	tree, err = kmod.NewTree(modules, builtin)
	return version, tree, err
}

// maxText bounds small files that are read whole.
const maxText = 16 << 20

func (s *packageSet) text(name string) (string, error) {
	p, _, _, err := s.resolve(name)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(p.from.Content(p.entry), maxText))
	return string(b), err
}

// takeModules adds the modules that patterns choose, their tables, and the firmware
// they name.
func (t tree) takeModules(s *packageSet, patterns []string, m *Manifest) error {
	version, all, err := s.kernelModules()
	if err != nil {
		return err
	}
	m.Kernel = version
	chosen, unknown, err := all.Choose(patterns)
	if err != nil {
		return err
	}
	for _, pattern := range unknown {
		m.Notes = append(m.Notes, "this kernel has no module "+pattern)
	}
	folder := moduleFolder + version + "/"
	firmware := map[string]bool{}
	for _, c := range chosen {
		if _, err := t.take(s, folder+c.Path); err != nil {
			return err
		}
		for _, f := range c.Firmware {
			firmware[f] = true
		}
	}
	m.Modules = len(chosen)
	for name, text := range all.Tables(chosen) {
		if err := t.putText(folder+name, 0o644, text); err != nil {
			return err
		}
	}
	for _, name := range []string{"modules.builtin", "modules.builtin.modinfo", "modules.order"} {
		if _, ok := s.files[folder+name]; !ok {
			continue
		}
		if _, err := t.take(s, folder+name); err != nil {
			return err
		}
	}
	return t.takeFirmware(s, slices.Sorted(maps.Keys(firmware)), m)
}

// takeFirmware adds what of names the packages have.
func (t tree) takeFirmware(s *packageSet, names []string, m *Manifest) error {
	var missing []string
	for _, name := range names {
		at := path.Join("usr/lib/firmware", path.Join("/", name))
		if _, ok := s.files[at]; !ok {
			missing = append(missing, name)
			continue
		}
		if _, err := t.take(s, at); err != nil {
			return err
		}
		m.Firmware++
	}
	if len(missing) > 0 {
		m.Notes = append(m.Notes, "firmware that drivers name and no package has: "+strings.Join(missing, " "))
	}
	return nil
}
