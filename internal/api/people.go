package api

import (
	"context"
	"net/http"
	"time"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// UserPath names a user in a path.
type UserPath struct {
	User string `path:"user" maxLength:"300"`
}

type userBody[T any] struct {
	UserPath
	Body T
}

// TokenPath names a token in a path.
type TokenPath struct {
	Token string `path:"token" maxLength:"300" doc:"ID, not the secret"`
}

// SessionPath names a session in a path.
type SessionPath struct {
	Session string `path:"session" maxLength:"300" doc:"ID"`
}

type sessionsQuery struct {
	User string `query:"user" maxLength:"300" doc:"left out: of all users"`
}

func addUsers(b builder) {
	ctl := b.api.Control
	ask(b, operation{id: "listUsers", request: "GET /users", tag: tagPeople, role: fleet.Admin, summary: "all users"},
		func(ctx context.Context, actor fleet.Actor, _ *nothing) (message.List[fleet.User], error) {
			return listed(ctl.Users(ctx, actor))
		})
	ask(b, operation{id: "addUser", request: "POST /users", tag: tagPeople, role: fleet.Admin, status: http.StatusCreated, errors: []int{http.StatusConflict}, summary: "make a user"},
		func(ctx context.Context, actor fleet.Actor, in *struct{ Body message.NewUser }) (fleet.User, error) {
			return ctl.AddUser(ctx, actor, in.Body.Name, in.Body.Role, in.Body.Password)
		})
	act(b, operation{id: "setUserRole", request: "PUT /users/{user}/role", tag: tagPeople, role: fleet.Admin, errors: []int{http.StatusConflict}, summary: "give a user another role, which ends their sessions"},
		func(ctx context.Context, actor fleet.Actor, in *userBody[message.Role]) error {
			return ctl.SetRole(ctx, actor, in.User, in.Body.Role)
		})
	act(b, operation{
		id: "setUserPassword", request: "PUT /users/{user}/password", tag: tagPeople, role: fleet.Admin, errors: []int{http.StatusConflict},
		summary: "give a user another password, which ends their sessions",
	}, func(ctx context.Context, actor fleet.Actor, in *userBody[message.Password]) error {
		return ctl.SetPassword(ctx, actor, in.User, in.Body.Old, in.Body.Password)
	})
	act(b, operation{id: "setUserDisabled", request: "PUT /users/{user}/disabled", tag: tagPeople, role: fleet.Admin, errors: []int{http.StatusConflict}, summary: "keep a user from logging in, or let them in again"},
		func(ctx context.Context, actor fleet.Actor, in *userBody[message.Disabled]) error {
			return ctl.SetDisabled(ctx, actor, in.User, in.Body.Disabled)
		})
	act(b, operation{id: "removeUser", request: "DELETE /users/{user}", tag: tagPeople, role: fleet.Admin, errors: []int{http.StatusConflict}, summary: "remove a user and their sessions"},
		func(ctx context.Context, actor fleet.Actor, in *UserPath) error {
			return ctl.RemoveUser(ctx, actor, in.User)
		})
}

func addTokens(b builder) {
	ctl := b.api.Control
	ask(b, operation{id: "listTokens", request: "GET /tokens", tag: tagPeople, role: fleet.Admin, summary: "the credentials of programs, without their secrets"},
		func(ctx context.Context, actor fleet.Actor, _ *nothing) (message.List[fleet.Token], error) {
			return listed(ctl.Tokens(ctx, actor))
		})
	ask(b, operation{id: "addToken", request: "POST /tokens", tag: tagPeople, role: fleet.Admin, status: http.StatusCreated, summary: "make a token; its secret is in the answer and nowhere else"},
		func(ctx context.Context, actor fleet.Actor, in *struct{ Body message.NewToken }) (message.Secret, error) {
			t, secret, err := ctl.AddToken(ctx, actor, in.Body.Name, in.Body.Role, time.Duration(in.Body.TTL)*time.Second)
			return message.Secret{Token: t, Secret: secret}, err
		})
	act(b, operation{id: "removeToken", request: "DELETE /tokens/{token}", tag: tagPeople, role: fleet.Admin, summary: "revoke a token"},
		func(ctx context.Context, actor fleet.Actor, in *TokenPath) error {
			return ctl.RemoveToken(ctx, actor, in.Token)
		})
	ask(b, operation{id: "listSessions", request: "GET /sessions", tag: tagPeople, role: fleet.Admin, summary: "logins of browsers", about: "A browser may ask for its own user's with any role."},
		func(ctx context.Context, actor fleet.Actor, in *sessionsQuery) (message.List[fleet.Session], error) {
			return listed(ctl.Sessions(ctx, actor, in.User))
		})
	act(b, operation{id: "removeSession", request: "DELETE /sessions/{session}", tag: tagPeople, role: fleet.Admin, summary: "end a login"},
		func(ctx context.Context, actor fleet.Actor, in *SessionPath) error {
			return ctl.RevokeSession(ctx, actor, in.Session)
		})
}
