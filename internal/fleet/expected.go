package fleet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ingot-imaging/ingot/internal/machine"
)

// Expected is a machine that a list names before it was ever seen.
type Expected struct {
	Line     int      // of the list, from 1
	Identity Identity // what Match will know it by
	Name     string   // "" when the list has none
	Group    string
	Hostname string
	Values   Values
}

// Problem is what is wrong with a line of a list.
type Problem struct {
	Line    int    `json:"line"` // from 1; 0: the whole list
	Message string `json:"message"`
}

// Bounds of a list.
const (
	MaxExpected = 8 << 20 // bytes
	maxMachines = 10_000
	maxColumns  = 100
	maxValue    = 1000 // characters of a cell
	maxProblems = 100
)

// keyColumns are those that a machine is known by.
func keyColumns() []string { return []string{"serial", "uuid", "mac", "asset"} }

// otherNames are how spreadsheets and inventory programs call the columns.
func otherNames() map[string]string {
	return map[string]string{
		"serial number": "serial", "serialnumber": "serial", "service tag": "serial", "manufacturer": "maker", "vendor": "maker",
		"mac address": "mac", "macaddress": "mac", "asset tag": "asset", "host name": "hostname",
	}
}

// reserved are placeholders of profiles that a value would hide.
func reserved() []string {
	return []string{"model", "sku", "board", "n", "lower", "upper"}
}

// ReadExpected reads a list of machines as spreadsheets write it: CSV in UTF-8 with
// a header, its columns separated by commas, semicolons or tabs. The columns
// serial, maker, uuid, mac, asset, name, group and hostname have a meaning, each
// other one is a value for profiles. Lines that are wrong are left out and said to
// be so; a list whose header is wrong gives problems alone.
func ReadExpected(data []byte) ([]Expected, []Problem) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case len(data) > MaxExpected:
		return nil, []Problem{{0, fmt.Sprintf("the list has more than %d MiB", MaxExpected>>20)}}
	case !utf8.Valid(data):
		return nil, []Problem{{lineOfInvalid(data), "is not UTF-8: save the list as 'CSV UTF-8'"}}
	}
	l := list{seen: map[string]int{}}
	l.csv = csv.NewReader(bytes.NewReader(data))
	l.csv.Comma, l.csv.FieldsPerRecord, l.csv.ReuseRecord = separator(data), -1, true
	header, err := l.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, []Problem{{0, "the list is empty: want a header such as serial,name,group and a line for each machine"}}
	}
	if err != nil || !l.readHeader(header) {
		return nil, append(l.problems, syntax(err)...)
	}
	for len(l.problems) < maxProblems {
		cells, err := l.csv.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return l.machines, append(l.problems, syntax(err)...)
		}
		if len(l.machines) == maxMachines {
			l.report("and what follows is left out: a list has at most %d machines", maxMachines)
			break
		}
		l.readLine(cells)
	}
	if len(l.problems) >= maxProblems {
		l.report("and what follows is left out: there are too many problems")
	}
	return l.machines, l.problems
}

// A list is one that is being read.
type list struct {
	csv      *csv.Reader
	columns  []string
	seen     map[string]int // line by key
	machines []Expected
	problems []Problem
}

func (l *list) line() int {
	line, _ := l.csv.FieldPos(0)
	return line
}

func (l *list) report(format string, args ...any) {
	l.problems = append(l.problems, Problem{l.line(), fmt.Sprintf(format, args...)})
}

func (l *list) readHeader(cells []string) bool {
	if len(cells) > maxColumns {
		l.report("has more than %d columns", maxColumns)
		return false
	}
	for _, cell := range cells {
		name := strings.ToLower(Text(cell, maxText))
		if known, ok := otherNames()[name]; ok {
			name = known
		}
		switch {
		case !isColumn(name):
			l.report("the column %s cannot be a placeholder: want a letter, then letters, digits, hyphens and underscores", quote(cell))
		case slices.Contains(reserved(), name):
			l.report("the column %s would hide the placeholder {%s}: choose another name", quote(cell), name)
		case slices.Contains(l.columns, name):
			l.report("the column %s is there twice", quote(name))
		}
		l.columns = append(l.columns, name)
	}
	if !slices.ContainsFunc(keyColumns(), func(k string) bool { return slices.Contains(l.columns, k) }) {
		l.report("no column tells machines apart: want one of %s", strings.Join(keyColumns(), ", "))
	}
	return len(l.problems) == 0
}

