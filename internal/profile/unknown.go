package profile

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// unknown reports a key that has no meaning where it stands. What stands where a
// secret should is not repeated.
func (d *decoder) unknown(key *yaml.Node, path, wild string, names []string, secret bool) {
	if secret {
		d.add(key, path, "unknown key; want one of %s", strings.Join(names, ", "))
		return
	}
	where := join(path, strings.Trim(shown(key.Value), `"`))
	if like := nearest(key.Value, names); like != "" {
		d.add(key, where, "unknown key; did you mean %s?", like)
		return
	}
	if home := homeOf(key.Value); home != "" && home != wild {
		d.add(key, where, "unknown key here; it belongs below %s", home)
		return
	}
	d.add(key, where, "unknown key; the keys here are %s", strings.Join(names, ", "))
}

// homeOf is where a key belongs that stands in the wrong place, "" for nowhere.
func homeOf(key string) string {
	for _, r := range rules() {
		if home, ok := strings.CutSuffix(r.path, "."+key); ok {
			return strings.TrimSuffix(home, "[]")
		}
	}
	return ""
}

// nearest is the one of names that word was perhaps meant to be, "" for none.
func nearest(word string, names []string) string {
	const longest = 40 // of any name; what is longer is like none
	if len(word) > longest {
		return ""
	}
	word = strings.ToLower(word)
	best, least := "", 3
	for _, name := range names {
		same := strings.ReplaceAll(strings.ReplaceAll(word, "_", "-"), " ", "-")
		n := min(distance(word, name), distance(same, name))
		if strings.ReplaceAll(same, "-", "") == strings.ReplaceAll(name, "-", "") {
			n = 0
		}
		if len(name) > 3 && strings.Contains(same, name) { // hostname: name
			n = min(n, 2)
		}
		if n < least && n <= len(name)/2 {
			best, least = name, n
		}
	}
	return best
}

// distance is how many characters must be put in, left out or replaced to make b
// of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			above := row[j+1]
			row[j+1] = min(above+1, row[j]+1, corner+cost)
			corner = above
		}
	}
	return row[len(b)]
}
