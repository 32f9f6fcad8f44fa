package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// tokensBody is the credentials of programs.
type tokensBody struct {
	CSRF     string
	Rows     []tokenRow
	Name     string
	Role     fleet.Role
	Days     string
	Made     string // name of the token that was made
	Secret   string // of it: shown once
	Problems problems
}

type tokenRow struct {
	ID, Name, MadeBy    string
	Role                fleet.Role
	Made, Seen, Expires moment
	Expired             bool
	Remove              string
}

// Roles are the choices of the form.
func (tokensBody) Roles() []roleText { return roles() }

func showTokens(v *visit) error {
	return v.tokensPage(http.StatusOK, tokensBody{Role: fleet.Operator, Days: "365"})
}

func (v *visit) tokensPage(status int, body tokensBody) error {
	tokens, err := v.ctl.Tokens(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	body.CSRF = v.csrf
	for _, t := range tokens {
		body.Rows = append(body.Rows, tokenRow{t.ID, t.Name, t.MadeBy, t.Role, moment{t.Made, v.now}, moment{t.Seen, v.now}, moment{t.Expires, v.now},
			!t.Expires.IsZero() && t.Expires.Before(v.now), "/tokens/remove?" + url.Values{"id": {t.ID}}.Encode()})
	}
	return v.render(status, "tokens", page{Title: "Tokens", Nav: "tokens", Body: body})
}

// addToken answers with the page itself: the secret is in no address, and in no
// cookie.
func addToken(v *visit) error {
	body := tokensBody{Name: v.field("name"), Role: fleet.Role(v.field("role")), Days: v.field("days")}
	days, err := strconv.Atoi(body.Days)
	if body.Days == "" {
		days, err = 0, nil
	}
	if err != nil || days < 0 || days > 3660 {
		body.Problems = problems{{"days", "this must be a number of days up to 3660, or nothing for a token that does not expire"}}
		return v.tokensPage(http.StatusUnprocessableEntity, body)
	}
	token, secret, err := v.ctl.AddToken(v.r.Context(), v.actor, body.Name, body.Role, time.Duration(days)*24*time.Hour)
	if body.Problems = formProblems(err); body.Problems != nil {
		return v.tokensPage(http.StatusUnprocessableEntity, body)
	}
	if err != nil {
		return err
	}
	return v.tokensPage(http.StatusOK, tokensBody{Role: fleet.Operator, Days: "365", Made: token.Name, Secret: secret})
}

func showTokenRemove(v *visit) error {
	id := v.field("id")
	tokens, err := v.ctl.Tokens(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.ID == id {
			return v.removePage("tokens", []link{{"/tokens", "Tokens"}}, removeBody{What: "the token " + t.Name, Question: "Revoke the token", Name: id, Field: "id",
				Loses: "Programs that use it are refused from now on.", Path: "/tokens/remove", Back: "/tokens"})
		}
	}
	return &control.NotFoundError{What: "token", ID: id}
}

func removeToken(v *visit) error {
	if err := v.ctl.RemoveToken(v.r.Context(), v.actor, v.field("id")); err != nil {
		return err
	}
	return v.redirect("/tokens", "The token was revoked.")
}
