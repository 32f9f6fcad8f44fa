package profile_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ingot-imaging/ingot/internal/profile"
)

const (
	schemaFile = "../../doc/profile.schema.json"
	pageFile   = "../../doc/profiles.md"
)

func TestSchema(t *testing.T) {
	schema, err := profile.Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, schemaFile, string(schema))
}

var fence = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// examples are the profiles in doc/profiles.md.
func examples(page string) (all []string) {
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return all
}

func readPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// TestPage: every example is right and means something, and every key is in one.
func TestPage(t *testing.T) {
	dir, err := filepath.Abs("testdata/doc")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	for i, example := range examples(readPage(t)) {
		doc, err := profile.Parse(fmt.Sprintf("example %d", i+1), []byte(example), dir)
		if err != nil {
			t.Errorf("%v\n%s", err, example)
			continue
		}
		system := profile.OSLinux
		if strings.Contains(example, "windows:") {
			system = profile.OSWindows
		}
		if _, err := doc.Settings(profile.Facts{Serial: "ABC123456"}, system, profile.Overrides{}); err != nil {
			t.Errorf("%v\n%s", err, example)
		}
		var root yaml.Node
		if err := yaml.Unmarshal([]byte(example), &root); err != nil {
			t.Fatal(err)
		}
		keysOf(root.Content[0], "", given)
	}
	for _, key := range profile.Keys() {
		if !given[key] && !strings.HasPrefix(key, "password.") {
			t.Errorf("doc/profiles.md has no example of %s", key)
		}
	}
}

// keysOf collects the paths of the keys of n, with [] for entries of lists.
func keysOf(n *yaml.Node, path string, keys map[string]bool) {
	keys[path] = true
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			keysOf(n.Content[i+1], strings.TrimPrefix(path+"."+n.Content[i].Value, "."), keys)
		}
	case yaml.SequenceNode:
		for _, entry := range n.Content {
			keysOf(entry, path+"[]", keys)
		}
	}
}

// TestKeyTable: the page ends with the table of keys, as it is in the code.
func TestKeyTable(t *testing.T) {
	page := readPage(t)
	const head = "| key | pattern | meaning |\n|---|---|---|\n"
	before, _, ok := strings.Cut(page, head)
	if !ok {
		t.Fatalf("%s has no table of keys", pageFile)
	}
	golden(t, pageFile, before+head+profile.KeyTable())
}

// TestJudge holds the schema against another implementation: it takes every example,
// and refuses every bad profile whose mistakes a schema can see.
func TestJudge(t *testing.T) {
	type document struct {
		Name  string `json:"name"`
		Value any    `json:"value"`
	}
	var documents []document
	add := func(name string, data []byte) {
		var v any
		if yaml.Unmarshal(data, &v) == nil {
			documents = append(documents, document{name, v})
		}
	}
	for i, example := range examples(readPage(t)) {
		add(fmt.Sprintf("good %d", i+1), []byte(example))
	}
	bad, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range bad {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		add("bad "+strings.TrimSuffix(filepath.Base(file), ".yaml"), data)
	}
	input, err := json.Marshal(documents)
	if err != nil {
		t.Fatal(err)
	}
	var taken []string
	valid := judge(t, input)
	for _, name := range valid {
		if !strings.HasPrefix(name, "good ") {
			taken = append(taken, strings.TrimPrefix(name, "bad "))
		}
	}
	for _, d := range documents {
		if strings.HasPrefix(d.Name, "good ") && !slices.Contains(valid, d.Name) {
			t.Errorf("the schema refuses %s", d.Name)
		}
	}
	golden(t, "testdata/schema-takes.golden", strings.Join(taken, "\n")+"\n")
}

// judge returns the names of the documents that python3-jsonschema finds valid.
func judge(t *testing.T, documents []byte) []string {
	t.Helper()
	const script = `
import json, sys
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
v = Draft202012Validator(schema)
print(json.dumps([d["name"] for d in json.load(sys.stdin) if v.is_valid(d["value"])]))
`
	cmd := exec.Command("python3", "-c", script, schemaFile)
	cmd.Stdin = strings.NewReader(string(documents))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3 with jsonschema (Debian: python3-jsonschema): %v", err)
	}
	var names []string
	if err := json.Unmarshal(out, &names); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestHashes: what crypt(3) makes is taken. Perl is the one program that every
// Debian has and that calls it.
func TestHashes(t *testing.T) {
	const script = `for my $s (@ARGV) { print crypt("correct horse", $s), "\n" }`
	salts := []string{"$6$saltsalt$", "$6$rounds=10000$s.a/t$", "$5$saltsalt$", "$2b$05$abcdefghijklmnopqrstuu", "$y$j9T$abcdefgh1234$"}
	out, err := exec.Command("perl", append([]string{"-e", script, "--"}, salts...)...).Output()
	hashes := strings.Fields(string(out))
	if err != nil || len(hashes) != len(salts) {
		t.Fatalf("perl: %v: %s", err, out)
	}
	for _, hash := range hashes {
		for data, good := range map[string]bool{hash: true, hash[:len(hash)-1]: false, hash + "x": false, hash + ":": false, " " + hash: false} {
			_, err := profile.Parse("p", []byte(fmt.Sprintf("linux: {root: {hash: %q}}", data)), "")
			if (err == nil) != good {
				t.Errorf("%s: %v", data, err)
			}
		}
	}
}
