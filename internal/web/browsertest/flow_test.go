package browsertest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/ingot-imaging/ingot/internal/web/webtest"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// TestFirstDay goes all the way with a mouse: first start, administrator, approval,
// deploy, watching it end, its result.
func TestFirstDay(t *testing.T) {
	room := webtest.New(t)
	b := open(t, room.Server.URL)
	code, err := room.Control.SetupSecret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.visit("/setup#code=" + url.QueryEscape(code))
	b.until("document.querySelector('#code').value.length > 5 && location.hash === ''")
	b.fill("#name", "anna")
	b.fill("#password", webtest.Password)
	b.fill("#again", webtest.Password)
	b.follow("main button")
	b.shows("Getting started")

	room.AddImages()
	one, two := room.Start(t, webtest.Inventory(1)), room.Start(t, webtest.Inventory(2))
	b.shows("optiplex-7090") // without a reload
	b.shows("look at them")
	b.follow("#figures a")
	b.click("#all")
	b.shows("2 selected")
	b.follow("button[value=approve]")
	b.shows("Approved 2 machines.")

	b.follow(".top .primary")
	b.click("input[value='lab-pc:v3']")
	b.follow("button[value=machines]")
	b.click("input[value='" + one.Machine + "']")
	b.click("input[value='" + two.Machine + "']")
	b.follow("button[value=options]")
	b.do(chromedp.Evaluate[chromedp.Void]("void history.back()"))
	b.until("document.querySelectorAll('input[name=m]:checked').length === 2")
	b.follow("button[value=options]")
	b.follow("button[value=plan]")
	b.shows("Everything on these 2 disks is replaced.")
	b.shows("ntfs 'Windows'")
	b.follow("main .danger.primary")
	b.shows("Deploy lab-pc:v3 to 2 machines")

	one.Take(t)
	two.Take(t)
	one.Report(t, webtest.Half(), "writing")
	b.shows("writing · 50 %")
	b.shows("19.0 GiB")
	two.Finish(t, webtest.Broken(), "write: input/output error")
	b.shows("✕ 1 failed, goes on")
	b.shows("input/output error")
	b.shoot("flow-batch-live")
	one.Finish(t, webtest.Whole(), "every byte was verified")
	b.until("document.querySelector('#batch-said').textContent.includes('1 of 2 done, 1 failed')")
	if text := value[string](b, "document.querySelector('#job-"+two.Job.ID+"').innerText"); !strings.Contains(text, "failed") || strings.Contains(text, "done") {
		t.Errorf("the row of a job that failed says %q", text)
	}
	b.follow("#job-" + one.Job.ID + " a")
	b.shows("Every byte was verified.")
	b.shows("Where the time went")
	b.shows("every byte was verified")
	b.shoot("flow-job-done")
}

// TestLiveJob watches a job's page: its log grows, what is selected stays.
func TestLiveJob(t *testing.T) {
	room := webtest.New(t)
	admin, secret := room.Admin(t)
	f := room.Fill(t, admin)
	b := open(t, room.Server.URL)
	b.session(secret)
	b.visit("/machines")
	b.click("tr#machine-" + f.Machine + " input")
	b.visit("/machines?sort=-name")
	b.click("tr#machine-" + f.Machine + " input")
	if err := room.Control.SetHostname(t.Context(), admin, f.Machine, "changed-name"); err != nil {
		t.Fatal(err)
	}
	b.shows("host name changed-name")
	b.shows("1 selected")
	if !value[bool](b, "document.querySelector('tr#machine-"+f.Machine+" input').checked") {
		t.Error("a row that changed lost its check mark")
	}

	agent := room.Start(t, webtest.Inventory(60))
	if err := room.Control.Approve(t.Context(), admin, []string{agent.Machine}, nil); err != nil {
		t.Fatal(err)
	}
	job := room.Deploy(t, admin, agent)
	b.visit("/jobs/" + job.ID)
	b.shows("Nothing was said yet.")
	agent.Report(t, webtest.Half(), "first line", "<b>second</b> \u202eline")
	b.shows("first line")
	agent.Report(t, wire.Progress{Phase: "checking", Done: 30 << 30, Total: 38 << 30, Left: 3}, "third line")
	b.shows("third line")
	b.shows("<b>second</b> line")
	b.until("document.querySelectorAll('#log > div').length === 3")
	agent.Finish(t, webtest.Whole(), "the end")
	b.shows("the end")
	b.shows("✓ done")
}

// TestKeyboard logs in and deploys without a mouse.
func TestKeyboard(t *testing.T) {
	room := webtest.New(t)
	admin, _ := room.Admin(t)
	room.AddImages()
	agent := room.Start(t, webtest.Inventory(1))
	if err := room.Control.Approve(t.Context(), admin, []string{agent.Machine}, nil); err != nil {
		t.Fatal(err)
	}
	b := open(t, room.Server.URL)
	b.visit("/login")
	b.until("document.activeElement.id === 'name'")
	b.keys("anna", kb.Tab, webtest.Password)
	b.enter()
	b.shows("Overview")

	b.keys(kb.Tab)
	if at := b.focused(); at != "Skip to the content" {
		t.Errorf("the first stop of the Tab key is %q", at)
	}
	b.tabTo("Deploy")
	b.enter()
	b.tabTo("lab-pc:v3")
	b.keys(" ")
	b.tabTo("Next: machines")
	b.enter()
	b.tabTo("optiplex")
	b.keys(" ")
	b.tabTo("Next: profile")
	b.enter()
	b.tabTo("Next: check")
	b.enter()
	b.tabTo("Deploy to 1 machine")
	b.enter()
	b.shows("Deploy lab-pc:v3 to 1 machine")
}

// keys types, wherever the focus is.
func (b *tab) keys(all ...string) {
	b.t.Helper()
	for _, k := range all {
		b.do(chromedp.KeyEvent(k))
	}
}

// enter presses Enter on what leads to another page.
func (b *tab) enter() {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void]("void (window.left = true)"))
	b.keys(kb.Enter)
	b.arrived()
}

// focused is the name of what has the focus, which must be seen to have it.
func (b *tab) focused() string {
	b.t.Helper()
	if !value[bool](b, "document.activeElement.matches(':focus-visible, [type=datetime-local]:focus-within')") {
		b.t.Errorf("nobody sees that %s has the focus", value[string](b, "document.activeElement.outerHTML.slice(0, 200)"))
	}
	return value[string](b, "(document.activeElement.closest('label') || document.activeElement).innerText.trim()")
}

// tabTo presses Tab until something has the focus whose name begins so.
func (b *tab) tabTo(name string) {
	b.t.Helper()
	for range 60 {
		b.keys(kb.Tab)
		if strings.HasPrefix(b.focused(), name) {
			return
		}
	}
	b.t.Fatalf("the Tab key does not come to %q", name)
}
