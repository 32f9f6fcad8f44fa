package profile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// A table says which machine gets which values: CSV with a header. Some columns
// identify the machine, "name" is its host name, the others are placeholders.
type table struct {
	file   string
	header []string // in small letters
	rows   []row
	lines  map[string]int // index of the row that has a key or a name, by column=value
}

// A row is one machine.
type row struct {
	line, column int
	cells        []string
}

// Bounds of a table, besides its size.
const (
	maxColumns = 200
	maxRows    = 100_000
	maxCell    = 4 << 10 // bytes
)

// keyColumns identify a machine.
func keyColumns() []string { return []string{"serial", "uuid", "mac", "asset"} }

// nameColumn is the host name of a machine, instead of the profile's pattern.
const nameColumn = "name"

// reserved are placeholders that a column would hide.
func reserved() []string {
	return []string{"model", "maker", "sku", "board", counter, lower, upper}
}

// readMachines reads the profile's table, and appends what is wrong with it.
func (d *Document) readMachines(problems *[]Problem) *table {
	at, given := d.at["machines"]
	if !given || d.Profile.Machines == "" {
		return nil
	}
	s := source{d.dir, d.Profile.Machines}
	data, _, err := s.read(maxTable)
	if err != nil {
		*problems = append(*problems, Problem{d.Name, at.line, at.column, "machines", fmt.Sprintf("%s %v", shown(d.Profile.Machines), err)})
		return nil
	}
	t, bad := parseTable(d.Profile.Machines, data)
	*problems = append(*problems, bad...)
	return t
}

// parseTable reads a table. What it returns holds only rows that are right.
func parseTable(file string, data []byte) (*table, []Problem) {
	t := &table{file: file, lines: map[string]int{}}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		line, column := notText(data)
		return t, []Problem{{file, line, column, "", "is not UTF-8: save it as 'CSV UTF-8'"}}
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = separator(data)
	r.FieldsPerRecord = -1
	var problems []Problem
	for len(t.rows) < maxRows && len(problems) <= maxProblems {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t, append(problems, csvProblem(file, err))
		}
		line, column := r.FieldPos(0)
		report := func(i int, format string, args ...any) {
			line, column := line, column
			if i >= 0 {
				line, column = r.FieldPos(i)
			}
			problems = append(problems, Problem{file, line, column, "", fmt.Sprintf(format, args...)})
		}
		if t.header == nil {
			t.readHeader(cells, report)
			if len(problems) > 0 {
				return t, problems
			}
			continue
		}
		t.addRow(row{line, column, cells}, report)
	}
	if t.header == nil {
		problems = append(problems, Problem{File: file, Message: "is empty: want a header such as serial,name and a line for each machine"})
	}
	if len(t.rows) == maxRows {
		problems = append(problems, Problem{File: file, Message: fmt.Sprintf("has more than %d machines", maxRows-1)})
	}
	return t, problems
}

func csvProblem(file string, err error) Problem {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return Problem{File: file, Message: err.Error()}
	}
	return Problem{file, parse.Line, parse.Column, "", "is not CSV here: put a cell that has quotes in it in quotes, and write each quote inside twice"}
}

// separator is the character between columns: what the header has most of. In many
// countries spreadsheets write semicolons.
func separator(data []byte) rune {
	header, _, _ := bytes.Cut(bytes.TrimLeft(data, "\r\n"), []byte("\n"))
	best, most := ',', bytes.Count(header, []byte(","))
	for _, r := range ";\t" {
		if n := bytes.Count(header, []byte(string(r))); n > most {
			best, most = r, n
		}
	}
	return best
}

func (t *table) readHeader(cells []string, report func(i int, format string, args ...any)) {
	if len(cells) > maxColumns {
		report(-1, "has more than %d columns", maxColumns)
		return
	}
	for i, cell := range cells {
		name := strings.ToLower(clean(cell))
		switch {
		case !isColumn(name):
			report(i, "the column %s cannot be a placeholder: want a letter, then letters, digits, hyphens and underscores", shown(cell))
		case slices.Contains(reserved(), name):
			report(i, "the column %s would hide the placeholder {%s}: choose another name", shown(cell), name)
		case slices.Contains(t.header, name):
			report(i, "the column %s is there twice", shown(cell))
		}
		t.header = append(t.header, name)
	}
	if !slices.ContainsFunc(keyColumns(), t.has) {
		report(-1, "has no column that identifies a machine: want one of %s", either(keyColumns()))
	}
}

func isColumn(name string) bool {
	return name != "" && len(name) <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// has reports whether there is a column of that name; a table that is not there
// has none.
func (t *table) has(column string) bool { return t != nil && slices.Contains(t.header, column) }
