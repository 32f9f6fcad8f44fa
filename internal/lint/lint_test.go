package lint

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// proof is an image that has a finding, and one that has something like it and not
// the finding.
type proof struct {
	with, without fixture
	what          string // part of the sentence
	path          string
}

func ids(r *Report) []ID {
	var all []ID
	for _, f := range r.Findings {
		all = append(all, f.ID)
	}
	return all
}

// TestBare holds that systems about which there is nothing to say are left alone.
func TestBare(t *testing.T) {
	none := map[string]string{}
	for name, f := range map[string]fixture{"linux": {linux: none}, "windows": {windows: none}, "both": {linux: none, windows: none}} {
		r := f.look(t)
		if len(r.Findings) > 0 {
			t.Errorf("%s: %+v", name, r.Findings)
		}
		if want := strings.Count(name+"both", "both"); len(r.Systems) != want {
			t.Errorf("%s: the systems are %+v", name, r.Systems)
		}
	}
}

// TestEveryKind finds each kind of finding where it is, and not where it is not. A
// kind without a proof fails.
func TestEveryKind(t *testing.T) {
	all := proofs(t)
	for _, k := range Kinds() {
		t.Run(string(k.ID), func(t *testing.T) {
			p, ok := all[k.ID]
			if !ok {
				t.Fatal("nothing proves that it is found")
			}
			r := p.with.look(t)
			i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == k.ID })
			if i < 0 {
				t.Fatalf("not found; what was: %v", ids(r))
			}
			f := r.Findings[i]
			if !strings.Contains(f.What, p.what) || !strings.HasPrefix(f.Path, p.path) || f.Severity != k.Severity {
				t.Errorf("it is %+v, want %q in %s", f, p.what, p.path)
			}
			if k.ID != NotLookedAt && slices.Contains(ids(r), NotLookedAt) {
				t.Errorf("something could not be looked at: %+v", r.Findings)
			}
			if r := p.without.look(t); slices.Contains(ids(r), k.ID) || slices.Contains(ids(r), NotLookedAt) {
				t.Errorf("found where it is not: %+v", r.Findings)
			}
		})
	}
	if len(all) != len(Kinds()) {
		t.Errorf("%d kinds are proved, and there are %d", len(all), len(Kinds()))
	}
}

// TestKinds holds that each says all that it should, and that the page has it.
func TestKinds(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "doc", "lint.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[ID]bool{}
	for _, k := range Kinds() {
		if seen[k.ID] {
			t.Errorf("%s is there twice", k.ID)
		}
		seen[k.ID] = true
		for _, text := range []string{k.Why, k.Plain, k.Profiled, k.Do} {
			if !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q is no sentence", k.ID, text)
			}
		}
		if !strings.Contains(string(page), k.row()) {
			t.Errorf("doc/lint.md does not have the row of %s:\n%s", k.ID, k.row())
		}
	}
}

// row is a kind in the table of doc/lint.md.
func (k Kind) row() string {
	profiled := k.Profiled
	if profiled == k.Plain {
		profiled = "The same."
	}
	return "| `" + string(k.ID) + "` | " + string(k.Severity) + " | " + k.Why + " | " + k.Plain + " | " + profiled + " |\n"
}
