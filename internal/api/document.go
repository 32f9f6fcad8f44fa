package api

import (
	"bytes"
	"encoding/json"
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Names of the ways to say who asks.
const (
	tokenScheme   = "token"
	sessionScheme = "session"
)

const about = `Everything that can be done on an ingot server. doc/api.md has examples.

Operations say in x-role which role they need at least: viewer, operator or admin. Errors are
problem details (RFC 9457) with a type that is one of a fixed list. Fields and parameters that are not
described here are refused in requests; answers may get new ones.`

// describe fills in what the document says about the whole API.
func describe(d *huma.OpenAPI, cookie string) {
	d.Info.Description = about
	d.Info.License = &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"}
	d.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		tokenScheme: {Type: "http", Scheme: "bearer", Description: "a token; see doc/api.md for how to get one"},
	}
	if cookie != "" {
		d.Components.SecuritySchemes[sessionScheme] = &huma.SecurityScheme{
			Type: "apiKey", In: "cookie", Name: cookie, Description: "the session of a browser: for GET alone, from the server's own pages",
		}
	}
	for _, t := range tags() {
		d.Tags = append(d.Tags, &t)
	}
	for values, t := range enums() {
		d.Components.Schemas.RegisterTypeAlias(values, t)
	}
}

// Tags are the subjects of operations.
const (
	tagServer   = "server"
	tagMachines = "machines"
	tagGroups   = "groups"
	tagImages   = "images"
	tagProfiles = "profiles"
	tagWork     = "work"
	tagPeople   = "people"
	tagHistory  = "history"
)

func tags() []huma.Tag {
	return []huma.Tag{
		{Name: tagServer, Description: "the server itself"},
		{Name: tagMachines, Description: "the computers that it knows"},
		{Name: tagGroups, Description: "groups of machines, and rules that approve machines"},
		{Name: tagImages, Description: "what can be deployed"},
		{Name: tagProfiles, Description: "what makes an image a machine's own"},
		{Name: tagWork, Description: "batches: work for one machine or many; each has a job for each machine"},
		{Name: tagPeople, Description: "users, their sessions, and tokens of programs"},
		{Name: tagHistory, Description: "what was done, and what machines asked for on their way to the agent"},
	}
}

// enums are the types that have a fixed list of values, and the type that describes
// each.
func enums() map[reflect.Type]reflect.Type {
	return map[reflect.Type]reflect.Type{
		reflect.TypeFor[fleet.Role]():          reflect.TypeFor[roles](),
		reflect.TypeFor[fleet.JobState]():      reflect.TypeFor[jobStates](),
		reflect.TypeFor[wire.State]():          reflect.TypeFor[machineStates](),
		reflect.TypeFor[wire.Kind]():           reflect.TypeFor[kinds](),
		reflect.TypeFor[wire.Then]():           reflect.TypeFor[thens](),
		reflect.TypeFor[wire.WipeMethod]():     reflect.TypeFor[wipes](),
		reflect.TypeFor[control.StickPolicy](): reflect.TypeFor[sticks](),
	}
}

type (
	roles         string
	jobStates     string
	machineStates string
	kinds         string
	thens         string
	wipes         string
	sticks        string
)

func (roles) Schema(huma.Registry) *huma.Schema {
	return oneOf(fleet.Viewer, fleet.Operator, fleet.Admin)
}

func (jobStates) Schema(huma.Registry) *huma.Schema {
	return oneOf(fleet.Scheduled, fleet.Queued, fleet.Running, fleet.Stopping, fleet.Done, fleet.Failed, fleet.Cancelled)
}

func (machineStates) Schema(huma.Registry) *huma.Schema {
	return oneOf(wire.Pending, wire.Approved, wire.Rejected)
}

func (kinds) Schema(huma.Registry) *huma.Schema {
	return oneOf(wire.Capture, wire.Deploy, wire.Verify, wire.Wipe, wire.Look, fleet.RebootKind, fleet.ShutdownKind, fleet.LocalBootKind)
}

func (thens) Schema(huma.Registry) *huma.Schema {
	return oneOf("", wire.Stay, wire.Reboot, wire.Shutdown, wire.LocalBoot)
}

func (wipes) Schema(huma.Registry) *huma.Schema {
	return oneOf("", wire.WipeDiscard, wire.WipeOverwrite)
}

func (sticks) Schema(huma.Registry) *huma.Schema {
	return oneOf(control.SticksRefused, control.SticksPending, control.SticksApproved)
}

func oneOf[T ~string](values ...T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

// schemaName is what a type is called in the document. Several packages have a
// Problem: the one without their names is the answer.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if name == "Problem" && t != reflect.TypeFor[message.Problem]() {
		pkg := path.Base(t.PkgPath())
		return strings.ToUpper(pkg[:1]) + pkg[1:] + name
	}
	return name
}

// document is the document of all operations, without huma's own error, which no
// operation answers with.
func document(h huma.API) ([]byte, error) {
	schemas := h.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	compact, err := json.Marshal(h.OpenAPI())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
