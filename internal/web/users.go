package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// usersBody is the list of users, and the form of a new one.
type usersBody struct {
	CSRF     string
	Rows     []userRow
	Name     string
	Role     fleet.Role
	Problems problems
}

type userRow struct {
	Name, Path string
	Role       fleet.Role
	Disabled   bool
	Me         bool
	Last       moment
	Made       moment
}

func newUserRow(u fleet.User, me string, now time.Time) userRow {
	return userRow{u.Name, userPath(u.Name), u.Role, u.Disabled, u.Name == me, moment{u.LastLogin, now}, moment{u.Made, now}}
}

func userPath(name string) string { return "/users/" + url.PathEscape(name) }

// roleText is what a role may do.
type roleText struct {
	Role fleet.Role
	Text string
}

// roles from the least to the most.
func roles() []roleText {
	return []roleText{
		{fleet.Viewer, "looks at everything, changes nothing"},
		{fleet.Operator, "approves machines, runs jobs, writes notes and profiles"},
		{fleet.Admin, "users, tokens, rules, the audit log, and removing images as well"},
	}
}

// Roles are the choices of the form.
func (usersBody) Roles() []roleText { return roles() }

func showUsers(v *visit) error {
	return v.usersPage(http.StatusOK, usersBody{Role: fleet.Operator})
}

func (v *visit) usersPage(status int, body usersBody) error {
	users, err := v.ctl.Users(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	body.CSRF = v.csrf
	for _, u := range users {
		body.Rows = append(body.Rows, newUserRow(u, v.actor.Name, v.now))
	}
	return v.render(status, "users", page{Title: "Users", Nav: "users", Body: body})
}

func addUser(v *visit) error {
	body := usersBody{Name: v.field("name"), Role: fleet.Role(v.field("role"))}
	_, err := v.ctl.AddUser(v.r.Context(), v.actor, body.Name, body.Role, v.r.PostFormValue("password"))
	if body.Problems = formProblems(err); body.Problems != nil {
		return v.usersPage(http.StatusUnprocessableEntity, body)
	}
	if err != nil {
		return err
	}
	return v.redirect("/users", "%s can log in now.", body.Name)
}

// userBody is one user.
type userBody struct {
	CSRF     string
	User     userRow
	Sessions []sessionRow
	Problems problems
}

// Roles are the choices of the form.
func (userBody) Roles() []roleText { return roles() }

func showUser(v *visit) error { return v.userPage(http.StatusOK, nil) }

func (v *visit) userPage(status int, wrong problems) error {
	name := v.r.PathValue("name")
	users, err := v.ctl.Users(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Name != name {
			continue
		}
		body := userBody{CSRF: v.csrf, User: newUserRow(u, v.actor.Name, v.now), Problems: wrong}
		if body.Sessions, err = v.sessionRows(name); err != nil {
			return err
		}
		return v.render(status, "user", page{Title: name, Nav: "users", Up: []link{{"/users", "Users"}}, Body: body})
	}
	return &control.NotFoundError{What: "user", ID: name}
}

// changed ends a change of a user: back to the page, with what is wrong or what was
// done.
func (v *visit) changed(err error, done string) error {
	if p := formProblems(err); p != nil {
		return v.userPage(http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	return v.redirect(userPath(v.r.PathValue("name")), "%s", done)
}

func setRole(v *visit) error {
	err := v.ctl.SetRole(v.r.Context(), v.actor, v.r.PathValue("name"), fleet.Role(v.field("role")))
	return v.changed(err, "The role was changed. Sessions of before have ended.")
}

func setUserPassword(v *visit) error {
	err := v.ctl.SetPassword(v.r.Context(), v.actor, v.r.PathValue("name"), v.r.PostFormValue("old"), v.r.PostFormValue("password"))
	return v.changed(err, "The password was changed. Other sessions have ended.")
}

func setDisabled(v *visit) error {
	off := v.field("disabled") == "yes"
	err := v.ctl.SetDisabled(v.r.Context(), v.actor, v.r.PathValue("name"), off)
	if off {
		return v.changed(err, "The account is switched off. Its sessions have ended.")
	}
	return v.changed(err, "The account is switched on.")
}

func showUserRemove(v *visit) error {
	name := v.r.PathValue("name")
	return v.removePage("users", []link{{"/users", "Users"}, {userPath(name), name}}, removeBody{What: "the user " + name, Question: "Remove the user", Name: name,
		Loses: "The account and its sessions are gone. What the user did stays in the audit log.", Path: userPath(name) + "/remove", Back: userPath(name)})
}

func removeUser(v *visit) error {
	if err := v.ctl.RemoveUser(v.r.Context(), v.actor, v.r.PathValue("name")); err != nil {
		return err
	}
	return v.redirect("/users", "The user %s was removed.", v.r.PathValue("name"))
}
