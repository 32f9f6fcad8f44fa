package profile

import "strings"

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
