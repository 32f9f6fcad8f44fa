package profile

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// lineOf finds the line in an error of package yaml, which has no type for it.
var lineOf = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?`)

// syntaxProblem makes a problem of an error of package yaml. An alias that is not
// known may be a password that was not quoted, so it is not repeated.
func syntaxProblem(err error, data []byte) *Problem {
	text := err.Error()
	m := lineOf.FindStringSubmatch(text)
	p := &Problem{Message: "is not YAML: " + strings.TrimPrefix(text, m[0])}
	p.Line, _ = strconv.Atoi(m[1])
	if line := brokenLine(data); line > 0 {
		p.Line = line
	}
	p.Line = max(p.Line, 1)
	line := lineAt(data, p.Line)
	blanks := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
	p.Column = len(blanks) + 1
	switch tab := bytes.IndexByte(blanks, '\t'); {
	case strings.Contains(text, "unknown anchor"):
		p.Message = "aliases are not allowed: put a value that begins with * in quotes"
	case tab >= 0:
		p.Column, p.Message = tab+1, "a tab stands where YAML wants spaces: indent with spaces"
	}
	return p
}

// maxSearched is how large a file may be to be parsed again and again, in bytes.
const maxSearched = 64 << 10

// brokenLine is the line in which what is no YAML begins, 0 where that is not
// looked for. Package yaml names the line where it gave up, or the one where the
// list around it begins, or none: for a quote that is not closed, the end of the
// file. Better is the line behind the longest beginning of the file that is YAML.
func brokenLine(data []byte) int {
	const ahead = 40 // lines of one value, such as a list in brackets, of which a part is no YAML
	if len(data) > maxSearched {
		return 0
	}
	ends := []int{0}
	for i, b := range data {
		if b == '\n' {
			ends = append(ends, i+1)
		}
	}
	good := func(lines int) bool {
		var n yaml.Node
		return lines == 0 || yaml.Unmarshal(data[:ends[lines]], &n) == nil
	}
	low, rounds := 0, 0
	for {
		high := len(ends) // not good
		for low+1 < high {
			if middle := (low + high) / 2; good(middle) {
				low = middle
			} else {
				high = middle
			}
		}
		next := low + 1
		for next < min(len(ends), low+ahead) && !good(next) {
			next++
		}
		if rounds++; next >= len(ends) || !good(next) || rounds > 4 {
			return low + 1
		}
		low = next
	}
}

// lineAt is a line's text, counted from 1.
func lineAt(data []byte, line int) []byte {
	lines := bytes.SplitN(data, []byte("\n"), line+1)
	if line > len(lines) {
		return nil
	}
	return lines[line-1]
}
