package web

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"
)

// pager is where in a long list a page is.
type pager struct {
	Text           string // "1 to 50 of 312"
	Previous, Next string // URLs; "" where there is none
}

// newPager is nil for lists that fit on a page. shown is how many are on this one.
func newPager(path string, query url.Values, offset, limit, shown, total int) *pager {
	if total <= limit && offset == 0 {
		return nil
	}
	at := func(offset int) string {
		q := maps.Clone(query)
		q.Del("offset")
		if offset > 0 {
			q.Set("offset", strconv.Itoa(offset))
		}
		if len(q) == 0 {
			return path
		}
		return path + "?" + q.Encode()
	}
	p := &pager{Text: fmt.Sprintf("%d to %d of %d", offset+1, offset+shown, total)}
	if shown == 0 {
		p.Text = fmt.Sprintf("none of %d here", total)
	}
	if offset > 0 {
		p.Previous = at(max(0, offset-limit))
	}
	if offset+shown < total && shown > 0 {
		p.Next = at(offset + limit)
	}
	return p
}

// offset is where in a list the visitor is; nonsense is the beginning.
func (v *visit) offset() int {
	n, err := strconv.Atoi(v.field("offset"))
	if err != nil || n < 0 || n > 1<<30 {
		return 0
	}
	return n
}

// before is the ID that a list of history goes on before.
func (v *visit) before() int64 {
	n, err := strconv.ParseInt(v.field("before"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
