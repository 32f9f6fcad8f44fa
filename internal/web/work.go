package web

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// workBody is work other than a deploy: what is asked for, then what it will do.
type workBody struct {
	CSRF     string
	Kind     wire.Kind
	Words    workText
	Chosen   choice
	Machines []machineRow
	Images   []imageRow // for a verify
	Asks     bool       // there is something to choose
	Preview  *preview   // nil while options are asked for
	Typed    string     // what must be typed before a disk is wiped; "" for nothing
	Back     string
}

// workText is what a kind of work is called on its page.
type workText struct{ Title, Does, Button string }

func wordsOf(k wire.Kind) (workText, bool) {
	switch k {
	case wire.Capture:
		return workText{"Capture", "Reads the disk of a machine and keeps it as an image. Nothing on the disk is changed.", "Capture"}, true
	case wire.Verify:
		return workText{"Verify", "Compares the disk of a machine with an image, byte by byte. Nothing is changed.", "Verify"}, true
	case wire.Wipe:
		return workText{"Wipe", "Makes everything on a disk unreadable.", "Wipe"}, true
	case wire.Look:
		return workText{"Read inventory", "Asks the agent to look at the hardware again.", "Read inventory"}, true
	case fleet.RebootKind:
		return workText{"Restart", "Restarts the machine. What it starts then is decided as always: the agent when there is work, its own disk otherwise.", "Restart"}, true
	case fleet.ShutdownKind:
		return workText{"Shut down", "Switches the machine off.", "Shut down"}, true
	case fleet.LocalBootKind:
		return workText{"Start from disk", "Restarts the machine from its own disk.", "Start from disk"}, true
	}
	return workText{}, false
}

func showWork(v *visit) error {
	kind := wire.Kind(v.r.PathValue("kind"))
	return v.workPage(http.StatusOK, v.choice(kind), v.field("step") == "plan", nil)
}

// workPage shows what can be chosen, or the plan.
func (v *visit) workPage(status int, c choice, plan bool, wrong problems) error {
	words, ok := wordsOf(c.Kind)
	if !ok {
		return &control.NotFoundError{What: "kind of work", ID: string(c.Kind)}
	}
	body := workBody{CSRF: v.csrf, Kind: c.Kind, Words: words, Chosen: c,
		Back: "/machines", Asks: slices.Contains([]wire.Kind{wire.Capture, wire.Verify, wire.Wipe}, c.Kind)}
	var err error
	if body.Machines, err = v.chosen(); err != nil {
		return err
	}
	if plan || !body.Asks {
		if body.Preview, err = v.plan("/work/"+string(c.Kind), c, wrong); err != nil {
			return err
		}
		body.Typed = typedFor(c.Kind, body.Preview.names())
		if body.Asks {
			body.Back = c.path("/work/"+string(c.Kind), "options")
		}
	} else if c.Kind == wire.Verify {
		images, err := v.ctl.Images(v.r.Context(), v.actor)
		if err != nil {
			return err
		}
		for _, i := range images {
			body.Images = append(body.Images, newImageRow(i, v.now))
		}
	}
	return v.render(status, "work", page{Title: words.Title, Nav: "machines", Up: []link{{"/machines", "Machines"}}, Body: body})
}

// typedFor is what somebody must type before everything on disks is lost.
func typedFor(kind wire.Kind, names []string) string {
	switch {
	case kind != wire.Wipe:
		return ""
	case len(names) == 1:
		return names[0]
	}
	return fmt.Sprintf("wipe %d machines", len(names))
}

func startWork(v *visit) error {
	c := v.choice(wire.Kind(v.r.PathValue("kind")))
	if _, ok := wordsOf(c.Kind); !ok {
		return &control.NotFoundError{What: "kind of work", ID: string(c.Kind)}
	}
	if c.Group != "" { // a plan names its machines
		return v.workPage(http.StatusUnprocessableEntity, c, true, nil)
	}
	machines, err := v.chosen()
	if err != nil {
		return err
	}
	spec, unclear := c.spec(v.now.Location())
	var wrong problems
	var names []string
	for _, m := range machines {
		names = append(names, m.Name)
	}
	if want := typedFor(c.Kind, names); v.field("typed") != want {
		wrong = append(wrong, problem{"typed", fmt.Sprintf("what was typed is not %q; nothing was started", want)})
	}
	if unclear != nil || wrong != nil {
		return v.workPage(http.StatusUnprocessableEntity, c, true, wrong)
	}
	b, err := v.ctl.Submit(v.r.Context(), v.actor, spec)
	if p := formProblems(err); p != nil {
		return v.workPage(http.StatusUnprocessableEntity, c, true, p)
	}
	if err != nil {
		return err
	}
	return v.redirect("/batches/"+b.ID, "The work was started.")
}
