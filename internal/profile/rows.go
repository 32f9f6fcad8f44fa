package profile

import (
	"fmt"
	"slices"
	"strings"
)

// addRow keeps a row that is right, and reports what is wrong with another.
func (t *table) addRow(r row, report func(i int, format string, args ...any)) {
	if len(r.cells) != len(t.header) {
		report(-1, "has %d columns, the header has %d", len(r.cells), len(t.header))
		return
	}
	ok, keyed := true, false
	for i, cell := range r.cells {
		r.cells[i] = clean(cell)
		if len(cell) > maxCell {
			report(i, "has more than %d bytes in a cell", maxCell)
			return
		}
	}
	if !slices.ContainsFunc(r.cells, func(cell string) bool { return cell != "" }) {
		return // spreadsheets leave empty lines at the end
	}
	for i, column := range t.header {
		if r.cells[i] == "" || column != nameColumn && !slices.Contains(keyColumns(), column) {
			continue
		}
		keyed = keyed || column != nameColumn
		key := column + "=" + folded(column, r.cells[i])
		if before, twice := t.lines[key]; twice {
			report(i, "the %s %s is in line %d already", column, shown(r.cells[i]), t.rows[before].line)
			ok = false
		}
		if problem := cellProblem(column, r.cells[i]); problem != "" {
			report(i, "%s", problem)
			ok = false
		}
	}
	if !keyed {
		report(-1, "says of no machine: fill one of %s", either(slices.DeleteFunc(keyColumns(), func(k string) bool { return !t.has(k) })))
		return
	}
	if !ok {
		return
	}
	for i, column := range t.header {
		if r.cells[i] != "" && (column == nameColumn || slices.Contains(keyColumns(), column)) {
			key := column + "=" + folded(column, r.cells[i])
			t.lines[key] = len(t.rows)
		}
	}
	t.rows = append(t.rows, r)
}

// cellProblem checks a cell that identifies or names a machine.
func cellProblem(column, cell string) string {
	switch {
	case column == "mac" && !ruleOf()["network[].mac"].re.MatchString(cell):
		return fmt.Sprintf("%s is no MAC address: %s", shown(cell), "want "+ruleOf()["network[].mac"].want)
	case column == nameColumn:
		return hostnameProblem(cell, AnyOS)
	}
	return ""
}

// folded is a value in the form in which two are compared: firmware, labels and
// people write them differently.
func folded(column, value string) string {
	value = strings.ToLower(clean(value))
	if column == "mac" || column == "uuid" {
		value = strings.NewReplacer(":", "", "-", "", "{", "", "}", "").Replace(value)
	}
	return value
}

// cell is what row i has in column, "" for nothing.
func (t *table) cell(i int, column string) string {
	if t == nil || i < 0 {
		return ""
	}
	j := slices.Index(t.header, column)
	if j < 0 {
		return ""
	}
	return t.rows[i].cells[j]
}

// find returns the row of a machine, -1 for none: one of its keys is the machine's,
// and none says otherwise. Two such rows are an error.
func (t *table) find(f Facts) (int, error) {
	found := -1
	if t == nil {
		return found, nil
	}
	for _, i := range t.candidates(f) {
		switch {
		case !t.agrees(i, f):
		case found >= 0 && found != i:
			return -1, fmt.Errorf("lines %d and %d of %s are both this machine's: leave one of them out", t.rows[min(found, i)].line, t.rows[max(found, i)].line, t.file)
		default:
			found = i
		}
	}
	return found, nil
}

// candidates are the rows that have one of the machine's keys.
func (t *table) candidates(f Facts) (rows []int) {
	for _, column := range keyColumns() {
		for _, value := range f.keys(column) {
			if i, ok := t.lines[column+"="+folded(column, value)]; ok {
				rows = append(rows, i)
			}
		}
	}
	return rows
}

// agrees reports whether no key of row i contradicts what is known of the machine.
func (t *table) agrees(i int, f Facts) bool {
	for _, column := range keyColumns() {
		cell, values := t.cell(i, column), f.keys(column)
		if cell == "" || len(values) == 0 {
			continue
		}
		if !slices.ContainsFunc(values, func(v string) bool { return folded(column, v) == folded(column, cell) }) {
			return false
		}
	}
	return true
}

// keys are a machine's values for a key column; MACs may be several.
func (f Facts) keys(column string) []string {
	value := map[string]string{"serial": f.Serial, "uuid": f.UUID, "asset": f.Asset}[column]
	if column == "mac" {
		return f.MACs
	}
	if clean(value) == "" {
		return nil
	}
	return []string{value}
}
