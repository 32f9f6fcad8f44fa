package web

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// keptPart is a part as it was sent last, and since which version it is so.
type keptPart struct {
	id      string
	html    []byte
	since   int64 // as a whole; its rows may be newer
	rows    []keptPart
	created int64 // of a row: when it was appended
}

// keep renders a part and says whether it differs from before.
func (f *feed) keep(all views, p livePart, before keptPart, version int64) (keptPart, bool, error) {
	if p.Rows == nil {
		html, err := all.html(f.source.view, p.Template, p.Data)
		if err != nil {
			return keptPart{}, false, err
		}
		if before.since > 0 && bytes.Equal(html, before.html) {
			return before, false, nil
		}
		return keptPart{id: p.ID, html: html, since: version, created: version}, true, nil
	}
	grown := before.since > 0 && len(before.rows) > 0 && len(p.Rows) >= len(before.rows)
	for i := range before.rows {
		grown = grown && before.rows[i].id == p.Rows[i].ID
	}
	kept, changed := keptPart{id: p.ID, since: version}, !grown
	if grown {
		kept.since, kept.html = before.since, before.html
	}
	for i, row := range p.Rows {
		var was keptPart
		if grown && i < len(before.rows) {
			was = before.rows[i]
		}
		one, differs, err := f.keep(all, row, was, version)
		if err != nil {
			return keptPart{}, false, err
		}
		if was.since > 0 {
			one.created = was.created
		}
		kept.rows, changed = append(kept.rows, one), changed || differs
	}
	if changed || len(p.Rows) == 0 {
		// As a whole, for viewers who have nothing of it yet.
		html, err := all.html(f.source.view, p.Template, p.Data)
		if err != nil {
			return keptPart{}, false, err
		}
		if len(p.Rows) == 0 && len(before.rows) == 0 && before.since > 0 && bytes.Equal(html, before.html) {
			return before, false, nil
		}
		kept.html = html
	}
	return kept, changed, nil
}

// news returns an event with what changed after version seen, and the version that
// a viewer has with it.
func (f *feed) news(seen int64) (event []byte, version int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.version <= seen {
		return nil, seen
	}
	var b bytes.Buffer
	for _, p := range f.parts {
		if p.since > seen {
			partial(&b, p.id, "outerMorph", p.html)
			continue
		}
		for _, row := range p.rows {
			switch {
			case row.created > seen:
				partial(&b, p.id, "beforeend", row.html)
			case row.since > seen:
				partial(&b, row.id, "outerMorph", row.html)
			}
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "id: %s-%d\n", f.epoch, f.version)
	for line := range bytes.Lines(b.Bytes()) {
		fmt.Fprintf(&out, "data: %s\n", bytes.TrimRight(line, "\r\n"))
	}
	out.WriteString("\n")
	return out.Bytes(), f.version
}

// seen is the version that an ID of an event names, 0 for those of other feeds.
func (f *feed) seen(id string) int64 {
	epoch, version, _ := strings.Cut(id, "-")
	n, err := strconv.ParseInt(version, 10, 64)
	if err != nil || epoch != f.epoch {
		return 0
	}
	return n
}

// partial is how htmx is told to replace one element.
func partial(b *bytes.Buffer, id, swap string, html []byte) {
	fmt.Fprintf(b, "<hx-partial hx-target=\"#%s\" hx-swap=\"%s\">%s</hx-partial>\n", id, swap, bytes.TrimSpace(html))
}
