package db

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
)

// A query runs statements, which have ? for their values.
type query struct {
	dialect
	conn conn
}

// A conn is a database or a transaction.
type conn interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// exec returns how many records it changed.
func (q query) exec(ctx context.Context, text string, args ...any) (int64, error) {
	done, err := q.conn.ExecContext(ctx, q.placeholders(text), values(args)...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// must is exec of a statement that is about one record: control.ErrNoRecord when
// there is none.
func (q query) must(ctx context.Context, text string, args ...any) error {
	n, err := q.exec(ctx, text, args...)
	if err == nil && n == 0 {
		return control.ErrNoRecord
	}
	return err
}

// placeholders are $1, $2 ... in PostgreSQL. No statement has a ? of another kind.
func (d dialect) placeholders(text string) string {
	if !d.postgres {
		return text
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(text, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		text = after
	}
}

// values makes texts such as both databases take: PostgreSQL has no NUL in them.
// JSON documents have none, they are written with escapes.
func values(args []any) []any {
	args = slices.Clone(args)
	for i, arg := range args {
		if s, ok := arg.(string); ok {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
		}
	}
	return args
}

// A scanner gives the columns of a row.
type scanner func(columns ...any) error

// list returns what scan makes of each row.
func list[T any](ctx context.Context, q query, scan func(scanner) (T, error), text string, args ...any) ([]T, error) {
	rows, err := q.conn.QueryContext(ctx, q.placeholders(text), values(args)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// one is the only row, or control.ErrNoRecord.
func one[T any](ctx context.Context, q query, scan func(scanner) (T, error), text string, args ...any) (T, error) {
	all, err := list(ctx, q, scan, text, args...)
	if err == nil && len(all) == 0 {
		err = control.ErrNoRecord
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

// count is a number that a statement returns.
func count(ctx context.Context, q query, text string, args ...any) (n int, err error) {
	return one(ctx, q, func(row scanner) (n int, err error) {
		err = row(&n)
		return n, err
	}, text, args...)
}

// document scans a row that is a JSON document alone.
func document[T any](row scanner) (v T, err error) {
	err = scanDocument(row, &v)
	return v, err
}

// scanDocument scans a row that begins with a JSON document.
func scanDocument(row scanner, v any, more ...any) error {
	var data []byte
	if err := row(append([]any{&data}, more...)...); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("a record of the database cannot be read: %w", err)
	}
	return nil
}

// encode makes a JSON document.
func encode(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("a record cannot be kept: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// kept is a time as it is kept: in UTC, to the microsecond.
func kept(times ...*time.Time) {
	for _, t := range times {
		*t = fromMicros(micros(*t))
	}
}

// micros are microseconds since 1970, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// A where is the condition of a list.
type where struct {
	terms []string
	args  []any
}

func (w *where) add(term string, args ...any) {
	w.terms = append(w.terms, term)
	w.args = append(w.args, args...)
}

func (w *where) String() string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.terms, " AND ")
}

// pageOf is the end of a statement that returns a page; limit 0 is all.
func pageOf(offset, limit int) string {
	if limit <= 0 {
		limit = 1<<31 - 1
	}
	return fmt.Sprintf(" LIMIT %d OFFSET %d", limit, max(offset, 0))
}

// marks are so many placeholders, for IN.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// portions are arguments in portions that one statement takes.
func portions[T any](all []T) iter.Seq2[[]T, []any] {
	return func(yield func([]T, []any) bool) {
		for portion := range slices.Chunk(all, 500) {
			var args []any
			for _, v := range portion {
				args = append(args, v)
			}
			if !yield(portion, args) {
				return
			}
		}
	}
}

// contains is the condition that a text, in lower case, has another one in it.
func (d dialect) contains(column string) string {
	if d.postgres {
		return `strpos(` + column + `, ?) > 0`
	}
	return `instr(` + column + `, ?) > 0`
}
