package drivers

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise"
)

const (
	firmwareDir = "lib/firmware"
	packagesDir = "/var/lib/ingot/drivers"
	updatesDir  = "updates/ingot" // below a kernel's modules; depmod prefers 'updates'

	maxModule = 256 << 20 // bytes of a kernel module, with debug information
)

// linux puts modules and firmware where the kernel looks for them, and packages
// aside for the system's own tools.
func (s *stager) linux() error {
	versions, err := kernels(s.root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.clean(versions); err != nil {
		return err
	}
	var packages []string
	for i, set := range s.choice.Sets {
		for _, file := range set.set.files {
			switch {
			case isModule(file):
				err = s.module(file, versions)
			case isFirmware(file):
				err = s.firmware(file)
			case isPackage(file):
				to := path.Join(packagesDir, fmt.Sprintf("%02d-%s", i+1, plainName(path.Base(set.Name))), plainName(path.Base(file)))
				packages = append(packages, to)
				err = s.copy(file, to)
			}
			if err != nil {
				return err
			}
		}
	}
	if len(packages) > 0 {
		s.staged.Touch(packagesDir)
		s.staged.Script = s.installer(packages)
	}
	return nil
}

// clean removes what an earlier deploy staged.
func (s *stager) clean(versions []string) error {
	if err := s.removeAll(packagesDir, maxDepth); err != nil {
		return err
	}
	for _, v := range versions {
		if err := s.removeAll(path.Join(modulesDir, v, updatesDir), maxDepth); err != nil {
			return err
		}
	}
	return nil
}

// module copies a module for the kernel that it was built for.
func (s *stager) module(file string, versions []string) error {
	v, err := s.kernelOf(file, versions)
	if err != nil {
		return err
	}
	if v == "" {
		s.staged.Notes = append(s.staged.Notes, fmt.Sprintf("The module %s is for none of the system's kernels (%s) and was left out.", file, strings.Join(versions, ", ")))
		return nil
	}
	dir := path.Join(modulesDir, v, updatesDir)
	s.staged.Touch("/"+dir, "/"+path.Join(modulesDir, v, "modules.dep"))
	s.rebuild(customise.Modules, customise.Initramfs)
	return s.copy(file, path.Join(dir, plainName(path.Base(file))))
}

// kernelOf tells by a folder of the kernel's name, or by what the module says.
func (s *stager) kernelOf(file string, versions []string) (string, error) {
	for _, elem := range strings.Split(file, "/") {
		if slices.Contains(versions, elem) {
			return elem, nil
		}
	}
	if !strings.HasSuffix(file, ".ko") { // compressed
		return "", nil
	}
	data, err := readBounded(s.choice.library.fsys, file, maxModule)
	if err != nil {
		return "", err
	}
	_, rest, _ := bytes.Cut(data, []byte("\x00vermagic="))
	version, _, _ := bytes.Cut(rest[:min(len(rest), 256)], []byte(" "))
	if slices.Contains(versions, string(version)) {
		return string(version), nil
	}
	return "", nil
}

// firmware copies a file under the name that the kernel asks for.
func (s *stager) firmware(file string) error {
	name, _ := firmwareName(file)
	to := path.Join(firmwareDir, name)
	s.staged.Touch("/" + to)
	s.rebuild(customise.Initramfs)
	return s.copy(file, to)
}

// rebuild asks for work once.
func (s *stager) rebuild(work ...customise.Rebuild) {
	for _, w := range work {
		if !slices.Contains(s.staged.Rebuild, w) {
			s.staged.Rebuild = append(s.staged.Rebuild, w)
		}
	}
}

// plainName keeps of a name what no shell takes for more than a name.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._+~:-", r) {
			return r
		}
		return '_'
	}, name)
	return cmp.Or(strings.TrimLeft(name, "-."), "_")
}

// installer is the script that installs packages, those of one kind together, so
// that they may need each other. Names in it are made by plainName.
func (s *stager) installer(packages []string) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n# Installs the driver packages that were staged for this machine.\nset -e\n")
	for _, kind := range []struct{ ending, database, command string }{
		{".deb", "var/lib/dpkg", "dpkg --force-confold --install"},
		{".rpm", "usr/bin/rpm", "rpm --upgrade --replacepkgs"},
	} {
		var names []string
		for _, p := range packages {
			if hasEnding(p, kind.ending) {
				names = append(names, p)
			}
		}
		switch {
		case len(names) == 0:
		case !s.root.Exists(kind.database):
			s.staged.Notes = append(s.staged.Notes, fmt.Sprintf("The system does not use %s packages; %d were staged and will not be installed.", kind.ending, len(names)))
		default:
			fmt.Fprintf(&b, "%s \\\n  %s\n", kind.command, strings.Join(names, " \\\n  "))
		}
	}
	return b.String()
}
