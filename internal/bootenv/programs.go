package bootenv

import (
	"debug/elf"
	"fmt"
	"io"
	"path"
	"strings"
)

// libraryFolders are where the dynamic loader of Debian's amd64 looks without a cache.
var libraryFolders = []string{"usr/lib/x86_64-linux-gnu", "usr/lib"}

// programFolders are where programs lie.
var programFolders = []string{"usr/sbin", "usr/bin"}

// takePrograms adds programs with every shared library that they need.
func (t tree) takePrograms(s *packageSet, programs []program) error {
	for _, p := range programs {
		for _, name := range p.names {
			at, ok := s.programPath(p.debian, name)
			if !ok {
				return fmt.Errorf("the package %s has no program %s", p.debian, name)
			}
			if err := t.takeProgram(s, at); err != nil {
				return fmt.Errorf("take %s of the package %s: %w", name, p.debian, err)
			}
		}
	}
	return nil
}

func (s *packageSet) programPath(debian, name string) (string, bool) {
	for _, dir := range programFolders {
		at := path.Join(dir, name)
		if p, ok := s.files[at]; ok && p.from.Info.Name == debian {
			return at, true
		}
	}
	return "", false
}

// takeProgram adds the program or library at name, and what it needs, and so on.
func (t tree) takeProgram(s *packageSet, name string) error {
	done := map[string]bool{}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if done[at] {
			continue
		}
		done[at] = true
		file, err := t.take(s, at)
		if err != nil {
			return err
		}
		needed, err := needs(file)
		if err != nil {
			return fmt.Errorf("read %s: %w", at, err)
		}
		for _, n := range needed {
			if strings.HasPrefix(n, "/") {
				queue = append(queue, merged(strings.TrimPrefix(path.Clean(n), "/")))
				continue
			}
			library, ok := s.libraryPath(n)
			if !ok {
				return fmt.Errorf("no package has %s, which %s needs", n, at)
			}
			queue = append(queue, library)
		}
	}
	return nil
}

func (s *packageSet) libraryPath(name string) (string, bool) {
	for _, dir := range libraryFolders {
		at := path.Join(dir, name)
		if _, ok := s.files[at]; ok {
			return at, true
		}
	}
	return "", false
}

// isScript tells shell scripts; there is nothing to run others.
func isScript(p placed) (bool, error) {
	head := make([]byte, 64)
	n, err := p.from.Content(p.entry).ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return false, err
	}
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	command, script := strings.CutPrefix(line, "#!")
	if !script {
		return false, nil
	}
	if interpreter, _, _ := strings.Cut(strings.TrimSpace(command), " "); interpreter != "/bin/sh" {
		return false, fmt.Errorf("it is a script for %s, which is not there", interpreter)
	}
	return true, nil
}

// maxInterpreter bounds the name of the dynamic loader.
const maxInterpreter = 4096

// needs returns the libraries that a file names, and the loader by its path. A
// script needs nothing but the shell, which is there.
func needs(p placed) ([]string, error) {
	if script, err := isScript(p); script || err != nil {
		return nil, err
	}
	f, err := elf.NewFile(p.from.Content(p.entry))
	if err != nil {
		return nil, err
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	for _, name := range libraries {
		if strings.Contains(name, "/") || name == "" || name == ".." {
			return nil, fmt.Errorf("it needs the library %q", name)
		}
	}
	for _, prog := range f.Progs {
		if prog.Type != elf.PT_INTERP || prog.Filesz > maxInterpreter {
			continue
		}
		b := make([]byte, prog.Filesz)
		if _, err := prog.ReadAt(b, 0); err != nil {
			return nil, err
		}
		if name := strings.TrimRight(string(b), "\x00"); path.IsAbs(name) {
			libraries = append(libraries, name)
		}
	}
	return libraries, nil
}
