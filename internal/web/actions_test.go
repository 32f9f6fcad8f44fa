package web_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/web/webtest"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// user is a browser, and what its pages must say.
type user struct {
	*webtest.Client
	t *testing.T
}

// posts sends a form that must be taken, and returns the page that it leads to.
func (u user) posts(path string, form url.Values, wants ...string) webtest.Answer {
	u.t.Helper()
	got := u.Post(u.t, path, form)
	if got.Status != http.StatusSeeOther {
		u.t.Fatalf("POST %s: %d\n%s", path, got.Status, said(got.Body))
	}
	return u.sees(got.Header.Get("Location"), wants...)
}

// refused sends a form that must not be taken.
func (u user) refused(path string, form url.Values, wants ...string) {
	u.t.Helper()
	got := u.Post(u.t, path, form)
	if got.Status != http.StatusUnprocessableEntity && got.Status != http.StatusConflict {
		u.t.Errorf("POST %s: %d", path, got.Status)
	}
	u.has(path, got.Body, wants)
}

func (u user) sees(path string, wants ...string) webtest.Answer {
	u.t.Helper()
	got := u.Get(u.t, path)
	if got.Status != http.StatusOK {
		u.t.Fatalf("GET %s: %d\n%s", path, got.Status, said(got.Body))
	}
	u.has(path, got.Body, wants)
	return got
}

func (u user) has(path, body string, wants []string) {
	u.t.Helper()
	for _, want := range wants {
		if !strings.Contains(said(body), want) {
			u.t.Errorf("%s does not say %q:\n%s", path, want, said(body))
		}
	}
}

var tags = regexp.MustCompile(`(?s)<nav.*?</nav>|<details class="menu".*?</details>|<[^>]*>`)

// said is the text of a page, without its menus.
func said(body string) string {
	text := tags.ReplaceAllString(strings.NewReplacer("</option>", " ", "</td>", " ", "</th>", " ", "</p>", " ", "</li>", " ").Replace(body), "")
	return strings.Join(strings.Fields(text), " ")
}

func one(pairs ...string) url.Values {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return form
}

func TestMachineActions(t *testing.T) {
	room := webtest.New(t)
	_, secret := room.Admin(t)
	u := user{room.Client(secret), t}
	a, b := room.Start(t, webtest.Inventory(1)), room.Start(t, webtest.Inventory(2))
	both := func(more ...string) url.Values {
		return one(append([]string{"m", a.Machine, "m", b.Machine}, more...)...)
	}
	u.posts("/machines/do", both("do", "approve"), "Approved 2 machines.")
	u.posts("/machines/do", one("do", "approve"), "Nothing was done: no machine was selected.")
	u.refused("/machines/do", both("do", "explode"), "Choose what to do with 2 machines.")
	u.posts("/machines/do", both("do", "more", "more", "join"), "New group")
	u.posts("/machines/join", both("new", "lab"), "2 machines have joined the group lab.")
	u.refused("/machines/join", both(), "Choose a group, or name a new one.")
	u.posts("/machines/"+a.Machine+"/leave", one("group", "lab"), "It left the group lab.")
	u.posts("/machines/"+a.Machine+"/edit", one("name", "desk-1", "hostname", "DESK1", "notes", "by the door", "values", "room=B12\nseat = 4"), "Saved.", "desk-1", "DESK1", "by the door", "{room}B12")
	u.refused("/machines/"+a.Machine+"/edit", one("name", "desk-1", "values", "room B12"), "Line 1 is not of the form name=value.")
	u.refused("/machines/"+a.Machine+"/edit", one("name", b.Name), "has the name")
	u.refused("/machines/"+a.Machine+"/edit", one("name", "desk-1", "hostname", "not a name!"), "One thing is not right yet.")
	u.posts("/machines/do", both("do", "more", "more", "reject"), "Rejected 2 machines.")
	u.sees("/machines?state=rejected&sort=-seen", "2 machines match.", "desk-1")
	u.sees("/machines?q=nobody", "No machine matches.")
	u.posts("/machines/forget", one("m", b.Machine), "Forgot 1 machine.")

	list := "serial,name,group,room\n7QW8T44,lab-02,lab,B12\n,lab-03,lab,B12\n"
	got := u.Post(t, "/machines/import", one("text", list))
	u.has("import", got.Body, []string{"1 added, 0 updated, of", "1 line was left out.", "Names no machine"})
	u.sees("/machines?group=lab", "lab-02", "imported, not seen yet")
}

