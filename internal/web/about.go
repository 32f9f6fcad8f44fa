package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// aboutBody is how the server is.
type aboutBody struct {
	Admin   bool
	Facts   []Fact
	Figures figures
	Ended   []fact
	Refused []fact
}

func showAbout(v *visit) error {
	stats, err := v.ctl.Stats(v.r.Context())
	if err != nil {
		return err
	}
	body := aboutBody{Admin: v.may(fleet.Admin), Figures: newFigures(stats)}
	body.Facts = []Fact{{Name: "Version", Value: cmp.Or(v.cfg.Version, "not known")}, {Name: "Clock", Value: v.now.Format("2 Jan 2006, 15:04:05 MST")}}
	if v.cfg.Facts != nil {
		body.Facts = append(body.Facts, v.cfg.Facts()...)
	}
	for _, s := range []fleet.JobState{fleet.Done, fleet.Failed, fleet.Cancelled} {
		body.Ended = append(body.Ended, fact{"Jobs " + jobBadge(s).Text, strconv.FormatInt(stats.Ended[s], 10)})
	}
	body.Ended = append(body.Ended, fact{"Written", size(stats.Written)})
	for _, reason := range slices.Sorted(maps.Keys(stats.Refused)) {
		body.Refused = append(body.Refused, fact{reason, strconv.FormatInt(stats.Refused[reason], 10)})
	}
	return v.render(http.StatusOK, "about", page{Title: "Server", Nav: "about", Body: body})
}

// settingsBody is the form of the server's policies.
type settingsBody struct {
	CSRF     string
	Sticks   control.StickPolicy
	Pending  string
	Problems problems
}

func showSettings(v *visit) error {
	s, err := v.ctl.Settings(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	return v.settingsPage(http.StatusOK, settingsBody{Sticks: s.Sticks, Pending: fmt.Sprint(s.Pending)})
}

func (v *visit) settingsPage(status int, body settingsBody) error {
	body.CSRF = v.csrf
	return v.render(status, "settings", page{Title: "Settings", Nav: "about", Up: []link{{"/about", "Server"}}, Body: body})
}

func saveSettings(v *visit) error {
	body := settingsBody{Sticks: control.StickPolicy(v.field("sticks")), Pending: v.field("pending")}
	pending, err := strconv.Atoi(body.Pending)
	if err != nil {
		body.Problems = problems{{"pending", "this must be a whole number"}}
		return v.settingsPage(http.StatusUnprocessableEntity, body)
	}
	// What this form does not ask for stays as it is.
	s, err := v.ctl.Settings(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	s.Sticks, s.Pending = body.Sticks, pending
	err = v.ctl.SetSettings(v.r.Context(), v.actor, s)
	if body.Problems = formProblems(err); body.Problems != nil {
		return v.settingsPage(http.StatusUnprocessableEntity, body)
	}
	if err != nil {
		return err
	}
	return v.redirect("/settings", "The settings were saved.")
}
