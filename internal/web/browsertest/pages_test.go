package browsertest

import (
	"net/url"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/web/webtest"
)

// TestPages looks at every page, in every look.
func TestPages(t *testing.T) {
	room := webtest.New(t)
	admin, secret := room.Admin(t)
	f := room.Fill(t, admin)
	room.Profile(t, admin)
	b := open(t, room.Server.URL)
	b.session(secret)
	m := url.Values{"m": {f.Machine}}.Encode()
	for _, p := range []struct{ name, path string }{
		{"overview", "/"},
		{"machines", "/machines"},
		{"machines-none", "/machines?q=nothing+is+called+so"},
		{"machine", "/machines/" + f.Machine},
		{"machine-waiting", "/machines/" + f.Waiting},
		{"machine-edit", "/machines/" + f.Machine + "/edit"},
		{"machines-import", "/machines/import"},
		{"machines-join", "/machines/join?" + m},
		{"machines-forget", "/machines/forget?" + m},
		{"groups", "/groups"},
		{"images", "/images"},
		{"image", "/images/" + f.Image},
		{"image-remove", "/images/" + f.Image + "/remove"},
		{"deploy-1-image", "/deploy"},
		{"deploy-2-machines", "/deploy?image=lab-pc:v3&step=machines&" + m},
		{"deploy-3-options", "/deploy?image=lab-pc:v3&step=options&" + m},
		{"deploy-4-plan", "/deploy?image=lab-pc:v3&step=plan&group=lab&profile=lab"},
		{"work-capture", "/work/capture?" + m},
		{"work-wipe", "/work/wipe?" + m},
		{"work-wipe-plan", "/work/wipe?step=plan&wipe=discard&" + m},
		{"batches", "/batches"},
		{"batch", "/batches/" + f.Batch},
		{"batch-cancel", "/batches/" + f.Batch + "/cancel"},
		{"job-running", "/jobs/" + f.Running},
		{"job-failed", "/jobs/" + f.Failed},
		{"job-done", "/jobs/" + f.Done},
		{"profiles", "/profiles"},
		{"profile", "/profiles/lab"},
		{"profile-new", "/profiles/new"},
		{"profile-help", "/profiles/help"},
		{"boots", "/boots"},
		{"users", "/users"},
		{"user", "/users/operator"},
		{"tokens", "/tokens"},
		{"audit", "/audit"},
		{"account", "/account"},
		{"about", "/about"},
		{"settings", "/settings"},
	} {
		t.Run(p.name, func(t *testing.T) {
			b.look(t, p.name, p.path)
		})
	}
	t.Run("not-found", func(t *testing.T) {
		b.look(t, "not-found", "/nowhere")
		b.quiet()
	})
	t.Run("not-allowed", func(t *testing.T) {
		b.session(room.User(t, admin, "visitor", fleet.Viewer))
		b.look(t, "not-allowed", "/deploy")
		b.quiet()
		b.look(t, "machine-viewer", "/machines/"+f.Machine)
	})
}

// TestEmpty looks at the pages of a server on its first day.
func TestEmpty(t *testing.T) {
	room := webtest.New(t)
	b := open(t, room.Server.URL)
	b.look(t, "empty-setup", "/setup")
	_, secret := room.Admin(t)
	b.look(t, "empty-login", "/login")
	b.session(secret)
	for _, p := range []struct{ name, path string }{
		{"empty-overview", "/"}, {"empty-machines", "/machines"}, {"empty-images", "/images"}, {"empty-deploy", "/deploy"}, {"empty-batches", "/batches"},
		{"empty-profiles", "/profiles"}, {"empty-boots", "/boots"}, {"empty-groups", "/groups"}, {"empty-tokens", "/tokens"},
	} {
		b.look(t, p.name, p.path)
	}
}

// look keeps pictures of a page, and judges it.
func (b *tab) look(t *testing.T, name, path string) {
	b.t = t
	b.as(looks[0])
	b.visit(path)
	for i, l := range looks {
		b.as(l)
		b.shoot(file(name, l))
		if i%2 == 0 { // both schemes of colours, both widths
			b.accessible(file(name, l))
		}
		b.fits(file(name, l))
	}
}
