package api

import (
	"context"
	"net/http"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// GroupPath names a group in a path.
type GroupPath struct {
	Group string `path:"group" maxLength:"300"`
}

type groupBody[T any] struct {
	GroupPath
	Body T
}

// RulePath names a rule in a path.
type RulePath struct {
	Rule string `path:"rule" maxLength:"300" doc:"ID"`
}

func addGroups(b builder) {
	ctl := b.api.Control
	ask(b, operation{id: "listGroups", request: "GET /groups", tag: tagGroups, role: fleet.Viewer, summary: "all groups of machines"},
		func(ctx context.Context, actor fleet.Actor, _ *nothing) (message.List[fleet.Group], error) {
			return listed(ctl.Groups(ctx, actor))
		})
	act(b, operation{id: "putGroup", request: "PUT /groups/{group}", tag: tagGroups, role: fleet.Operator, summary: "make a group, or replace the notes of one"},
		func(ctx context.Context, actor fleet.Actor, in *groupBody[message.Notes]) error {
			return ctl.AddGroup(ctx, actor, in.Group, in.Body.Notes)
		})
	act(b, operation{id: "removeGroup", request: "DELETE /groups/{group}", tag: tagGroups, role: fleet.Operator, summary: "remove a group; its machines stay"},
		func(ctx context.Context, actor fleet.Actor, in *GroupPath) error {
			return ctl.RemoveGroup(ctx, actor, in.Group)
		})
	for _, o := range []struct {
		id, path, summary string
		do                func(ctx context.Context, actor fleet.Actor, group string, ids []string) error
	}{
		{"joinGroup", "join", "put machines into a group, which must exist", ctl.Join},
		{"leaveGroup", "leave", "take machines out of a group", ctl.Leave},
	} {
		act(b, operation{id: o.id, request: "POST /groups/{group}/" + o.path, tag: tagGroups, role: fleet.Operator, summary: o.summary},
			func(ctx context.Context, actor fleet.Actor, in *groupBody[message.Machines]) error {
				ids, err := b.ids(ctx, actor, in.Body.Machines)
				if err != nil {
					return err
				}
				return o.do(ctx, actor, in.Group, ids)
			})
	}
	ask(b, operation{id: "listRules", request: "GET /rules", tag: tagGroups, role: fleet.Viewer, summary: "all rules that approve machines"},
		func(ctx context.Context, actor fleet.Actor, _ *nothing) (message.List[fleet.Rule], error) {
			return listed(ctl.Rules(ctx, actor))
		})
	ask(b, operation{
		id: "addRule", request: "POST /rules", tag: tagGroups, role: fleet.Admin, status: http.StatusCreated,
		errors: []int{http.StatusNotFound, http.StatusConflict}, summary: "approve machines that nobody looked at",
	}, func(ctx context.Context, actor fleet.Actor, in *struct{ Body message.NewRule }) (fleet.Rule, error) {
		r := in.Body
		return ctl.AddRule(ctx, actor, fleet.Rule{Name: r.Name, Field: r.Field, Match: r.Match, Group: r.Group})
	})
	act(b, operation{id: "removeRule", request: "DELETE /rules/{rule}", tag: tagGroups, role: fleet.Admin, summary: "remove a rule; whom it approved stays approved"},
		func(ctx context.Context, actor fleet.Actor, in *RulePath) error {
			return ctl.RemoveRule(ctx, actor, in.Rule)
		})
}

// listed is a list without pages.
func listed[T any](items []T, err error) (message.List[T], error) {
	if items == nil {
		items = []T{}
	}
	return message.List[T]{Items: items, Total: len(items)}, err
}
