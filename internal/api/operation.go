package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// operation is one thing that the API can do.
type operation struct {
	id      string // "listMachines"
	request string // "GET /machines"
	tag     string
	summary string
	about   string     // more than the summary, when it is needed
	role    fleet.Role // that control asks for; "" for everybody, without a token
	status  int        // of success; 0: 200 with an answer, 204 without
	errors  []int      // besides those that follow from the request, see problemsOf
	limit   int64      // of the body, bytes; 0: 1 MiB
	body    string     // media type of a body that is streamed; "" for none
}

// builder adds operations.
type builder struct {
	api  *API
	huma huma.API
}

// answer is the body of a success.
type answer[T any] struct{ Body T }

// ask adds an operation with an answer.
func ask[I, O any](b builder, o operation, f func(ctx context.Context, actor fleet.Actor, in *I) (O, error)) {
	op := b.operation(o, reflect.TypeFor[I]())
	huma.Register(b.huma, op, func(ctx context.Context, in *I) (*answer[O], error) {
		out, err := f(ctx, actorOf(ctx), in)
		if err != nil {
			return nil, b.api.refuse(ctx, o.id, err)
		}
		return &answer[O]{out}, nil
	})
}

// act adds an operation without an answer.
func act[I any](b builder, o operation, f func(ctx context.Context, actor fleet.Actor, in *I) error) {
	op := b.operation(o, reflect.TypeFor[I]())
	huma.Register(b.huma, op, func(ctx context.Context, in *I) (*struct{}, error) {
		if err := f(ctx, actorOf(ctx), in); err != nil {
			return nil, b.api.refuse(ctx, o.id, err)
		}
		return nil, nil
	})
}

// operation is o as huma has it.
func (b builder) operation(o operation, input reflect.Type) huma.Operation {
	method, path, _ := strings.Cut(o.request, " ")
	op := huma.Operation{
		OperationID: o.id, Method: method, Path: path, Tags: []string{o.tag}, Summary: o.summary, Description: o.about,
		DefaultStatus: o.status, MaxBodyBytes: o.limit, Responses: map[string]*huma.Response{}, Extensions: map[string]any{},
	}
	if o.role != "" {
		op.Security = b.security()
		op.Extensions["x-role"] = string(o.role)
	}
	if o.body != "" {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{o.body: {}}}
	}
	for _, status := range problemsOf(o, path, input) {
		op.Responses[strconv.Itoa(status)] = b.problemResponse(status)
	}
	return op
}

func (b builder) security() []map[string][]string {
	s := []map[string][]string{{tokenScheme: {}}}
	if b.api.Cookie != "" {
		s = append(s, map[string][]string{sessionScheme: {}})
	}
	return s
}

// problemsOf are the errors that an operation can answer with.
func problemsOf(o operation, path string, input reflect.Type) []int {
	all := append([]int{http.StatusInternalServerError}, o.errors...)
	if o.role != "" {
		all = append(all, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests)
	}
	if strings.Contains(path, "{") {
		all = append(all, http.StatusNotFound)
	}
	if input.NumField() > 0 {
		all = append(all, http.StatusUnprocessableEntity)
	}
	_, json := input.FieldByName("Body")
	_, raw := input.FieldByName("RawBody")
	if json {
		all = append(all, http.StatusBadRequest, http.StatusUnsupportedMediaType)
	}
	if json || raw || o.body != "" {
		all = append(all, http.StatusRequestEntityTooLarge)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// problemResponse is the answer with a problem of a status, which is described once.
func (b builder) problemResponse(status int) *huma.Response {
	components := b.huma.OpenAPI().Components
	name := strings.ReplaceAll(http.StatusText(status), " ", "")
	if components.Responses == nil {
		components.Responses = map[string]*huma.Response{}
	}
	if components.Responses[name] == nil {
		components.Responses[name] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{message.ProblemContent: {Schema: b.schema(reflect.TypeFor[message.Problem]())}},
		}
	}
	if status == http.StatusTooManyRequests {
		components.Responses[name].Headers = map[string]*huma.Param{"Retry-After": {Description: "seconds", Schema: &huma.Schema{Type: huma.TypeInteger}}}
	}
	return &huma.Response{Ref: "#/components/responses/" + name}
}

// schema is the description of a type.
func (b builder) schema(t reflect.Type) *huma.Schema {
	return b.huma.OpenAPI().Components.Schemas.Schema(t, true, "")
}
