package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// machineEditBody is the form of what people say about a machine.
type machineEditBody struct {
	CSRF                          string
	ID                            string
	Name, Hostname, Notes, Values string
	Problems                      problems
}

func showMachineEdit(v *visit) error {
	m, err := v.ctl.Machine(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	body := machineEditBody{CSRF: v.csrf, ID: m.ID, Name: m.Name, Hostname: m.Hostname, Notes: m.Notes, Values: valuesText(m.Values)}
	return v.machineEdit(http.StatusOK, m.Name, body)
}

func (v *visit) machineEdit(status int, name string, body machineEditBody) error {
	return v.render(status, "machine-edit", page{Title: "Edit " + name, Nav: "machines",
		Up: []link{{"/machines", "Machines"}, {"/machines/" + body.ID, name}}, Body: body})
}

func editMachine(v *visit) error {
	ctx := v.r.Context()
	m, err := v.ctl.Machine(ctx, v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	body := machineEditBody{CSRF: v.csrf, ID: m.ID, Name: v.field("name"), Hostname: v.field("hostname"),
		Notes: strings.ReplaceAll(v.field("notes"), "\r\n", "\n"), Values: strings.ReplaceAll(v.field("values"), "\r\n", "\n")}
	values, problem := readValues(body.Values)
	if problem != nil {
		body.Problems = append(body.Problems, *problem)
		return v.machineEdit(http.StatusUnprocessableEntity, m.Name, body)
	}
	for _, change := range []struct {
		differs bool
		make    func() error
	}{
		{body.Name != m.Name, func() error { return v.ctl.Rename(ctx, v.actor, m.ID, body.Name) }},
		{body.Hostname != m.Hostname, func() error { return v.ctl.SetHostname(ctx, v.actor, m.ID, body.Hostname) }},
		{!maps.Equal(values, m.Values), func() error { return v.ctl.SetValues(ctx, v.actor, m.ID, values) }},
		{body.Notes != m.Notes, func() error { return v.ctl.SetNotes(ctx, v.actor, m.ID, body.Notes) }},
	} {
		if !change.differs {
			continue
		}
		err := change.make()
		if p := formProblems(err); p != nil {
			body.Problems = p
			return v.machineEdit(http.StatusUnprocessableEntity, m.Name, body)
		}
		if err != nil {
			return err
		}
	}
	return v.redirect("/machines/"+m.ID, "Saved.")
}

// valuesText is values for people to edit: one "name=value" a line.
func valuesText(values fleet.Values) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&b, "%s=%s\n", name, values[name])
	}
	return b.String()
}

func readValues(text string) (fleet.Values, *problem) {
	values := fleet.Values{}
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return nil, &problem{"values", fmt.Sprintf("line %d is not of the form name=value", i+1)}
		}
		if _, twice := values[name]; twice {
			return nil, &problem{"values", fmt.Sprintf("line %d names %q a second time", i+1, name)}
		}
		values[name] = strings.TrimSpace(value)
	}
	return values, nil
}
