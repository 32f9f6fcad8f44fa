package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// profilesBody is the list of profiles.
type profilesBody struct {
	Operator bool
	Rows     []profileRow
}

// profileRow is a profile in a list.
type profileRow struct {
	Name, Path   string
	Placeholders []string
	Mistakes     int
	Machines     int
	Modified     moment
}

// ownPlaceholders are those that not every profile has.
func ownPlaceholders(p control.Profile) []string {
	common := []string{"asset", "board", "mac", "maker", "model", "n", "name", "serial", "sku", "uuid"}
	return slices.DeleteFunc(slices.Clone(p.Placeholders), func(name string) bool { return slices.Contains(common, name) })
}

func profilePath(name string) string { return "/profiles/" + url.PathEscape(name) }

// profileRows reads all profiles.
func (v *visit) profileRows() (rows []profileRow, err error) {
	profiles, err := v.ctl.Profiles(v.r.Context(), v.actor)
	for _, p := range profiles {
		rows = append(rows, profileRow{p.Name, profilePath(p.Name), ownPlaceholders(p), len(p.Problems), p.Machines, moment{p.Modified, v.now}})
	}
	return rows, err
}

func showProfiles(v *visit) error {
	rows, err := v.profileRows()
	if err != nil {
		return err
	}
	body := profilesBody{Operator: v.may(fleet.Operator), Rows: rows}
	return v.render(http.StatusOK, "profiles", page{Title: "Profiles", Nav: "profiles", Body: body})
}

// profileBody is one profile: its text, what is wrong with it, its files.
type profileBody struct {
	CSRF     string
	Operator bool
	New      bool
	Name     string
	Path     string
	YAML     string
	Mistakes []profile.Problem
	Saved    bool // the text is as it is kept
	Problems problems
	Files    []profileFile
	Rows     int // machines in its table
	Modified moment
}

type profileFile struct {
	control.ProfileFile
	Remove string // path of the page
}

// firstProfile is what a new profile begins with.
const firstProfile = `# What a deployed disk becomes on each machine. Help is beside this text.
name: "lab-{serial:-6}"

locale: de_DE.UTF-8
keyboard: de
timezone: Europe/Berlin
`

func (v *visit) profilePage(status int, body profileBody) error {
	body.CSRF, body.Operator, body.Path = v.csrf, v.may(fleet.Operator), profilePath(body.Name)
	title := body.Name
	if body.New {
		title = "New profile"
	}
	return v.render(status, "profile", page{Title: title, Nav: "profiles", Wide: true, Up: []link{{"/profiles", "Profiles"}}, Body: body})
}

func showProfileNew(v *visit) error {
	return v.profilePage(http.StatusOK, profileBody{New: true, YAML: firstProfile})
}

func addProfile(v *visit) error {
	body := profileBody{New: true, Name: v.field("name"), YAML: profileText(v)}
	if _, err := v.ctl.Profile(v.r.Context(), v.actor, body.Name); err == nil {
		body.Problems = problems{{"name", "there is a profile with this name already"}}
		return v.profilePage(http.StatusUnprocessableEntity, body)
	}
	return v.putProfile(body)
}

func profileText(v *visit) string { return strings.ReplaceAll(v.r.PostFormValue("yaml"), "\r\n", "\n") }

func showProfile(v *visit) error {
	body, err := v.profileBody()
	if err != nil {
		return err
	}
	return v.profilePage(http.StatusOK, body)
}

func (v *visit) profileBody() (profileBody, error) {
	p, err := v.ctl.Profile(v.r.Context(), v.actor, v.r.PathValue("name"))
	if err != nil {
		return profileBody{}, err
	}
	body := profileBody{Name: p.Name, YAML: p.YAML, Mistakes: p.Problems, Saved: true, Rows: p.Machines, Modified: moment{p.Modified, v.now}}
	for _, f := range p.Files {
		body.Files = append(body.Files, profileFile{f, profilePath(p.Name) + "/files/remove?" + url.Values{"file": {f.Name}}.Encode()})
	}
	return body, nil
}

func saveProfile(v *visit) error {
	body, err := v.profileBody()
	if err != nil {
		return err
	}
	body.YAML, body.Saved = profileText(v), false
	if v.field("do") == "check" {
		if body.Mistakes, err = v.ctl.CheckProfile(v.r.Context(), v.actor, body.Name, []byte(body.YAML)); err != nil {
			return err
		}
		return v.profilePage(http.StatusOK, body)
	}
	return v.putProfile(body)
}

// putProfile keeps a profile, or shows what is wrong with it beside its text, which
// is not lost.
func (v *visit) putProfile(body profileBody) error {
	err := v.ctl.PutProfile(v.r.Context(), v.actor, body.Name, []byte(body.YAML))
	var bad *control.ProfileError
	if errors.As(err, &bad) {
		body.Mistakes = bad.Problems
		return v.profilePage(http.StatusUnprocessableEntity, body)
	}
	if p := formProblems(err); p != nil {
		body.Problems = p
		return v.profilePage(http.StatusUnprocessableEntity, body)
	}
	if err != nil {
		return err
	}
	return v.redirect(profilePath(body.Name), "The profile was saved.")
}

// showProfileHelp lists all keys, as the program's own documentation does.
func showProfileHelp(v *visit) error {
	return v.render(http.StatusOK, "profile-help", page{Title: "Keys of a profile", Nav: "profiles", Up: []link{{"/profiles", "Profiles"}}, Body: profileKeys()})
}

// removeBody asks whether something shall go.
type removeBody struct {
	CSRF     string
	What     string // "the profile lab"
	Loses    string // a sentence
	Path     string // of the form
	Back     string
	Name     string // value of the form's field "name"
	Field    string // and of which name
	Question string // on the button
}

func (v *visit) removePage(nav string, up []link, body removeBody) error {
	body.CSRF = v.csrf
	if body.Field == "" {
		body.Field = "name"
	}
	return v.render(http.StatusOK, "remove", page{Title: body.Question, Nav: nav, Up: up, Body: body})
}

func showProfileRemove(v *visit) error {
	p, err := v.ctl.Profile(v.r.Context(), v.actor, v.r.PathValue("name"))
	if err != nil {
		return err
	}
	return v.removePage("profiles", []link{{"/profiles", "Profiles"}}, removeBody{What: "the profile " + p.Name, Question: "Remove the profile", Name: p.Name,
		Loses: "Its text and " + counted(len(p.Files), "file", "files") + " are lost. Machines that were deployed with it stay as they are.",
		Path:  profilePath(p.Name) + "/remove", Back: profilePath(p.Name)})
}

func removeProfile(v *visit) error {
	name := v.r.PathValue("name")
	if err := v.ctl.RemoveProfile(v.r.Context(), v.actor, name); err != nil {
		return err
	}
	return v.redirect("/profiles", "The profile %s was removed.", name)
}