func TestWork(t *testing.T) {
	room := webtest.New(t)
	admin, secret := room.Admin(t)
	room.AddImages()
	u := user{room.Client(secret), t}
	two := webtest.Inventory(2)
	two.Disks = append(two.Disks, wire.Disk{Path: "/dev/sda", Model: "Big", Serial: "BIG12345", Transport: "sata", Size: 1 << 40, Sector: 512})
	a, b := room.Start(t, webtest.Inventory(1)), room.Start(t, two)
	if err := room.Control.Approve(t.Context(), admin, []string{a.Machine, b.Machine}, map[string]string{a.Machine: "pc-one", b.Machine: "pc-two"}); err != nil {
		t.Fatal(err)
	}
	u.sees("/deploy?step=plan", "Choose an image first.")
	u.sees("/deploy?step=plan&image=lab-pc:v3", "Choose at least one machine, or a group.")
	plan := "/deploy?step=plan&image=lab-pc:v3&m=" + a.Machine + "&m=" + b.Machine
	page := u.sees(plan, "1 machine has a problem.", "Leave out what has problems", "has 2 disks", "ntfs &#39;Windows&#39;")
	if !strings.Contains(page.Body, "<button class=\"primary\" disabled>Start") {
		t.Error("a plan with problems can be started")
	}
	u.refused("/deploy", one("image", "lab-pc:v3", "m", a.Machine, "m", b.Machine), "has 2 disks")
	u.refused("/deploy", one("image", "lab-pc:v3", "m", a.Machine, "limit", "many", "at", "tomorrow"), "2 things are not right yet.", "whole number", "a date and a time")
	u.posts("/deploy", one("image", "lab-pc:v3", "m", a.Machine, "m", b.Machine, "disk", "/dev/nvme0n1", "readback", "1", "notes", "evening"),
		"The deploy was started.", "Deploy lab-pc:v3 to 2 machines", "read back everything", "evening")
	a.Take(t)
	b.Take(t)
	a.Report(t, webtest.Half(), "writing")
	b.Finish(t, webtest.Broken())
	u.sees("/jobs/"+b.Job.ID, "failed", "Write /dev/nvme0n1", "What to do:", "Its disk is unfinished")
	u.sees("/jobs/"+a.Job.ID+"/cancel", "1 job has not ended", "does not start")
	u.posts("/jobs/"+a.Job.ID+"/cancel", nil, "Cancelled. Jobs that run end in good order first.", "stopping")
	a.Finish(t, wire.Result{Outcome: wire.Cancelled, Target: wire.Unfinished})
	u.posts("/jobs/"+b.Job.ID+"/retry", nil, "The work was ordered again.")
	b.Take(t)
	b.Finish(t, webtest.Whole())
	u.sees("/jobs/"+b.Job.ID, "done", "Every byte was verified.", "Where the time went")

	u.sees("/work/wipe?m="+a.Machine, "Discard", "Overwrite")
	u.sees("/work/wipe?step=plan&wipe=discard&m="+a.Machine, "Everything on this disk is lost for good.", "Type pc-one to go on")
	u.refused("/work/wipe", one("m", a.Machine, "wipe", "discard"), "nothing was started")
	u.refused("/work/wipe", one("m", a.Machine, "wipe", "discard", "typed", "pc-two"), "nothing was started")
	u.posts("/work/wipe", one("m", a.Machine, "wipe", "discard", "typed", "pc-one"), "The work was started.", "Wipe of 1 machine")
	a.Take(t)
	a.Finish(t, wire.Result{Outcome: wire.Done, Target: wire.Complete})
	u.refused("/work/capture", one("m", b.Machine, "disk", "/dev/nvme0n1"), "One thing is not right yet. image: Give the image a name.")
	u.posts("/work/capture", one("m", b.Machine, "disk", "/dev/nvme0n1", "name", "office-pc", "mode", "files", "exclude", "/tmp/*"), "Capture office-pc", "file by file")
	b.Take(t)
	b.Finish(t, wire.Result{Outcome: wire.Done, Name: "office-pc:v1"})
	u.sees("/jobs/"+b.Job.ID, "The image is office-pc:v1.")
	u.sees("/work/reboot?m="+a.Machine, "Restart 1 machine")
	u.posts("/work/reboot", one("m", a.Machine), "Restart of 1 machine")
	if got := u.Get(t, "/work/dance?m="+a.Machine); got.Status != http.StatusNotFound {
		t.Errorf("an unknown kind of work: %d", got.Status)
	}
}

