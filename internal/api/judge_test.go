package api_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// judged is a JSON document that python3-jsonschema compares with a schema.
type judged struct {
	name   string
	schema json.RawMessage
	value  json.RawMessage
}

func (j judged) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"name": j.name, "schema": j.schema, "value": j.value})
}

// judge fails for each document that is not as its schema says.
func judge(t *testing.T, all []judged) {
	t.Helper()
	const script = `
import json, sys
from jsonschema import Draft202012Validator
for d in json.load(sys.stdin):
    Draft202012Validator.check_schema(d["schema"])
    v = Draft202012Validator(d["schema"], format_checker=Draft202012Validator.FORMAT_CHECKER)
    for e in v.iter_errors(d["value"]):
        print(d["name"], "at", "/".join(map(str, e.absolute_path)) + ":", e.message[:500])
`
	input, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "-W", "ignore", "-c", script)
	cmd.Stdin = bytes.NewReader(input)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3 with jsonschema (Debian: python3-jsonschema): %v\n%s", err, complaint.Bytes())
	}
	for line := range strings.Lines(string(out)) {
		t.Error(strings.TrimSpace(line))
	}
}
