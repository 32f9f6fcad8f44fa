package api

import (
	"context"
	"net/http"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// ProfilePath names a profile in a path.
type ProfilePath struct {
	Profile string `path:"profile" maxLength:"300"`
}

type profileText struct {
	ProfilePath
	RawBody []byte `contentType:"application/yaml"`
}

type profileFolder struct {
	Upload
	ProfilePath
}

type profileCheck struct {
	Name    string `query:"name" maxLength:"300" doc:"a profile whose other files the text may name; left out: none"`
	RawBody []byte `contentType:"application/yaml"`
}

func addProfiles(b builder) {
	ctl := b.api.Control
	ask(b, operation{id: "listProfiles", request: "GET /profiles", tag: tagProfiles, role: fleet.Viewer, summary: "all profiles"},
		func(ctx context.Context, actor fleet.Actor, _ *nothing) (message.List[control.Profile], error) {
			return listed(ctl.Profiles(ctx, actor))
		})
	ask(b, operation{id: "getProfile", request: "GET /profiles/{profile}", tag: tagProfiles, role: fleet.Viewer, summary: "a profile with its text and the names of its files"},
		func(ctx context.Context, actor fleet.Actor, in *ProfilePath) (control.Profile, error) {
			return ctl.Profile(ctx, actor, in.Profile)
		})
	act(b, operation{
		id: "putProfile", request: "PUT /profiles/{profile}", tag: tagProfiles, role: fleet.Operator, limit: maxYAML,
		errors: []int{http.StatusConflict}, summary: "make a profile, or replace its text; its other files stay",
	}, func(ctx context.Context, actor fleet.Actor, in *profileText) error {
		return ctl.PutProfile(ctx, actor, in.Profile, in.RawBody)
	})
	act(b, operation{
		id: "putProfileFolder", request: "PUT /profiles/{profile}/folder", tag: tagProfiles, role: fleet.Operator, body: "application/x-tar",
		errors: []int{http.StatusConflict}, summary: "make or replace a profile with all its files", about: "The tar has profile.yaml at its top.",
	}, func(ctx context.Context, actor fleet.Actor, in *profileFolder) error {
		return ctl.PutProfileFolder(ctx, actor, in.Profile, in.body(maxFolder))
	})
	act(b, operation{
		id: "removeProfile", request: "DELETE /profiles/{profile}", tag: tagProfiles, role: fleet.Operator,
		errors: []int{http.StatusConflict}, summary: "remove a profile with its files",
	}, func(ctx context.Context, actor fleet.Actor, in *ProfilePath) error {
		return ctl.RemoveProfile(ctx, actor, in.Profile)
	})
	ask(b, operation{
		id: "checkProfile", request: "POST /profiles/check", tag: tagProfiles, role: fleet.Operator, limit: maxYAML,
		errors: []int{http.StatusNotFound}, summary: "what is wrong with the text of a profile",
	}, func(ctx context.Context, actor fleet.Actor, in *profileCheck) (message.Checked, error) {
		problems, err := ctl.CheckProfile(ctx, actor, in.Name, in.RawBody)
		return message.Checked{Problems: mistakesOf(problems)}, err
	})
}
