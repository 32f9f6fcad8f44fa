package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// A deploy is chosen in four steps. What was chosen is in the address of each, so
// that going back, a bookmark and a reload do what they should.

// deploySteps in order.
var deploySteps = [...]struct{ Name, Text string }{
	{"image", "Image"}, {"machines", "Machines"}, {"options", "Profile and options"}, {"plan", "Check and start"},
}

// mostShown bounds the machines that a step lists; a search or a group narrows it.
const mostShown = 200

// deployBody is one step.
type deployBody struct {
	CSRF     string
	Step     string
	Steps    []stepLink
	Chosen   choice
	Next     string // name of the next step
	Back     string // URL of the step before; "" for the first
	Problems problems

	Images   []imageRow      // step image
	Search   string          // step machines
	Machines []choiceMachine // those that the search finds, and those selected
	Total    int             // that the search finds
	Groups   []fleet.Group
	Profiles []profileRow // step options
	Zone     string
	Preview  *preview // step plan
}

// stepLink is a step in the list of them.
type stepLink struct {
	Text, Path string // Path is "" for steps that are still to come
	Here, Past bool
}

// choiceMachine is a machine with whether it was selected.
type choiceMachine struct {
	machineRow
	Selected bool
}

func showDeploy(v *visit) error {
	c := v.choice(wire.Deploy)
	step := v.field("step")
	if step == "" {
		step = c.firstStep()
	}
	return v.deployStep(http.StatusOK, step, c, nil)
}

// firstStep is the first one that nothing was chosen in.
func (c choice) firstStep() string {
	switch {
	case c.Image == "":
		return "image"
	case len(c.Machines) == 0 && c.Group == "":
		return "machines"
	}
	return "options"
}

// deployStep shows a step, or the one before that still wants something.
func (v *visit) deployStep(status int, step string, c choice, wrong problems) error {
	at := slices.IndexFunc(deploySteps[:], func(s struct{ Name, Text string }) bool { return s.Name == step })
	if at < 0 {
		return &control.NotFoundError{What: "step of a deploy", ID: step}
	}
	if at > 0 && c.Image == "" {
		at, wrong = 0, append(wrong, problem{"image", "choose an image first"})
	} else if at > 1 && len(c.Machines) == 0 && c.Group == "" {
		at, wrong = 1, append(wrong, problem{"machines", "choose at least one machine, or a group"})
	}
	step = deploySteps[at].Name
	body := deployBody{CSRF: v.csrf, Step: step, Chosen: c, Problems: wrong, Search: v.field("q"), Zone: v.now.Format("MST")}
	if at+1 < len(deploySteps) {
		body.Next = deploySteps[at+1].Name
	}
	if at > 0 {
		body.Back = c.path("/deploy", deploySteps[at-1].Name)
	}
	for i, s := range deploySteps {
		one := stepLink{Text: s.Text, Here: i == at, Past: i < at}
		if i < at {
			one.Path = c.path("/deploy", s.Name)
		}
		body.Steps = append(body.Steps, one)
	}
	if err := v.fillStep(&body); err != nil {
		return err
	}
	return v.render(status, "deploy", page{Title: "Deploy: " + deploySteps[at].Text, Body: body})
}

func (v *visit) fillStep(body *deployBody) error {
	ctx := v.r.Context()
	switch body.Step {
	case "image":
		images, err := v.ctl.Images(ctx, v.actor)
		for _, i := range images {
			body.Images = append(body.Images, newImageRow(i, v.now))
		}
		return err
	case "machines":
		return v.fillMachines(body)
	case "options":
		var err error
		body.Profiles, err = v.profileRows()
		return err
	}
	var err error
	body.Preview, err = v.plan("/deploy", body.Chosen, body.Problems)
	return err
}

// fillMachines lists what the search finds, with the selected machines first, so
// that a search loses none of them.
func (v *visit) fillMachines(body *deployBody) error {
	ctx := v.r.Context()
	var err error
	if body.Groups, err = v.ctl.Groups(ctx, v.actor); err != nil {
		return err
	}
	for _, id := range body.Chosen.Machines {
		m, err := v.ctl.Machine(ctx, v.actor, id)
		if err != nil {
			return err
		}
		body.Machines = append(body.Machines, choiceMachine{newMachineRow(m, v.now), true})
	}
	found, total, err := v.ctl.Machines(ctx, v.actor, control.MachineFilter{Search: body.Search, State: wire.Approved, Limit: mostShown})
	if err != nil {
		return err
	}
	for _, m := range found {
		if !slices.Contains(body.Chosen.Machines, m.ID) {
			body.Machines = append(body.Machines, choiceMachine{newMachineRow(m, v.now), false})
		}
	}
	body.Total = total
	return nil
}

func startDeploy(v *visit) error {
	c := v.choice(wire.Deploy)
	spec, wrong := c.spec(v.now.Location())
	if wrong != nil {
		return v.deployStep(http.StatusUnprocessableEntity, "plan", c, nil)
	}
	b, err := v.ctl.Submit(v.r.Context(), v.actor, spec)
	if p := formProblems(err); p != nil {
		return v.deployStep(http.StatusUnprocessableEntity, "plan", c, p)
	}
	if err != nil {
		return err
	}
	return v.redirect("/batches/"+url.PathEscape(b.ID), "The deploy was started.")
}
