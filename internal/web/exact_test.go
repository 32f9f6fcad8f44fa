package web_test

import (
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/web/webtest"
)

// TestOnlyWhatWasShown: a machine that comes into a group after its plan was shown is
// not deployed to, and none is wiped whose number was not typed.
func TestOnlyWhatWasShown(t *testing.T) {
	room := webtest.New(t)
	admin, secret := room.Admin(t)
	room.AddImages()
	u := user{room.Client(secret), t}
	a, b := room.Start(t, webtest.Inventory(1)), room.Start(t, webtest.Inventory(2))
	if err := room.Control.Approve(t.Context(), admin, []string{a.Machine, b.Machine}, map[string]string{a.Machine: "pc-one", b.Machine: "pc-two"}); err != nil {
		t.Fatal(err)
	}
	u.posts("/groups", one("name", "lab"), "The group lab is there.")
	if err := room.Control.Join(t.Context(), admin, "lab", []string{a.Machine, b.Machine}); err != nil {
		t.Fatal(err)
	}
	page := u.sees("/deploy?step=plan&image=lab-pc&group=lab", "pc-one", "pc-two", "Deploy to 2 machines")
	form := page.Body[strings.Index(page.Body, `<form method="post" action="/deploy"`):]
	if strings.Contains(form, `name="group"`) || !strings.Contains(form, `name="m" value="`+b.Machine+`"`) || !strings.Contains(form, `value="lab-pc:v3"`) {
		t.Errorf("the form starts more than it shows: %s", form)
	}
	u.sees("/work/wipe?step=plan&wipe=discard&group=lab&m="+a.Machine, "wipe 2 machines to go on")
	u.refused("/work/wipe", one("m", a.Machine, "group", "lab", "wipe", "discard", "typed", "pc-one"), "wipe 2 machines")
	if stats, err := room.Control.Stats(t.Context()); err != nil || stats.Jobs[fleet.Queued] > 0 {
		t.Errorf("%v, %v", stats.Jobs, err)
	}
}
