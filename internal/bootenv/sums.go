package bootenv

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sumsName is the file beside fetched packages that says what the archive's signed
// lists said about them, so that damage to them is noticed later. It has the form of
// sha256sum(1). Packages that somebody put there are not in it.
const sumsName = "SHA256SUMS"

func (s *shelf) readSums() error {
	b, err := os.ReadFile(filepath.Join(s.dir, sumsName))
	if os.IsNotExist(err) {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		if sum, name, ok := strings.Cut(strings.TrimRight(line, "\n"), "  "); ok {
			s.sums[name] = sum
		}
	}
	return err
}

func (s *shelf) writeSums() error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.sums)) {
		if _, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
			fmt.Fprintf(&b, "%s  %s\n", s.sums[name], name)
		}
	}
	return os.WriteFile(filepath.Join(s.dir, sumsName), []byte(b.String()), 0o644)
}

// check returns the SHA-256 of a package's file, which must be what was noted.
func (s *shelf) check(name string) (string, error) {
	sum, _, err := hashFile(name)
	if noted, ok := s.sums[filepath.Base(name)]; err == nil && ok && noted != sum {
		return "", fmt.Errorf("%s is damaged: its SHA-256 is %s, and was %s when it was fetched; remove it", name, sum, noted)
	}
	return sum, err
}
