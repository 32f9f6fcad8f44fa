package web

import (
	"net/http"
	"net/url"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// groupsBody is groups, and rules that approve machines.
type groupsBody struct {
	CSRF     string
	Operator bool
	Admin    bool
	Groups   []groupRow
	Rules    []ruleRow
	Name     string // of the form
	Notes    string
	Rule     fleet.Rule
	Problems problems
}

type groupRow struct {
	fleet.Group
	Remove string // path of the page
}

type ruleRow struct {
	fleet.Rule
	What   string // "serial number is 5XK*"
	When   moment
	Remove string
}

// ruleFields are what a rule can look at, in words.
var ruleFields = [...]struct{ Field, Text string }{
	{"serial", "serial number"}, {"maker", "maker"}, {"model", "model"}, {"asset", "asset tag"}, {"mac", "MAC"}, {"addr", "address"},
}

// Fields are the choices of the form.
func (groupsBody) Fields() any { return ruleFields }

func showGroups(v *visit) error { return v.groupsPage(http.StatusOK, groupsBody{}) }

func (v *visit) groupsPage(status int, body groupsBody) error {
	body.CSRF, body.Operator, body.Admin = v.csrf, v.may(fleet.Operator), v.may(fleet.Admin)
	groups, err := v.ctl.Groups(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	for _, g := range groups {
		body.Groups = append(body.Groups, groupRow{g, "/groups/remove?" + url.Values{"name": {g.Name}}.Encode()})
	}
	rules, err := v.ctl.Rules(v.r.Context(), v.actor)
	for _, r := range rules {
		body.Rules = append(body.Rules, ruleRow{r, ruleText(r), moment{r.Made, v.now}, "/rules/remove?" + url.Values{"id": {r.ID}}.Encode()})
	}
	if err != nil {
		return err
	}
	return v.render(status, "groups", page{Title: "Groups and rules", Nav: "groups", Body: body})
}

func ruleText(r fleet.Rule) string {
	for _, f := range ruleFields {
		if f.Field == r.Field {
			return f.Text + " is " + r.Match
		}
	}
	return r.Field + " is " + r.Match
}

func addGroup(v *visit) error {
	body := groupsBody{Name: v.field("name"), Notes: v.field("notes")}
	err := v.ctl.AddGroup(v.r.Context(), v.actor, body.Name, body.Notes)
	if body.Problems = formProblems(err); body.Problems != nil {
		return v.groupsPage(http.StatusUnprocessableEntity, body)
	}
	if err != nil {
		return err
	}
	return v.redirect("/groups", "The group %s is there.", body.Name)
}

func showGroupRemove(v *visit) error {
	name := v.field("name")
	groups, err := v.ctl.Groups(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.Name == name {
			return v.removePage("groups", []link{{"/groups", "Groups and rules"}}, removeBody{What: "the group " + name, Question: "Remove the group", Name: name,
				Loses: "Its " + counted(g.Machines, "machine stays", "machines stay") + " and belong to it no longer. Rules that put machines into it have nothing to put them into.",
				Path:  "/groups/remove", Back: "/groups"})
		}
	}
	return &control.NotFoundError{What: "group", ID: name}
}

func removeGroup(v *visit) error {
	if err := v.ctl.RemoveGroup(v.r.Context(), v.actor, v.field("name")); err != nil {
		return err
	}
	return v.redirect("/groups", "The group %s was removed.", v.field("name"))
}

func addRule(v *visit) error {
	body := groupsBody{Rule: fleet.Rule{Name: v.field("rule"), Field: v.field("field"), Match: v.field("match"), Group: v.field("group")}}
	_, err := v.ctl.AddRule(v.r.Context(), v.actor, body.Rule)
	if body.Problems = formProblems(err); body.Problems != nil {
		return v.groupsPage(http.StatusUnprocessableEntity, body)
	}
	if err != nil {
		return err
	}
	return v.redirect("/groups", "The rule was added. It approves machines when they start next.")
}

func showRuleRemove(v *visit) error {
	id := v.field("id")
	rules, err := v.ctl.Rules(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if r.ID == id {
			return v.removePage("groups", []link{{"/groups", "Groups and rules"}}, removeBody{What: "the rule " + r.Name, Question: "Remove the rule", Name: id, Field: "id",
				Loses: "Machines that it approved stay approved. New ones wait for somebody.", Path: "/rules/remove", Back: "/groups"})
		}
	}
	return &control.NotFoundError{What: "rule", ID: id}
}

func removeRule(v *visit) error {
	if err := v.ctl.RemoveRule(v.r.Context(), v.actor, v.field("id")); err != nil {
		return err
	}
	return v.redirect("/groups", "The rule was removed.")
}
