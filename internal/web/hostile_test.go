package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/web/webtest"
	"github.com/ingot-imaging/ingot/internal/wire"
)

const evil = `"><script>alert(1)</script>'<img src=x onerror=alert(2)>` + "\u202e\x1b[31m</template><hx-partial hx-target=\"body\">"

// TestHostileMachine puts HTML, and characters that turn text, into all that a
// machine says, and into what people type.
func TestHostileMachine(t *testing.T) {
	room := webtest.New(t)
	admin, secret := room.Admin(t)
	room.AddImages()
	inv := webtest.Inventory(1)
	inv.Maker, inv.Model, inv.CPU, inv.BIOS, inv.TPM = evil, evil, evil, evil, evil
	inv.Disks[0].Model, inv.Disks[0].Health, inv.Disks[0].Holds = evil, "failing: "+evil, evil
	inv.NICs[0].Driver, inv.Notes = evil, []string{evil}
	a := room.Start(t, inv)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(room.Control.Approve(t.Context(), admin, []string{a.Machine}, nil))
	must(room.Control.SetNotes(t.Context(), admin, a.Machine, evil))
	must(room.Control.SetImageNotes(t.Context(), admin, "lab-pc:v3", evil))
	must(room.Control.SawBoot(t.Context(), fleet.BootRecord{MAC: inv.NICs[0].MAC, Arch: evil, Asked: evil, Offered: evil, Why: evil}))
	room.Deploy(t, admin, a)
	a.Report(t, wire.Progress{Phase: evil, Total: 10, Done: 5}, evil)
	result := webtest.Broken()
	result.Error, result.Hint = evil, evil
	client := room.Client(secret)
	running := client.Get(t, "/jobs/"+a.Job.ID).Body
	a.Finish(t, result, evil)

	bodies := map[string]string{"running job": running}
	for _, path := range []string{"/", "/machines", "/machines/" + a.Machine, "/machines/" + a.Machine + "/edit", "/jobs/" + a.Job.ID, "/jobs/" + a.Job.ID + "/log", "/batches", "/boots", "/audit", "/images",
		"/images/lab-pc:v3", "/deploy?step=plan&image=lab-pc:v3&m=" + a.Machine + "&notes=" + url.QueryEscape(evil), "/machines?q=" + url.QueryEscape(evil), "/boots?q=" + url.QueryEscape(evil),
		"/nowhere/" + url.PathEscape(evil), "/work/" + url.PathEscape(evil) + "?m=" + a.Machine} {
		bodies[path] = client.Get(t, path).Body
	}
	for path, body := range bodies {
		if strings.HasSuffix(path, "/log") {
			body = strings.ReplaceAll(body, "<", "&lt;") // it is text
		}
		for _, bad := range []string{"<script>alert", "<img src=x", "\u202e", "\x1b", "<hx-partial", "</template>"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s holds %q", path, bad)
			}
		}
	}
}

// TestPagesAreStrict looks for what the policy of content would block, and for
// secrets in addresses.
func TestPagesAreStrict(t *testing.T) {
	room := webtest.New(t)
	admin, secret := room.Admin(t)
	f := room.Fill(t, admin)
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|<script(?:\s[^>]*)?>[^<]|\son[a-z]+=|javascript:|hx-on|\bhttps?://`)
	client := room.Client(secret)
	for _, path := range []string{"/", "/machines", "/machines/" + f.Machine, "/batches/" + f.Batch, "/jobs/" + f.Done, "/deploy", "/tokens", "/account", "/profiles/new", "/profiles/help", "/images/" + f.Image} {
		body := client.Get(t, path).Body
		if found := inline.FindString(strings.ReplaceAll(body, "https://ingot.example.org", "")); found != "" {
			t.Errorf("%s has %q", path, found)
		}
		if strings.Contains(body, secret) {
			t.Errorf("%s holds the secret of the session", path)
		}
	}
	answer := client.Post(t, "/tokens", url.Values{"name": {"monitoring"}, "role": {"viewer"}, "days": {"30"}})
	m := regexp.MustCompile(`<code id="secret">([^<]+)</code>`).FindStringSubmatch(answer.Body)
	if m == nil {
		t.Fatalf("no token is shown: %d", answer.Status)
	}
	if strings.Contains(client.Get(t, "/tokens").Body, m[1]) {
		t.Error("a token is shown twice")
	}
}
