package deb

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Info is what is said about a package: in its own control file, or in the index
// of an archive, which knows size and checksum of the file as well.
type Info struct {
	Name         string
	Version      string
	Architecture string
	Depends      [][]string // names; of each element one is needed
	Size         int64      // of the .deb in bytes; 0: not said
	SHA256       string     // of the .deb, 64 hex digits; "": not said
}

// FileName is what apt calls the package's file.
func (i Info) FileName() string {
	return fmt.Sprintf("%s_%s_%s.deb", i.Name, strings.ReplaceAll(i.Version, ":", "%3a"), i.Architecture)
}

// maxStanzas and maxLine bound what an index may say.
const (
	maxStanzas = 200_000
	maxLine    = 1 << 20
)

// ParseInfo reads paragraphs of fields (deb822(5)). Paragraphs without a name are
// an error; fields that are not of use here are passed over.
func ParseInfo(r io.Reader) ([]Info, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	var all []Info
	fields, last := map[string]string{}, ""
	finish := func() error {
		if len(fields) == 0 {
			return nil
		}
		info, err := newInfo(fields)
		if err == nil && len(all) == maxStanzas {
			err = errors.New("there are too many")
		}
		if err != nil {
			return fmt.Errorf("paragraph %d: %w", len(all)+1, err)
		}
		all = append(all, info)
		fields, last = map[string]string{}, ""
		return nil
	}
	for lines.Scan() {
		line := lines.Text()
		switch name, value, ok := strings.Cut(line, ":"); {
		case strings.TrimSpace(line) == "":
			if err := finish(); err != nil {
				return nil, err
			}
		case line[0] == ' ' || line[0] == '\t':
			if last == "depends" || last == "pre-depends" {
				fields[last] += line
			}
		case !ok:
			return nil, fmt.Errorf("paragraph %d: %q is no field", len(all)+1, line)
		default:
			last = strings.ToLower(name)
			fields[last] = strings.TrimSpace(value)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return all, finish()
}

func newInfo(fields map[string]string) (Info, error) {
	i := Info{Name: fields["package"], Version: fields["version"], Architecture: fields["architecture"], SHA256: fields["sha256"]}
	for what, value := range map[string]string{"package": i.Name, "version": i.Version, "architecture": i.Architecture} {
		// These become parts of file names and arguments of programs.
		if value == "" || value[0] == '-' || value[0] == '.' || strings.ContainsFunc(value, oddInName) {
			return Info{}, fmt.Errorf("its field %q is %q", what, value)
		}
	}
	if size := fields["size"]; size != "" {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil || n < 0 {
			return Info{}, fmt.Errorf("%s: its size is %q", i.Name, size)
		}
		i.Size = n
	}
	i.Depends = append(dependencies(fields["pre-depends"]), dependencies(fields["depends"])...)
	return i, nil
}

// oddInName tells what neither a name nor a version of a package holds
// (deb-version(7)).
func oddInName(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("+-.~:", c))
}

// dependencies reads "a (>= 1), b:any | c" as names.
func dependencies(field string) (all [][]string) {
	for clause := range strings.SplitSeq(field, ",") {
		var names []string
		for option := range strings.SplitSeq(clause, "|") {
			name, _, _ := strings.Cut(strings.TrimSpace(option), " ")
			name, _, _ = strings.Cut(name, "(")
			name, _, _ = strings.Cut(name, ":")
			if name != "" && !strings.ContainsFunc(name, oddInName) {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			all = append(all, names)
		}
	}
	return all
}
