package profile_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// FuzzParse: a profile is right or wrong, with a place, and quickly. What is right
// means something for every machine, or not, but never breaks.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "serial")
	}
	page, err := os.ReadFile("../../doc/profiles.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, example := range examples(string(page)) {
		f.Add([]byte(example), "ABC123456")
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, fact string) {
		if strings.Contains(string(data), ": /") || strings.Contains(string(data), "\"/") {
			return // absolute names are looked at: not all of this machine's files
		}
		doc, err := profile.Parse("p", data, dir)
		if err != nil {
			told(t, err)
			return
		}
		facts := profile.Facts{Serial: fact, Asset: fact, Model: fact, UUID: fact, MACs: []string{fact}}
		values := map[string]string{}
		for _, name := range doc.Placeholders() {
			values[name] = fact
		}
		for _, system := range []profile.OS{profile.AnyOS, profile.OSLinux, profile.OSWindows} {
			s, err := doc.Settings(facts, system, profile.Overrides{Counter: 1, Values: values})
			if err != nil {
				told(t, err)
			} else if len(s.Hostname) > 63 || system == profile.OSWindows && len(s.Hostname) > 15 || strings.ContainsAny(s.Hostname, " \n./\\\"'$%&<>;") {
				t.Errorf("the host name is %q", s.Hostname)
			} else if _, err := json.Marshal(s); err != nil {
				t.Error(err)
			}
		}
	})
}

// told holds that an error is of the profile, and that its messages are one line each.
func told(t *testing.T, err error) {
	var wrong *profile.Error
	if !errors.As(err, &wrong) || len(wrong.Problems) == 0 {
		t.Fatalf("%T %v", err, err)
	}
	if slices.ContainsFunc(wrong.Problems, func(p profile.Problem) bool { return p.Message == "" || strings.ContainsAny(p.String(), "\n\x1b\x00") }) {
		t.Errorf("%q", wrong.Problems)
	}
}
