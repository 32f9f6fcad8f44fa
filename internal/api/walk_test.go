package api_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/api/apitest"
	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// server is a server with two approved machines, lab-01 and lab-02, and one that
// waits.
type server struct {
	*apitest.Server
	t      *testing.T
	log    *bytes.Buffer
	agents []*apitest.Agent
	tokens map[fleet.Role]string
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, log: &bytes.Buffer{}, tokens: map[fleet.Role]string{}}
	var err error
	s.Server, err = apitest.Start(t.TempDir(), s.log)
	s.must(err)
	t.Cleanup(func() { s.must(s.Close()) })
	for _, role := range []fleet.Role{fleet.Viewer, fleet.Operator, fleet.Admin} {
		s.tokens[role], err = s.Token(role)
		s.must(err)
	}
	for n := range 3 {
		a, err := s.NewAgent(t.Context(), n+1)
		s.must(err)
		s.agents = append(s.agents, a)
		if n < 2 {
			s.must(s.Approve(t.Context(), apitest.Admin(), []string{a.Machine}, map[string]string{a.Machine: fmt.Sprintf("lab-%02d", n+1)}))
		}
	}
	return s
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// ask asks with a role's token; "" is nobody's.
func (s *server) ask(role fleet.Role, method, path, kind, body string) *http.Response {
	s.t.Helper()
	r := httptest.NewRequest(method, message.Base+path, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if role != "" {
		r.Header.Set("Authorization", "Bearer "+s.tokens[role])
	}
	w := httptest.NewRecorder()
	s.API.ServeHTTP(w, r)
	return w.Result()
}

// exchange is a request that must succeed, and the operation that it is one of.
type exchange struct {
	id, path, body string
}

const goodProfile = "name: pc-{n}\n"

func folder(t *testing.T) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "profile.yaml", Mode: 0o644, Size: int64(len(goodProfile)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, goodProfile)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// exchanges use each operation at least once. What is in braces was in an earlier
// answer.
func exchanges(t *testing.T) []exchange {
	return []exchange{
		{"getSetup", "/setup", ""},
		{"getSelf", "/self", ""},
		{"getStats", "/stats", ""},
		{"getSettings", "/settings", ""},
		{"setSettings", "/settings", `{"sticks": "pending", "pending": 100}`},
		{"putGroup", "/groups/lab", `{"notes": "room 12"}`},
		{"joinGroup", "/groups/lab/join", `{"machines": ["lab-01", "lab-02"]}`},
		{"listGroups", "/groups", ""},
		{"listMachines", "/machines?state=approved&group=lab&online=true&sort=-seen&limit=10", ""},
		{"listMachines", "/machines?search=optiplex", ""},
		{"getMachine", "/machines/lab-01", ""},
		{"setMachineHostname", "/machines/lab-01/hostname", `{"hostname": "pc-01"}`},
		{"setMachineValues", "/machines/lab-01/values", `{"values": {"room": "12"}}`},
		{"setMachineNotes", "/machines/lab-01/notes", `{"notes": "fan is loud"}`},
		{"getMachine", "/machines/lab-01", ""},
		{"renameMachine", "/machines/lab-02/name", `{"name": "lab-03"}`},
		{"renameMachine", "/machines/lab-03/name", `{"name": "lab-02"}`},
		{"wakeMachines", "/machines/wake", `{"machines": ["lab-01"]}`},
		{"importMachines", "/machines/import", "serial,name\n5XK2R777,lab-77\nnonsense\n"},
		{"rejectMachines", "/machines/reject", `{"machines": ["optiplex-7090-5xk2r003"]}`},
		{"approveMachines", "/machines/approve", `{"machines": ["optiplex-7090-5xk2r003"], "names": {"optiplex-7090-5xk2r003": "lab-04"}}`},
		{"addRule", "/rules", `{"name": "lab", "field": "serial", "match": "5XK*", "group": "lab"}`},
		{"listRules", "/rules", ""},
		{"removeRule", "/rules/{addRule.id}", ""},
		{"listImages", "/images", ""},
		{"getImage", "/images/lab-pc:v3", ""},
		{"setImageNotes", "/images/lab-pc/notes", `{"notes": "for room 12"}`},
		{"lintImage", "/images/lab-pc/lint", ""},
		{"tagImage", "/images/lab-pc/names", `{"name": "spare"}`},
		{"removeImage", "/images/{tagImage.name}", ""},
		{"getImage", "/images/lab-pc", ""},
		{"putProfile", "/profiles/lab", goodProfile},
		{"putProfileFolder", "/profiles/other/folder", folder(t)},
		{"listProfiles", "/profiles", ""},
		{"getProfile", "/profiles/lab", ""},
		{"checkProfile", "/profiles/check?name=lab", "nam: x\n"},
		{"removeProfile", "/profiles/other", ""},
		{"previewBatch", "/batches/preview", `{"kind": "deploy", "image": "lab-pc", "group": "lab"}`},
		{"submitBatch", "/batches", `{"kind": "deploy", "image": "lab-pc", "machines": ["lab-01", "lab-02"], "then": "stay", "rate": 1000000}`},
		{"listBatches", "/batches?open=true", ""},
		{"getBatch", "/batches/{submitBatch.id}", ""},
		{"listJobs", "/jobs?batch={submitBatch.id}&state=queued,running", ""},
		{"getJob", "/jobs/{listJobs.items.0.id}", ""},
		{"getJobLog", "/jobs/{listJobs.items.0.id}/log?after=0", ""},
		{"cancelJob", "/jobs/{listJobs.items.1.id}/cancel", ""},
		{"retryJob", "/jobs/{listJobs.items.1.id}/retry", ""},
		{"cancelBatch", "/batches/{retryJob.id}/cancel", ""},
		{"retryBatch", "/batches/{retryJob.id}/retry", ""},
		{"leaveGroup", "/groups/lab/leave", `{"machines": ["lab-02"]}`},
		{"removeGroup", "/groups/lab", ""},
		{"forgetMachines", "/machines/forget", `{"machines": ["lab-04"]}`},
		{"addUser", "/users", `{"name": "otto", "role": "operator", "password": "correct horse battery"}`},
		{"setUserRole", "/users/otto/role", `{"role": "viewer"}`},
		{"setUserPassword", "/users/otto/password", `{"password": "another horse battery"}`},
		{"setUserDisabled", "/users/otto/disabled", `{"disabled": true}`},
		{"setUserDisabled", "/users/otto/disabled", `{"disabled": false}`},
		{"listUsers", "/users", ""},
		{"listSessions", "/sessions", ""},
		{"removeSession", "/sessions/{listSessions.items.0.id}", ""},
		{"removeUser", "/users/otto", ""},
		{"addToken", "/tokens", `{"name": "nightly", "role": "viewer", "ttlSeconds": 3600}`},
		{"listTokens", "/tokens", ""},
		{"removeToken", "/tokens/{addToken.token.id}", ""},
		{"listAudit", "/audit?limit=5&match=lab", ""},
		{"listBoots", "/boots", ""},
	}
}

// TestAnswers uses every operation, and lets python3-jsonschema compare each answer
// with the document.
func TestAnswers(t *testing.T) {
	s := newServer(t)
	s.work()
	s.must(s.SawBoot(t.Context(), fleet.BootRecord{MAC: "d8:9e:f3:00:00:01", Arch: "BIOS", Protocol: "dhcp", Asked: "discover", Offered: "nothing", Why: "a test"}))
	all := map[string]operation{}
	for _, o := range operations(t) {
		all[o.ID] = o
	}
	said, seen, answers := map[string]any{}, map[string]bool{"watchEvents": true}, []judged{}
	for _, x := range exchanges(t) {
		if x.id == "listSessions" {
			_, err := s.AddUser(t.Context(), apitest.Admin(), "olga", fleet.Viewer, "correct horse battery")
			s.must(err)
			_, err = s.login("olga", "correct horse battery")
			s.must(err)
		}
		o := all[x.id]
		seen[x.id] = true
		kind := ""
		for k := range o.bodies() {
			kind = k
		}
		path := fill(t, x.path, said)
		r := s.ask(fleet.Admin, o.method, path, kind, x.body)
		body, err := io.ReadAll(r.Body)
		s.must(err)
		if r.StatusCode/100 != 2 {
			t.Errorf("%s %s: %s %s", x.id, path, r.Status, body)
			continue
		}
		if o.Responses[fmt.Sprint(r.StatusCode)] == nil {
			t.Errorf("%s answers %d, which the document does not know", x.id, r.StatusCode)
			continue
		}
		if content := o.Responses[fmt.Sprint(r.StatusCode)].Content; len(content) > 0 {
			answers = append(answers, judged{x.id, strict(t, content["application/json"].Schema), body})
			var value any
			s.must(json.Unmarshal(body, &value))
			said[x.id] = value
		} else if len(body) > 0 {
			t.Errorf("%s answers %q, which the document does not know", x.id, body)
		}
	}
	for id := range all {
		if !seen[id] {
			t.Errorf("%s was never used", id)
		}
	}
	judge(t, answers)
}

func (o operation) bodies() map[string]any {
	if o.RequestBody == nil {
		return nil
	}
	return o.RequestBody.Content
}

// work gives one machine a job that failed, and leaves another one running.
func (s *server) work() {
	s.t.Helper()
	ctx := s.t.Context()
	for i, end := range []bool{true, false} {
		_, err := s.Submit(ctx, apitest.Admin(), fleet.BatchSpec{Kind: wire.Deploy, Image: "lab-pc", Machines: []string{s.agents[i].Machine}})
		s.must(err)
		order, err := s.agents[i].Next(ctx)
		s.must(err)
		s.must(s.agents[i].Report(ctx, order.Job, 1, "deploy"))
		if end {
			s.must(s.agents[i].Finish(ctx, order.Job, wire.Result{
				Outcome: wire.Failed, Exit: 4, Error: "chunk 12 is damaged", Hint: "check the store", Target: wire.Unfinished, Image: "lab-pc",
				Time: wire.Time{Total: 12, Network: 3, Disk: 4, CPU: 5}, Detail: json.RawMessage(`{"a": 1}`),
			}))
		}
	}
}

// fill puts what was said into a path: {operation.field.0.field}.
func fill(t *testing.T, path string, said map[string]any) string {
	t.Helper()
	for {
		before, rest, ok := strings.Cut(path, "{")
		if !ok {
			return path
		}
		name, after, _ := strings.Cut(rest, "}")
		steps := strings.Split(name, ".")
		value := said[steps[0]]
		for _, step := range steps[1:] {
			switch v := value.(type) {
			case map[string]any:
				value = v[step]
			case []any:
				value = nil
				if i := int(step[0] - '0'); i < len(v) {
					value = v[i]
				}
			}
		}
		text, ok := value.(string)
		if !ok {
			t.Fatalf("%s was not said: %v", name, said[steps[0]])
		}
		path = before + text + after
	}
}

// strict is a schema of the document, with all that it refers to, in which objects
// have no fields beyond those that are described.
func strict(t *testing.T, schema json.RawMessage) json.RawMessage {
	t.Helper()
	var d, s map[string]any
	if err := json.Unmarshal(document(), &d); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		t.Fatal(err)
	}
	s["components"] = map[string]any{"schemas": d["components"].(map[string]any)["schemas"]}
	tighten(s)
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func tighten(v any) {
	switch v := v.(type) {
	case map[string]any:
		if v["type"] == "object" && v["properties"] != nil && v["additionalProperties"] == nil {
			v["additionalProperties"] = false
		}
		for _, below := range v {
			tighten(below)
		}
	case []any:
		for _, below := range v {
			tighten(below)
		}
	}
}

// TestRoles asks for each operation with too little.
func TestRoles(t *testing.T) {
	s := newServer(t)
	said := map[string]any{"addRule": map[string]any{"id": "r"}, "tagImage": map[string]any{"name": "lab-pc:v3"}, "submitBatch": map[string]any{"id": "b-1"}, "retryJob": map[string]any{"id": "b-1"},
		"listJobs": map[string]any{"items": []any{map[string]any{"id": "j-1"}, map[string]any{"id": "j-1"}}}, "listSessions": map[string]any{"items": []any{map[string]any{"id": "s-1"}}},
		"addToken": map[string]any{"token": map[string]any{"id": "t"}}}
	ranks := []fleet.Role{"", fleet.Viewer, fleet.Operator, fleet.Admin}
	for _, o := range operations(t) {
		i := slices.IndexFunc(exchanges(t), func(x exchange) bool { return x.id == o.ID })
		if i < 0 || o.Role == "" {
			continue
		}
		x := exchanges(t)[i]
		kind := ""
		for k := range o.bodies() {
			kind = k
		}
		path := fill(t, x.path, said)
		if r := s.ask("", o.method, path, kind, x.body); r.StatusCode != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s without a token: %s", o.ID, r.Status)
		}
		need := slices.Index(ranks, fleet.Role(o.Role))
		if need == 1 {
			continue
		}
		body := strings.NewReplacer("optiplex-7090-5xk2r003", "lab-01", "lab-04", "lab-01").Replace(x.body)
		if r := s.ask(ranks[need-1], o.method, path, kind, body); r.StatusCode != http.StatusForbidden {
			text, _ := io.ReadAll(r.Body)
			t.Errorf("%s with the role %s: %s %s", o.ID, ranks[need-1], r.Status, text)
		}
	}
}

// login starts a session, and returns the secret of its cookie.
func (s *server) login(name, password string) (string, error) {
	l, err := s.Login(context.Background(), name, password, controlClient())
	return l.Secret, err
}
