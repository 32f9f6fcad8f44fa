package web

import (
	"net/http"
	"strings"
)

// accountBody is one's own account.
type accountBody struct {
	CSRF     string
	Name     string
	Role     string
	Sessions []sessionRow
	Problems problems
}

type sessionRow struct {
	ID      string
	Addr    string
	Browser string
	Here    bool
	Made    moment
	Seen    moment
	Expires moment
}

func (v *visit) sessionRows(user string) ([]sessionRow, error) {
	sessions, err := v.ctl.Sessions(v.r.Context(), v.actor, user)
	var rows []sessionRow
	for _, s := range sessions {
		rows = append(rows, sessionRow{s.ID, s.Addr, browser(s.Agent), s.ID == v.session.ID, moment{s.Made, v.now}, moment{s.Seen, v.now}, moment{s.Expires, v.now}})
	}
	return rows, err
}

// browser makes a name of a User-Agent, which names all its ancestors as well.
func browser(agent string) string {
	for _, known := range []struct{ sign, name string }{
		{"Edg/", "Edge"}, {"Firefox/", "Firefox"}, {"HeadlessChrome/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	} {
		if !strings.Contains(agent, known.sign) {
			continue
		}
		for _, system := range []struct{ sign, name string }{
			{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Mac OS", "macOS"}, {"Linux", "Linux"},
		} {
			if strings.Contains(agent, system.sign) {
				return known.name + " on " + system.name
			}
		}
		return known.name
	}
	if len(agent) > 60 {
		return strings.ToValidUTF8(agent[:60], "") + "..."
	}
	return agent
}

func showAccount(v *visit) error { return v.accountPage(http.StatusOK, nil) }

func (v *visit) accountPage(status int, wrong problems) error {
	body := accountBody{CSRF: v.csrf, Name: v.actor.Name, Role: string(v.actor.Role), Problems: wrong}
	var err error
	if body.Sessions, err = v.sessionRows(v.actor.Name); err != nil {
		return err
	}
	return v.render(status, "account", page{Title: "Your account", Body: body})
}

func setOwnPassword(v *visit) error {
	password := v.r.PostFormValue("password")
	if password != v.r.PostFormValue("again") {
		return v.accountPage(http.StatusUnprocessableEntity, problems{{"again", "the two passwords differ"}})
	}
	err := v.ctl.SetPassword(v.r.Context(), v.actor, v.actor.Name, v.r.PostFormValue("old"), password)
	if p := formProblems(err); p != nil {
		return v.accountPage(http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	return v.redirect("/account", "The password was changed. Your other sessions have ended.")
}

func revokeSession(v *visit) error {
	id := v.r.PathValue("id")
	if err := v.ctl.RevokeSession(v.r.Context(), v.actor, id); err != nil {
		return err
	}
	if id == v.session.ID {
		dropCookie(v.w, SessionCookie)
		return v.redirect("/login", "This session has ended.")
	}
	return v.redirect(v.back("/account"), "The session has ended.")
}