func isColumn(name string) bool {
	return name != "" && len(name) <= maxLabel && name[0] >= 'a' && name[0] <= 'z' &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// readLine keeps the machine of a line, if nothing is wrong with it.
func (l *list) readLine(cells []string) {
	if !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
		return // spreadsheets leave empty lines at the end
	}
	if len(cells) != len(l.columns) {
		l.report("has %d columns, the header has %d", len(cells), len(l.columns))
		return
	}
	row := map[string]string{}
	for i, column := range l.columns {
		row[column] = Text(cells[i], maxValue+1)
		if utf8.RuneCountInString(row[column]) > maxValue {
			l.report("the column %s has more than %d characters", column, maxValue)
			return
		}
	}
	e, problem := expected(row)
	if problem != "" {
		l.report("%s", problem)
		return
	}
	e.Line = l.line()
	keys := e.Identity.Keys()
	if e.Name != "" {
		keys = append(keys, "name:"+strings.ToLower(e.Name))
	}
	for _, key := range keys {
		if before, twice := l.seen[key]; twice {
			kind, value, _ := strings.Cut(key, ":")
			l.report("the %s %s is in line %d already", kind, quote(value), before)
			return
		}
	}
	for _, key := range keys {
		l.seen[key] = e.Line
	}
	l.machines = append(l.machines, e)
}

// expected is the machine of a line, or what is wrong with it.
func expected(row map[string]string) (e Expected, problem string) {
	take := func(column string) string {
		value := row[column]
		delete(row, column)
		return value
	}
	if e.Identity, problem = expectedIdentity(take); problem != "" {
		return e, problem
	}
	e.Name, e.Group, e.Hostname = take("name"), take("group"), take("hostname")
	maps.DeleteFunc(row, func(_, value string) bool { return value == "" })
	if len(row) > 0 {
		e.Values = Values(row)
	}
	for _, check := range []struct {
		column, value string
		problem       func(string) string
	}{{"name", e.Name, NameProblem}, {"group", e.Group, NameProblem}, {"hostname", e.Hostname, HostnameProblem}} {
		if check.value == "" {
			continue
		}
		if problem := check.problem(check.value); problem != "" {
			return e, fmt.Sprintf("the %s %s cannot be: %s", check.column, quote(check.value), problem)
		}
	}
	return e, ""
}

// expectedIdentity reads what a machine will be known by. What could be any
// machine's is refused, since it would approve the wrong one.
func expectedIdentity(take func(column string) string) (id Identity, problem string) {
	maker, serial, uuid, mac, asset := take("maker"), take("serial"), take("uuid"), take("mac"), take("asset")
	if serial+uuid+mac+asset == "" {
		return id, "names no machine: fill one of " + strings.Join(keyColumns(), ", ")
	}
	id = Identity{
		Serial: WithMaker(maker, serialNumber(serial)),
		UUID:   machine.KnownUUID(strings.Trim(uuid, "{}")),
		Asset:  machine.Known(asset),
	}
	if m := MAC(mac); ownMAC(m, []string{m}) {
		id.MACs = []string{m}
	}
	switch {
	case serial != "" && id.Serial == "":
		return id, fmt.Sprintf("the serial number %s is too short, or what many machines have", quote(serial))
	case uuid != "" && id.UUID == "":
		return id, fmt.Sprintf("%s is no UUID, or one that many machines have", quote(uuid))
	case mac != "" && id.MACs == nil:
		return id, fmt.Sprintf("%s is no MAC address, or one that many machines have: want 52:54:00:12:34:56", quote(mac))
	case asset != "" && id.Asset == "":
		return id, fmt.Sprintf("the asset tag %s is what many machines have", quote(asset))
	}
	return id, ""
}

// syntax is the problem of a list that is no CSV.
func syntax(err error) []Problem {
	var parse *csv.ParseError
	if err == nil {
		return nil
	}
	if !errors.As(err, &parse) {
		return []Problem{{0, err.Error()}}
	}
	return []Problem{{parse.Line, "is not CSV, and ends the list: put a cell that has quotes in it in quotes, and write each quote inside twice"}}
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

// lineOfInvalid is the line of the first byte that is not UTF-8.
func lineOfInvalid(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == utf8.RuneError && n == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		data = data[n:]
	}
	return line
}

// quote is a value in an error.
func quote(s string) string { return fmt.Sprintf("%q", Text(s, 60)) }
