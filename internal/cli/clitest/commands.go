// Package clitest holds what scripts (testscript) of the programs' command lines use
// beside testscript's own commands:
//
//	exits CODE PROGRAM ARGS...  run a program that must end with CODE
//	json PATH WANT              the last stdout is one JSON document; WANT is a regular
//	                            expression for what is at PATH, such as volumes.0.kind
//
// It is for tests alone.
package clitest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Command is a command of scripts.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// Commands are those of this package and more.
func Commands(more map[string]Command) map[string]Command {
	all := map[string]Command{"exits": exits, "json": jsonAt}
	maps.Copy(all, more)
	return all
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	code, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		got, err = exit.ExitCode(), nil
	}
	ts.Check(err)
	if got != code {
		ts.Fatalf("%s ended with %d, want %d", strings.Join(args[1:], " "), got, code)
	}
}

func jsonAt(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH WANT")
	}
	var doc any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	ts.Check(d.Decode(&doc))
	if d.More() {
		ts.Fatalf("stdout holds more than one JSON document")
	}
	got := fmt.Sprint(follow(doc, strings.Split(args[0], ".")))
	if regexp.MustCompile("^(?:"+args[1]+")$").MatchString(got) == neg {
		ts.Fatalf("%s is %q, want %q (not: %v)", args[0], got, args[1], neg)
	}
}

// follow goes down a document; "len" is the length of a list or an object, and
// what is not there is nil.
func follow(doc any, path []string) any {
	for _, step := range path {
		switch d := doc.(type) {
		case map[string]any:
			doc = d[step]
			if step == "len" {
				doc = len(d)
			}
		case []any:
			doc = nil
			if i, err := strconv.Atoi(step); err == nil && i < len(d) {
				doc = d[i]
			}
			if step == "len" {
				doc = len(d)
			}
		default:
			return nil
		}
	}
	return doc
}
