// Package kmod chooses kernel modules and writes the tables from which they are
// loaded.
//
// It owns what a module says of itself (the section .modinfo, include/linux/
// module.h), which modules need which, and the tables of modules.dep(5) that depmod
// would make. It changes no byte of a module, since that would break its signature.
// It neither loads modules nor knows which hardware matters. Start at Tree.
package kmod

import (
	"bufio"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/ingot-imaging/ingot/internal/bootenv/deb"
)

// Module is what one module says.
type Module struct {
	Path     string // below the version's folder: "kernel/fs/ext4/ext4.ko"
	Name     string // "ext4"; never with a hyphen
	Aliases  []string
	Depends  []string // names
	Soft     []string // lines of modules.softdep without the name: "pre: a b post: c"
	Firmware []string // files below the folder of firmware
}

// What a module may be at most. The largest of Linux 6.1 has 6 MiB.
const (
	maxModule  = 64 << 20
	maxModinfo = 4 << 20
)

// Read reads the module that lies at name; r holds size bytes.
func Read(name string, r io.ReaderAt, size int64) (*Module, error) {
	info, err := modinfo(name, r, size)
	if err != nil {
		return nil, fmt.Errorf("read the kernel module %s: %w", name, err)
	}
	m := &Module{Path: name, Name: nameOf(name)}
	for field := range bytes.SplitSeq(info, []byte{0}) {
		key, value, _ := strings.Cut(string(field), "=")
		if tabled[key] && strings.Contains(value, "\n") {
			return nil, fmt.Errorf("read the kernel module %s: %s has several lines", name, key)
		}
		switch key {
		case "alias":
			m.Aliases = append(m.Aliases, value)
		case "depends":
			for dependency := range strings.SplitSeq(value, ",") {
				if dependency != "" {
					m.Depends = append(m.Depends, plain(dependency))
				}
			}
		case "softdep":
			m.Soft = append(m.Soft, value)
		case "firmware":
			m.Firmware = append(m.Firmware, value)
		}
	}
	return m, nil
}

// tabled are the fields that become lines of tables.
var tabled = map[string]bool{"alias": true, "depends": true, "softdep": true, "firmware": true}

func modinfo(name string, r io.ReaderAt, size int64) ([]byte, error) {
	if size > maxModule {
		return nil, fmt.Errorf("it has %d bytes, more than %d MiB", size, maxModule>>20)
	}
	if strings.HasSuffix(name, ".xz") {
		unpacked, err := deb.NewXZ(bufio.NewReader(io.NewSectionReader(r, 0, size)))
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(io.LimitReader(unpacked, maxModule))
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(b)
	}
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	section := f.Section(".modinfo")
	if section == nil || section.Type == elf.SHT_NOBITS {
		return nil, fmt.Errorf("it has no section .modinfo")
	}
	if section.Size > maxModinfo {
		return nil, fmt.Errorf("its section .modinfo has %d bytes", section.Size)
	}
	return section.Data()
}

// IsModule tells whether a file is a module, by its name.
func IsModule(name string) bool {
	return strings.HasSuffix(name, ".ko") || strings.HasSuffix(name, ".ko.xz")
}

// nameOf is the name of the module at a path.
func nameOf(name string) string {
	base, _, _ := strings.Cut(path.Base(name), ".ko")
	return plain(base)
}

// plain spells a module's name as the kernel does.
func plain(name string) string { return strings.ReplaceAll(name, "-", "_") }
