package start

import "strings"

// glob reports whether s matches a pattern of modules.alias: *, ? and [a-z], as in
// fnmatch(3) without flags, so that a slash is a character like any other. It
// takes time in proportion to the product of the lengths at worst.
func glob(pattern, s string) bool {
	p, i := 0, 0
	star, from := -1, 0 // the last * and where in s its match may end
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, i
			p++
			continue
		}
		if width, ok := matchOne(pattern[p:], s[i]); ok {
			p += width
			i++
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star+1, from
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne matches c with what pattern begins with, and says how long that is.
func matchOne(pattern string, c byte) (width int, ok bool) {
	switch {
	case pattern == "":
		return 0, false
	case pattern[0] == '?':
		return 1, true
	case pattern[0] == '[':
		if end := strings.IndexByte(pattern, ']'); end > 1 {
			return end + 1, inSet(pattern[1:end], c)
		}
	}
	return 1, pattern[0] == c
}

// inSet knows "abc" and "a-f0-9".
func inSet(set string, c byte) bool {
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			if set[i] <= c && c <= set[i+2] {
				return true
			}
			i += 2
			continue
		}
		if set[i] == c {
			return true
		}
	}
	return false
}
