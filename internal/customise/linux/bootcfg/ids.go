// Package bootcfg edits what boot loaders and makers of initial RAM disks read:
// GRUB's configuration and environment block, Boot Loader Specification entries,
// kernel command lines.
//
// It owns two changes: names of volumes that are other ones now, and arguments
// added to kernels. It changes whole words only and understands no more of these
// languages than it needs for that. Start at Replacer and AddArgs.
package bootcfg

import (
	"regexp"
	"slices"
	"strings"
)

// Replacer puts new names of volumes for old ones.
type Replacer struct {
	ids    map[string]string // lower case → new
	find   *regexp.Regexp    // of any of ids
	labels map[string]string
}

// NewReplacer takes UUIDs and PARTUUIDs by their lower case, and labels.
func NewReplacer(ids, labels map[string]string) *Replacer {
	r := &Replacer{ids: ids, labels: labels}
	var all []string
	for id := range ids {
		all = append(all, regexp.QuoteMeta(id))
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	if len(all) > 0 {
		r.find = regexp.MustCompile(`(?i)` + strings.Join(all, "|"))
	}
	return r
}

// Empty reports whether nothing changed its name.
func (r *Replacer) Empty() bool { return len(r.ids) == 0 && len(r.labels) == 0 }

// Replace returns text with new names, all at once, so that two volumes can
// change places.
func (r *Replacer) Replace(text []byte) []byte {
	s := string(text)
	if r.find != nil {
		s = r.replaceIDs(s)
	}
	if len(r.labels) > 0 {
		s = labelled.ReplaceAllStringFunc(s, r.replaceLabel)
	}
	return []byte(s)
}

// Mentions reports whether data, which may be binary, holds an old ID.
func (r *Replacer) Mentions(data []byte) bool { return r.find != nil && r.find.Match(data) }

func (r *Replacer) replaceIDs(s string) string {
	var out strings.Builder
	done := 0
	for _, m := range r.find.FindAllStringIndex(s, -1) {
		if !whole(s, m[0], m[1]) {
			continue
		}
		out.WriteString(s[done:m[0]])
		out.WriteString(r.ids[strings.ToLower(s[m[0]:m[1]])])
		done = m[1]
	}
	return out.String() + s[done:]
}

// longID is the length of a UUID: nothing else looks like one, so that GRUB's
// 'gnulinux-simple-UUID' holds a whole one. A short ID has to stand by itself.
const longID = 36

func whole(s string, from, to int) bool {
	part := func(i int) bool {
		if i < 0 || i >= len(s) {
			return false
		}
		c := s[i]
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-' && to-from < longID
	}
	return !part(from-1) && !part(to)
}

// labelled are the places where a label is a label, not any word: LABEL=x, and
// GRUB's search.
var labelled = regexp.MustCompile(`(?:\bLABEL=|\bsearch\.fs_label[ \t]+|(?:--label|[ \t]-l)[ \t]+)(?:"[^"\n]*"|'[^'\n]*'|[^ \t\n"';]+)`)

func (r *Replacer) replaceLabel(found string) string {
	at := strings.LastIndexAny(found, "= \t") + 1
	if quote := strings.IndexAny(found, `"'`); quote >= 0 {
		at = quote
	}
	value := found[at:]
	now, ok := r.labels[strings.Trim(value, `"'`)]
	if !ok {
		return found
	}
	if value[0] == '"' || value[0] == '\'' {
		return found[:at] + value[:1] + now + value[:1]
	}
	return found[:at] + now
}
