package files

import (
	"fmt"
	"path"
	"strings"
)

// A pattern names files by their path from the root of the tree. It is made of
// elements between slashes, in which *, ? and [...] mean what path.Match says;
// the element ** stands for any number of elements, at the end for one or more.
// A pattern that begins with a slash is held against the whole path, any other
// against its end. What a pattern names is left out with everything below it.
type pattern struct {
	text     string
	elements []string
	fold     bool // upper and lower case are the same
}

// PatternError says that a pattern cannot be understood.
type PatternError struct {
	Pattern string
	Err     error
}

func (e *PatternError) Error() string { return fmt.Sprintf("pattern %q: %v", e.Pattern, e.Err) }

func newPattern(text string, fold bool) (pattern, error) {
	p := pattern{text: text, fold: fold}
	trimmed := strings.Trim(text, "/")
	if trimmed == "" {
		return p, &PatternError{text, path.ErrBadPattern}
	}
	if fold {
		trimmed = strings.ToLower(trimmed)
	}
	p.elements = strings.Split(trimmed, "/")
	if !strings.HasPrefix(text, "/") {
		p.elements = append([]string{"**"}, p.elements...)
	}
	for _, e := range p.elements {
		if _, err := path.Match(e, ""); err != nil {
			return p, &PatternError{text, err}
		}
	}
	return p, nil
}

// matches reports whether p names the file with these elements.
func (p *pattern) matches(elements []string) bool {
	// Most files are told apart by their own names.
	last := p.elements[len(p.elements)-1]
	return (last == "**" || p.element(last, elements[len(elements)-1])) && p.rest(p.elements, elements)
}

func (p *pattern) element(want, name string) bool {
	if p.fold {
		name = strings.ToLower(name)
	}
	if !strings.ContainsAny(want, `*?[\`) {
		return want == name
	}
	ok, _ := path.Match(want, name)
	return ok
}

func (p *pattern) rest(want, have []string) bool {
	if len(want) == 0 {
		return len(have) == 0
	}
	if want[0] != "**" {
		return len(have) > 0 && p.element(want[0], have[0]) && p.rest(want[1:], have[1:])
	}
	if len(want) == 1 {
		return len(have) > 0
	}
	for i := range have {
		if p.rest(want[1:], have[i:]) {
			return true
		}
	}
	return false
}

// Defaults are what nobody wants back: what is made again at every start, and
// what belongs to the running system. Each set holds for trees that have all its
// signs.
var defaults = [...]struct {
	kind     string   // "": of any
	signs    []string // must be there
	patterns []string
}{
	{"", []string{"etc", "usr"}, []string{"/proc/**", "/sys/**", "/dev/shm/**", "/run/**", "/tmp/**", "/var/tmp/**"}},
	{"ntfs", nil, []string{
		"/pagefile.sys", "/hiberfil.sys", "/swapfile.sys", "/$Recycle.Bin/**", "/System Volume Information/**",
	}},
	{"ntfs", []string{"Windows"}, []string{"/Windows/Temp/**", "/Users/*/AppData/Local/Temp/**"}},
}
