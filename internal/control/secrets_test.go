package control_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// TestSecrets does much with secrets that are known, and looks for them in all that
// is kept for people: the audit log, the server's log, errors, what lists show.
func TestSecrets(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	const planted = "pl4nted-secret"
	var secrets, texts []string
	failed := func(err error) {
		if err != nil {
			texts = append(texts, err.Error())
		}
	}
	login := s.setup()
	secrets = append(secrets, password, planted, login.Secret)
	_, err := s.AddUser(ctx, admin(), "otto", fleet.Operator, planted+"-1")
	failed(err)
	_, err = s.Login(ctx, "otto", planted+"-2", client("192.0.2.1"))
	failed(err)
	_, err = s.Login(ctx, planted+" typed as a name", planted, client("192.0.2.1"))
	failed(err)
	failed(s.SetPassword(ctx, admin(), "otto", "", planted+"-3"))
	_, token, err := s.AddToken(ctx, admin(), "ci", fleet.Viewer, time.Hour)
	failed(err)
	_, secret, _ := strings.Cut(strings.TrimPrefix(token, "ingot_"), "_")
	secrets = append(secrets, secret)
	_, err = s.AuthenticateToken(ctx, "ingot_x_"+planted, "192.0.2.1")
	failed(err)
	failed(s.PutProfile(ctx, operator(), "lab", []byte("users:\n  - name: lab\n    password: {plain: "+planted+"-profile}\n")))
	failed(s.PutProfile(ctx, operator(), "bad", []byte("users:\n  - nmae: lab\n    password: {plain: "+planted+"-profile}\n")))
	a := s.approved(1)[0]
	s.must(s.SetValues(ctx, operator(), a.machine, fleet.Values{"pin": planted + "-value"}))
	spec := deploy(a)
	spec.Deploy.Values = map[string]string{"key": planted + "-batch"}
	s.submit(spec)
	a.next()
	_, jobSecret, _ := strings.Cut(strings.TrimPrefix(a.job.Token, "job_"), "_")
	secrets = append(secrets, a.session, jobSecret)
	_, err = s.Objects(ctx, "job_"+a.job.ID+"_"+planted)
	failed(err)
	_, err = s.Next(ctx, planted, "")
	failed(err)
	enrol, err := s.EnrolSecret(ctx, inventory(9).MACs[0])
	failed(err)
	secrets = append(secrets, enrol)
	other := s.agent(8)
	other.boot = "boot-00008"
	_, err = other.hello(enrol)
	failed(err)
	a.finish(done())

	audit, err := s.Audit(ctx, admin(), control.Page{Limit: 1000})
	s.must(err)
	users, err := s.Users(ctx, admin())
	s.must(err)
	tokens, err := s.Tokens(ctx, admin())
	s.must(err)
	sessions, err := s.Sessions(ctx, admin(), "")
	s.must(err)
	jobs, _, err := s.Jobs(ctx, viewer(), control.JobFilter{})
	s.must(err)
	shown, err := s.Profile(ctx, viewer(), "lab")
	s.must(err)
	for _, v := range []any{audit, users, tokens, sessions, jobs, shown} {
		text, err := json.Marshal(v)
		s.must(err)
		texts = append(texts, string(text))
	}
	texts = append(texts, s.log.String())
	for _, secret := range secrets {
		for _, text := range texts {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%.12s... is told: %.200s", secret, text[max(0, i-60):])
			}
		}
	}
	if len(audit) < 12 {
		t.Errorf("%d audit entries", len(audit))
	}
	if dump := os.Getenv("INGOT_SHOW_AUDIT"); dump != "" {
		for _, e := range audit {
			t.Log(e.Actor.Kind, e.Actor.Name, e.Action, e.Object, e.Detail, e.Result)
		}
	}
}

func TestEvents(t *testing.T) {
	s := newServer(t)
	events := s.Subscribe(t.Context())
	a := s.agent(0).start()
	if e := <-events; e.Topic != control.TopicMachine || e.ID != a.machine {
		t.Errorf("%+v", e)
	}
	for range 1000 {
		s.must(s.SawBoot(t.Context(), fleet.BootRecord{MAC: "x"}))
	}
	last := control.Event{}
	for n := len(events); n > 0; n-- {
		last = <-events
	}
	if last.Topic != control.TopicAll {
		t.Errorf("events were lost, and nobody is told: %+v", last)
	}
	s.must(s.SawBoot(t.Context(), fleet.BootRecord{MAC: "x"}))
	if e := <-events; e.Topic != control.TopicBoot {
		t.Errorf("%+v", e)
	}
}

func TestLint(t *testing.T) {
	s := newServer(t)
	s.images.lint = json.RawMessage(`{"subject":"lab-pc","serious":1,"findings":[{"id":"x","severity":"serious"},{"id":"y","severity":"info"}]}`)
	events := s.Subscribe(t.Context())
	s.must(s.SetImageNotes(t.Context(), operator(), "lab-pc", "for\x1b room A\nsecond line"))
	s.must(s.LintImage(t.Context(), operator(), "lab-pc"))
	for range 3 {
		<-events
	}
	image, err := s.Image(t.Context(), viewer(), "lab-pc")
	s.must(err)
	if image.Lint == nil || image.Lint.Errors != 1 || image.Lint.Notes != 1 || image.Lint.Running || len(image.Lint.Report) == 0 || image.Notes != "for room A\nsecond line" {
		t.Errorf("%+v %+v", image, image.Lint)
	}
}
