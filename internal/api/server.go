package api

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

type nothing struct{}

func addServer(b builder) {
	ctl := b.api.Control
	ask(b, operation{id: "getSetup", request: "GET /setup", tag: tagServer, summary: "whether the first administrator is still to be made"},
		func(ctx context.Context, _ fleet.Actor, _ *nothing) (message.Setup, error) {
			needed, err := ctl.SetupNeeded(ctx)
			return message.Setup{Needed: needed}, err
		})
	ask(b, operation{id: "getSelf", request: "GET /self", tag: tagServer, role: fleet.Viewer, summary: "whose the token is, and the server's version"},
		func(_ context.Context, actor fleet.Actor, _ *nothing) (message.Self, error) {
			return message.Self{Actor: actor, Version: b.api.Version}, nil
		})
	ask(b, operation{id: "getStats", request: "GET /stats", tag: tagServer, role: fleet.Viewer, summary: "numbers of machines, jobs and bytes"},
		func(ctx context.Context, _ fleet.Actor, _ *nothing) (control.Stats, error) { return ctl.Stats(ctx) })
	ask(b, operation{id: "getSettings", request: "GET /settings", tag: tagServer, role: fleet.Viewer, summary: "the server's policies"},
		func(ctx context.Context, actor fleet.Actor, _ *nothing) (control.Settings, error) {
			return ctl.Settings(ctx, actor)
		})
	act(b, operation{id: "setSettings", request: "PUT /settings", tag: tagServer, role: fleet.Admin, summary: "replace the server's policies"},
		func(ctx context.Context, actor fleet.Actor, in *struct{ Body control.Settings }) error {
			return ctl.SetSettings(ctx, actor, in.Body)
		})
}
