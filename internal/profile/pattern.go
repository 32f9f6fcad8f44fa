package profile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// A pattern is text with placeholders, parsed:
//
//	pattern     = { text | "{{" | "}}" | placeholder }
//	placeholder = "{" alternative { "|" alternative } [ "|" filter ] "}"
//	alternative = name [ slice ] | "n" [ ":0" width ] | "'" text "'"
//	slice       = ":" start [ ":" length ]          as in the shell's ${name:start:length}
//	filter      = "lower" | "upper"
//
// The first alternative that is known and not empty is taken, before its slice. A
// slice that begins before the value does begins with it.
type pattern []part

// A part is text, or a placeholder if it has alternatives.
type part struct {
	text         string // of a placeholder: as it was written
	alternatives []alternative
	filter       string
}

type alternative struct {
	name          string // "": text stands for itself
	text          string
	start, length int // length < 0: to the end
	width         int // of n
}

// builtin are the placeholders that every profile has.
func builtin() []string {
	return []string{"serial", "mac", "asset", "model", "maker", "sku", "uuid", "board", "name", counter}
}

const (
	counter      = "n"
	lower, upper = "lower", "upper"
	maxWidth     = 9
)

// parsePattern parses s. Known are the names that may stand in placeholders.
func parsePattern(s string, known func(name string) bool) (pattern, error) {
	var p pattern
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			p = append(p, part{text: text.String()})
			text.Reset()
		}
	}
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			text.WriteString(s)
			break
		}
		text.WriteString(s[:i])
		s = s[i:]
		if len(s) > 1 && s[1] == s[0] {
			text.WriteByte(s[0])
			s = s[2:]
			continue
		}
		end := strings.IndexByte(s, '}')
		if s[0] == '}' {
			return nil, errors.New("a } has no {: write }} for a brace")
		}
		if end < 0 || strings.ContainsAny(s[1:end], "{\n") {
			return nil, fmt.Errorf("the placeholder %s is not closed: write }, or {{ for a brace", shown(opening(s)))
		}
		flush()
		ph, err := parsePlaceholder(s[1:end], known)
		if err != nil {
			return nil, err
		}
		p = append(p, ph)
		s = s[end+1:]
	}
	flush()
	return p, nil
}

// opening is the beginning of a placeholder, as far as it can be one.
func opening(s string) string {
	end := strings.IndexFunc(s[1:], func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
	})
	if end < 0 {
		return s
	}
	return s[:1+end]
}

func parsePlaceholder(s string, known func(string) bool) (part, error) {
	ph := part{text: "{" + s + "}"}
	terms := strings.Split(s, "|")
	if last := terms[len(terms)-1]; len(terms) > 1 && (last == lower || last == upper) {
		ph.filter, terms = last, terms[:len(terms)-1]
	}
	for _, t := range terms {
		a, err := parseAlternative(t, known)
		if err != nil {
			return ph, fmt.Errorf("the placeholder %s %w", shown(ph.text), err)
		}
		ph.alternatives = append(ph.alternatives, a)
	}
	return ph, nil
}

func parseAlternative(s string, known func(string) bool) (alternative, error) {
	a := alternative{length: -1}
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
		a.text = s[1 : len(s)-1]
		return a, nil
	}
	name, slice, sliced := strings.Cut(s, ":")
	a.name = name
	switch {
	case name == "":
		return a, errors.New("names nothing: write {{ and }} for braces")
	case name == lower || name == upper:
		return a, fmt.Errorf("has the filter %s before something else: it stands last", name)
	case !known(name):
		return a, unknownName(name)
	case !sliced:
		return a, nil
	case name == counter:
		width, err := strconv.ParseUint(slice, 10, 8)
		if err != nil || len(slice) != 2 || slice[0] != '0' || width < 1 || width > maxWidth {
			return a, errors.New("has a width that is not 01 to 09, as in {n:03}")
		}
		a.width = int(width)
		return a, nil
	}
	return a, a.parseSlice(slice)
}

// unknownName is the error of a placeholder that nothing stands for.
func unknownName(name string) error {
	if name == nameColumn {
		return errors.New("stands for the host name, which is made here")
	}
	if like := nearest(name, builtin()); like != "" {
		return fmt.Errorf("is not known; did you mean {%s}?", like)
	}
	return fmt.Errorf("is not known; there are %s, the columns of machines, and the keys of values", strings.Join(builtin(), ", "))
}

func (a *alternative) parseSlice(s string) (err error) {
	const most = 1000
	start, length, both := strings.Cut(s, ":")
	a.start, err = strconv.Atoi(start)
	if both && err == nil {
		a.length, err = strconv.Atoi(length)
	}
	switch {
	case err != nil || a.start < -most || a.start > most || a.length > most || both && a.length < 1:
		return errors.New("has a bad slice: want :-6 for the last six characters, :0:4 for the first four, :4 for all from the fifth")
	case a.start == 0 && !both:
		return errors.New("has a slice that takes everything: want :-6 for the last six characters, :0:6 for the first six")
	}
	return nil
}
