package web

import (
	"io"
	"net/http"
	"strings"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// chosenBody is a page about machines that were selected.
type chosenBody struct {
	CSRF     string
	Machines []machineRow
	Groups   []fleet.Group
	Problems problems
}

// chosen reads the machines that a request names.
func (v *visit) chosen() ([]machineRow, error) {
	var rows []machineRow
	for _, id := range v.fields("m") {
		m, err := v.ctl.Machine(v.r.Context(), v.actor, id)
		if err != nil {
			return nil, err
		}
		rows = append(rows, newMachineRow(m, v.now))
	}
	if len(rows) == 0 {
		return nil, &control.InvalidError{Message: "no machine was selected"}
	}
	return rows, nil
}

func (v *visit) showChosen(status int, view, title string, p problems) error {
	body := chosenBody{CSRF: v.csrf, Problems: p}
	var err error
	if body.Machines, err = v.chosen(); err != nil {
		return err
	}
	if body.Groups, err = v.ctl.Groups(v.r.Context(), v.actor); err != nil {
		return err
	}
	return v.render(status, view, page{Title: title, Nav: "machines", Up: []link{{"/machines", "Machines"}}, Body: body})
}

func showJoin(v *visit) error { return v.showChosen(http.StatusOK, "join", "Put into a group", nil) }

func joinMachines(v *visit) error {
	ctx, group, ids := v.r.Context(), v.field("group"), v.fields("m")
	if fresh := v.field("new"); fresh != "" {
		group = fresh
		err := v.ctl.AddGroup(ctx, v.actor, group, "")
		if p := formProblems(err); p != nil {
			return v.showChosen(http.StatusUnprocessableEntity, "join", "Put into a group", p)
		}
		if err != nil {
			return err
		}
	}
	if group == "" {
		return v.showChosen(http.StatusUnprocessableEntity, "join", "Put into a group", problems{{"group", "choose a group, or name a new one"}})
	}
	if err := v.ctl.Join(ctx, v.actor, group, ids); err != nil {
		return err
	}
	return v.redirect("/machines", "%s joined the group %s.", counted(len(ids), "machine has", "machines have"), group)
}

func showForget(v *visit) error { return v.showChosen(http.StatusOK, "forget", "Forget machines", nil) }

func forgetMachines(v *visit) error {
	ids := v.fields("m")
	if err := v.ctl.Forget(v.r.Context(), v.actor, ids); err != nil {
		return err
	}
	return v.redirect("/machines", "Forgot %s. The jobs they had are kept.", counted(len(ids), "machine", "machines"))
}

// importBody is the form of a list of machines, and what became of one.
type importBody struct {
	CSRF     string
	Text     string
	Report   *control.ImportReport
	Problems problems
}

func showImport(v *visit) error {
	return v.importPage(http.StatusOK, importBody{CSRF: v.csrf})
}

func (v *visit) importPage(status int, body importBody) error {
	return v.render(status, "import", page{Title: "Import machines", Nav: "machines", Up: []link{{"/machines", "Machines"}}, Body: body})
}

func importMachines(v *visit) error {
	body := importBody{CSRF: v.csrf, Text: v.r.PostFormValue("text")}
	var list io.Reader = strings.NewReader(body.Text)
	if file, _, err := v.r.FormFile("file"); err == nil {
		defer file.Close()
		list = file
	} else if strings.TrimSpace(body.Text) == "" {
		body.Problems = problems{{"file", "choose a file, or paste the list"}}
		return v.importPage(http.StatusUnprocessableEntity, body)
	}
	report, err := v.ctl.ImportMachines(v.r.Context(), v.actor, list)
	if p := formProblems(err); p != nil {
		body.Problems = p
		return v.importPage(http.StatusUnprocessableEntity, body)
	}
	if err != nil {
		return err
	}
	body.Report = &report
	if len(report.Problems) == 0 {
		body.Text = ""
	}
	return v.importPage(http.StatusOK, body)
}
