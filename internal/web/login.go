package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
)

// loginBody is the login, and the first start.
type loginBody struct {
	CSRF     string
	Name     string
	Back     string
	Problems problems
}

func showLogin(v *visit) error {
	if v.actor.Name != "" {
		return v.redirect(v.back("/"), "")
	}
	if needed, err := v.ctl.SetupNeeded(v.r.Context()); err == nil && needed {
		return v.redirect("/setup", "")
	}
	return v.render(http.StatusOK, "login", page{Title: "Log in", Body: loginBody{CSRF: v.csrf, Back: v.back("")}})
}

func logIn(v *visit) error {
	body := loginBody{CSRF: v.csrf, Name: v.field("name"), Back: v.back("")}
	login, err := v.ctl.Login(v.r.Context(), body.Name, v.r.PostFormValue("password"), v.client())
	if errors.Is(err, control.ErrUnauthenticated) {
		body.Problems = problems{{"", "the name or the password is wrong, or the account is switched off"}}
		return v.render(http.StatusUnprocessableEntity, "login", page{Title: "Log in", Body: body})
	}
	if err != nil {
		return err
	}
	return v.enter(login, v.back("/"))
}

// enter keeps a new session in the browser and goes on.
func (v *visit) enter(login control.Login, to string) error {
	left := login.Session.Expires.Sub(v.now)
	setCookie(v.w, SessionCookie, login.Secret, int(max(left/time.Second, 1)))
	dropCookie(v.w, visitCookie)
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

func logOut(v *visit) error {
	if err := v.ctl.Logout(v.r.Context(), v.actor); err != nil {
		return err
	}
	dropCookie(v.w, SessionCookie)
	return v.redirect("/login", "You are logged out.")
}

func showSetup(v *visit) error {
	needed, err := v.ctl.SetupNeeded(v.r.Context())
	if err != nil {
		return err
	}
	if !needed {
		return v.redirect("/login", "This server has its first administrator already.")
	}
	return v.render(http.StatusOK, "setup", page{Title: "Set up this server", Body: loginBody{CSRF: v.csrf}})
}

func setUp(v *visit) error {
	body := loginBody{CSRF: v.csrf, Name: v.field("name")}
	password := v.r.PostFormValue("password")
	if password != v.r.PostFormValue("again") {
		body.Problems = problems{{"again", "the two passwords differ"}}
		return v.render(http.StatusUnprocessableEntity, "setup", page{Title: "Set up this server", Body: body})
	}
	login, err := v.ctl.Setup(v.r.Context(), v.field("code"), body.Name, password, v.client())
	body.Problems = formProblems(err)
	if errors.Is(err, control.ErrUnauthenticated) {
		body.Problems = problems{{"code", "this is not the code that the server printed when it started"}}
	}
	if body.Problems != nil {
		return v.render(http.StatusUnprocessableEntity, "setup", page{Title: "Set up this server", Body: body})
	}
	if err != nil {
		return err
	}
	return v.enter(login, "/")
}
