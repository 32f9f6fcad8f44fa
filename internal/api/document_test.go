package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-imaging/ingot/internal/api"
	"github.com/ingot-imaging/ingot/internal/web"
)

// golden is the document that programs are written against.
const golden = "../../doc/openapi.json"

// document is the OpenAPI document as the server has it.
var document = sync.OnceValue(func() []byte {
	a, err := api.New(api.Config{Control: failing{}, Cookie: web.SessionCookie})
	if err != nil {
		panic(err)
	}
	return a.Document()
})

// TestDocument keeps what the API promises under review: INGOT_UPDATE=1 writes it.
func TestDocument(t *testing.T) {
	got := document()
	if os.Getenv("INGOT_UPDATE") != "" {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the API differs from %s; INGOT_UPDATE=1 writes it, and shows what its users will notice", golden)
	}
}

// TestDocumentIsOpenAPI lets the schema of OpenAPI 3.1 judge the document, and checks
// what that schema cannot say.
func TestDocumentIsOpenAPI(t *testing.T) {
	text := document()
	schema, err := os.ReadFile("testdata/openapi-3.1-schema.json") // https://spec.openapis.org/oas/3.1/schema/2022-10-07, Apache-2.0
	if err != nil {
		t.Fatal(err)
	}
	judge(t, []judged{{"the document", schema, text}})
	var all struct {
		Components map[string]map[string]any
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"\$ref": "#/components/(\w+)/(\w+)"`).FindAllStringSubmatch(string(text), -1) {
		if all.Components[m[1]][m[2]] == nil {
			t.Errorf("there is no %s %s", m[1], m[2])
		}
	}
	ids := map[string]bool{}
	for _, o := range operations(t) {
		if ids[o.ID] || o.ID == "" || o.Summary == "" || len(o.Tags) != 1 {
			t.Errorf("%s %s: ID %q, summary %q, tags %v", o.method, o.path, o.ID, o.Summary, o.Tags)
		}
		ids[o.ID] = true
		if o.Role == "" && o.ID != "getSetup" || (o.Role == "") != (len(o.Security) == 0) {
			t.Errorf("%s needs no role", o.ID)
		}
		if o.Responses["500"] == nil || o.Role != "" && (o.Responses["401"] == nil || o.Responses["403"] == nil) {
			t.Errorf("%s: errors are not described", o.ID)
		}
		for _, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(o.path, -1) {
			if !slices.ContainsFunc(o.Parameters, func(p parameter) bool { return p.In == "path" && p.Name == name[1] }) {
				t.Errorf("%s does not describe {%s}", o.ID, name[1])
			}
		}
		for status, r := range o.Responses {
			if strings.HasPrefix(status, "2") && r.Ref != "" || status != "204" && status != "202" && r.Ref == "" && len(r.Content) == 0 {
				t.Errorf("%s does not describe its answer %s", o.ID, status)
			}
		}
	}
}

// operation is one of the document's.
type operation struct {
	method, path string
	ID           string `json:"operationId"`
	Summary      string
	Tags         []string
	Role         string `json:"x-role"`
	Security     []map[string][]string
	Parameters   []parameter
	Responses    map[string]*response
	RequestBody  *struct{ Content map[string]any } `json:"requestBody"`
}

type parameter struct{ Name, In string }

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]struct{ Schema json.RawMessage }
}

func operations(t *testing.T) []operation {
	t.Helper()
	var d struct {
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal(document(), &d); err != nil {
		t.Fatal(err)
	}
	var all []operation
	for path, methods := range d.Paths {
		for method, o := range methods {
			o.method, o.path = strings.ToUpper(method), path
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.ID, b.ID) })
	return all
}