func TestImagesAndProfiles(t *testing.T) {
	room := webtest.New(t)
	_, secret := room.Admin(t)
	room.AddImages()
	u := user{room.Client(secret), t}
	u.posts("/images/lab-pc:v3/notes", one("notes", "with office"), "The notes were saved.", "with office")
	u.posts("/images/lab-pc:v3/tag", one("name", "lab-pc:final"), "The image is called lab-pc:final as well.")
	u.posts("/images/lab-pc:v3/lint", nil, "What matters before many machines get it")
	u.sees("/images/lab-pc:final/remove", "The image stays, by its other names.")
	u.refused("/images/lab-pc:final/remove", one("name", "lab-pc"), "nothing was removed")
	u.posts("/images/lab-pc:final/remove", one("name", "lab-pc:final"), "The name lab-pc:final was removed.")
	u.sees("/images/lab-pc:v2/remove", "This is the image’s last name.")

	u.refused("/profiles/new", one("name", "lab", "yaml", "name: lab\ncolour: red\n"), "Not saved: 1 mistake.", "Line 2, column 1")
	u.posts("/profiles/new", one("name", "lab", "yaml", "name: \"lab-{serial:-4}\"\r\n"), "The profile was saved.")
	u.refused("/profiles/new", one("name", "lab", "yaml", "name: other\n"), "There is a profile with this name already.")
	u.refused("/profiles/lab", one("yaml", "name: [\n"), "Not saved")
	got := u.Post(t, "/profiles/lab", one("do", "check", "yaml", "name: other\n"))
	u.has("check", got.Body, []string{"No mistakes. It is not saved yet."})
	if strings.Contains(u.sees("/profiles/lab").Body, "other") {
		t.Error("a check saves")
	}
	u.uploads("/profiles/lab/files", "scripts", "first.sh", "#!/bin/sh\n", http.StatusSeeOther)
	u.uploads("/profiles/lab/files", "../..", "evil.sh", "", http.StatusUnprocessableEntity)
	u.sees("/profiles/lab", "scripts/first.sh 10 B")
	u.sees("/profiles/lab/files/remove?file=scripts/first.sh", "the file scripts/first.sh")
	u.posts("/profiles/lab/files/remove", one("file", "scripts/first.sh"), "scripts/first.sh was removed.", "None. Tables of machines")
	u.posts("/profiles/lab/remove", nil, "The profile lab was removed.")
	u.sees("/profiles/help", "windows.domain.name")
}

// uploads sends a file.
func (u user) uploads(path, folder, name, text string, want int) {
	u.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	fields := map[string]string{"csrf": u.Token(u.t), "folder": folder}
	for field, value := range fields {
		if err := w.WriteField(field, value); err != nil {
			u.t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		u.t.Fatal(err)
	}
	fmt.Fprint(part, text)
	if err := w.Close(); err != nil {
		u.t.Fatal(err)
	}
	if got := u.Do(u.t, http.MethodPost, path, &body, http.Header{"Content-Type": {w.FormDataContentType()}}); got.Status != want {
		u.t.Errorf("a file %s/%s: %d\n%s", folder, name, got.Status, said(got.Body))
	}
}

func TestPeople(t *testing.T) {
	room := webtest.New(t)
	admin, secret := room.Admin(t)
	u := user{room.Client(secret), t}
	u.refused("/users", one("name", "otto", "role", "operator", "password", "short"), "at least 10 characters")
	u.posts("/users", one("name", "otto", "role", "operator", "password", webtest.Password), "otto can log in now.")
	vera := user{room.Client(room.User(t, admin, "vera", fleet.Viewer)), t}
	u.posts("/users/otto/role", one("role", "viewer"), "The role was changed.")
	u.posts("/users/otto/password", one("password", "another long one"), "The password was changed.")
	u.posts("/users/otto/disabled", one("disabled", "yes"), "The account is switched off.")
	u.posts("/users/otto/disabled", one("disabled", "no"), "The account is switched on.")
	u.refused("/users/anna/role", one("role", "viewer"), "is the only administrator")
	u.posts("/users/otto/remove", nil, "The user otto was removed.")

	vera.refused("/account/password", one("old", "wrong one", "password", "long enough now", "again", "long enough now"), "This is not the password that you have now.")
	vera.refused("/account/password", one("old", webtest.Password, "password", "long enough now", "again", "otherwise"), "The two passwords differ.")
	vera.posts("/account/password", one("old", webtest.Password, "password", "long enough now", "again", "long enough now"), "The password was changed.")

	u.posts("/groups", one("name", "lab", "notes", "B12"), "The group lab is there.")
	u.posts("/rules", one("rule", "all of them", "field", "serial", "match", "5XK*", "group", "lab"), "The rule was added.", "serial number is 5XK*")
	u.refused("/rules", one("rule", "bad", "field", "colour", "match", "red"), "not right yet")
	remove := regexp.MustCompile(`/rules/remove\?id=([^"]+)`).FindStringSubmatch(u.sees("/groups").Body)
	u.sees("/rules/remove?id="+remove[1], "the rule all of them")
	u.posts("/rules/remove", one("id", remove[1]), "The rule was removed.")
	u.posts("/groups/remove", one("name", "lab"), "The group lab was removed.")
	u.posts("/settings", one("sticks", "refused", "pending", "50"), "The settings were saved.")
	u.refused("/settings", one("sticks", "maybe", "pending", "50"), "not right yet")

	u.Post(t, "/tokens", one("name", "nightly", "role", "operator", "days", "30"))
	revoke := regexp.MustCompile(`/tokens/remove\?id=([^"]+)`).FindStringSubmatch(u.sees("/tokens", "nightly").Body)
	u.posts("/tokens/remove", one("id", revoke[1]), "The token was revoked.")
	u.sees("/audit?q=token.remove", "token.remove")
	session := regexp.MustCompile(`/sessions/([^/]+)/revoke`).FindStringSubmatch(u.sees("/account").Body)
	if got := u.Post(t, "/sessions/"+session[1]+"/revoke", nil); got.Header.Get("Location") != "/login" || u.Get(t, "/").Status != http.StatusSeeOther {
		t.Error("a session that was ended goes on")
	}
}
