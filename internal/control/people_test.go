package control_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

const password = "correct horse battery"

func client(addr string) control.Client { return control.Client{Addr: addr, Agent: "test"} }

func (s *server) setup() control.Login {
	s.t.Helper()
	secret, err := s.SetupSecret(s.t.Context())
	s.must(err)
	login, err := s.Setup(s.t.Context(), secret, "Anna", password, client("192.0.2.9"))
	s.must(err)
	return login
}

func TestSetup(t *testing.T) {
	s := newServer(t)
	if needed, err := s.SetupNeeded(t.Context()); err != nil || !needed {
		t.Fatal(needed, err)
	}
	if _, err := s.Setup(t.Context(), "guess", "eve", password, client("192.0.2.66")); !errors.Is(err, control.ErrUnauthenticated) {
		t.Errorf("a guess: %v", err)
	}
	secret, _ := s.SetupSecret(t.Context())
	login := s.setup()
	if login.User.Name != "anna" || login.User.Role != fleet.Admin {
		t.Errorf("%+v", login.User)
	}
	var conflict *control.ConflictError
	if _, err := s.Setup(t.Context(), secret, "eve", password, client("192.0.2.66")); !errors.As(err, &conflict) {
		t.Errorf("the link works twice: %v", err)
	}
	actor, session, err := s.Authenticate(t.Context(), login.Secret)
	if err != nil || actor.Role != fleet.Admin || session.User != "anna" {
		t.Errorf("%+v %v", actor, err)
	}
}

func TestLogin(t *testing.T) {
	s := newServer(t)
	s.setup()
	if _, err := s.AddUser(t.Context(), admin(), "otto", fleet.Operator, "short"); err == nil {
		t.Error("a short password is taken")
	}
	_, err := s.AddUser(t.Context(), admin(), "otto", fleet.Operator, password)
	s.must(err)
	for _, wrong := range []struct{ name, password string }{{"otto", "wrong password"}, {"nobody", password}, {"", ""}, {"Otto\x00", password}} {
		if _, err := s.Login(t.Context(), wrong.name, wrong.password, client("192.0.2.1")); !errors.Is(err, control.ErrUnauthenticated) {
			t.Errorf("%q: %v", wrong.name, err)
		}
	}
	login, err := s.Login(t.Context(), " OTTO ", password, client("192.0.2.2"))
	s.must(err)
	s.wait(control.SessionIdle - time.Minute)
	if _, _, err := s.Authenticate(t.Context(), login.Secret); err != nil {
		t.Error(err)
	}
	s.wait(control.SessionIdle)
	if _, _, err := s.Authenticate(t.Context(), login.Secret); !errors.Is(err, control.ErrUnauthenticated) {
		t.Errorf("an idle session: %v", err)
	}
	login, err = s.Login(t.Context(), "otto", password, client("192.0.2.2"))
	s.must(err)
	for range 16 {
		s.wait(control.SessionIdle - time.Minute)
		_, _, err = s.Authenticate(t.Context(), login.Secret)
	}
	if !errors.Is(err, control.ErrUnauthenticated) {
		t.Errorf("a session has no end: %v", err)
	}
}

func TestRateLimit(t *testing.T) {
	s := newServer(t)
	s.setup()
	var limited *control.RateLimitedError
	for n := range 6 {
		if _, err := s.Login(t.Context(), "anna", "wrong", client("192.0.2.1")); errors.As(err, &limited) != (n >= 5) {
			t.Fatalf("attempt %d: %v", n, err)
		}
	}
	if _, err := s.Login(t.Context(), "anna", password, client("192.0.2.2")); !errors.As(err, &limited) {
		t.Errorf("the name can be tried from elsewhere: %v", err)
	}
	s.wait(2 * time.Second)
	if _, err := s.Login(t.Context(), "anna", password, client("192.0.2.2")); err != nil {
		t.Errorf("its owner is kept out: %v", err)
	}
	tried := 0
	for n := range 100 {
		_, err := s.Login(t.Context(), "user"+strings.Repeat("x", n%30), "wrong", client("2001:db8::"+string(rune('0'+n%10))))
		if !errors.As(err, &limited) {
			tried++
		}
		s.wait(time.Second)
	}
	if tried > 15 {
		t.Errorf("a network tried %d passwords in 100 s", tried)
	}
}

func TestUsersChange(t *testing.T) {
	s := newServer(t)
	s.setup()
	var conflict *control.ConflictError
	for _, err := range []error{
		s.SetRole(t.Context(), admin(), "anna", fleet.Viewer), s.SetDisabled(t.Context(), admin(), "anna", true), s.RemoveUser(t.Context(), admin(), "anna"),
	} {
		if !errors.As(err, &conflict) {
			t.Errorf("the last administrator goes: %v", err)
		}
	}
	_, err := s.AddUser(t.Context(), admin(), "otto", fleet.Admin, password)
	s.must(err)
	for name, change := range map[string]func() error{
		"role":     func() error { return s.SetRole(t.Context(), admin(), "otto", fleet.Operator) },
		"password": func() error { return s.SetPassword(t.Context(), admin(), "otto", "", password+"!") },
		"disabled": func() error { return s.SetDisabled(t.Context(), admin(), "otto", true) },
	} {
		s.must(s.SetDisabled(t.Context(), admin(), "otto", false))
		s.must(s.SetPassword(t.Context(), admin(), "otto", "", password))
		s.wait(time.Hour)
		login, err := s.Login(t.Context(), "otto", password, client("192.0.2.3"))
		s.must(err)
		s.must(change())
		if _, _, err := s.Authenticate(t.Context(), login.Secret); !errors.Is(err, control.ErrUnauthenticated) {
			t.Errorf("%s: the session goes on: %v", name, err)
		}
	}
	own := fleet.Actor{Kind: "user", Name: "otto", Role: fleet.Operator}
	if err := s.SetPassword(t.Context(), own, "otto", "wrong", password+"?"); err == nil {
		t.Error("one's own password changes without the old one")
	}
	var forbidden *control.ForbiddenError
	if err := s.SetPassword(t.Context(), own, "anna", "", password); !errors.As(err, &forbidden) {
		t.Errorf("somebody else's password: %v", err)
	}
}

func TestTokens(t *testing.T) {
	s := newServer(t)
	token, secret, err := s.AddToken(t.Context(), admin(), "ci", fleet.Operator, time.Hour)
	s.must(err)
	actor, err := s.AuthenticateToken(t.Context(), secret, "192.0.2.4")
	if err != nil || actor.Role != fleet.Operator || actor.Name != "ci" || !strings.HasPrefix(secret, "ingot_"+token.ID+"_") {
		t.Errorf("%+v %v", actor, err)
	}
	for _, bad := range []string{"", "ingot", secret + "x", strings.Replace(secret, "ingot", "job", 1), "ingot_" + token.ID + "_", strings.Repeat("_", 5000)} {
		if _, err := s.AuthenticateToken(t.Context(), bad, "192.0.2.4"); !errors.Is(err, control.ErrUnauthenticated) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	s.wait(time.Hour)
	if _, err := s.AuthenticateToken(t.Context(), secret, "192.0.2.4"); !errors.Is(err, control.ErrUnauthenticated) {
		t.Errorf("an expired token: %v", err)
	}
}

// TestRoles has every action with the least role that may: the one below may not.
func TestRoles(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	c, id := s.Control, a.machine
	for name, one := range map[string]struct {
		need fleet.Role
		do   func(fleet.Actor) error
	}{
		"machines": {fleet.Viewer, func(who fleet.Actor) error {
			_, _, err := c.Machines(t.Context(), who, control.MachineFilter{})
			return err
		}},
		"batches": {fleet.Viewer, func(who fleet.Actor) error {
			_, _, err := c.Batches(t.Context(), who, control.BatchFilter{})
			return err
		}},
		"images":   {fleet.Viewer, func(who fleet.Actor) error { _, err := c.Images(t.Context(), who); return err }},
		"profiles": {fleet.Viewer, func(who fleet.Actor) error { _, err := c.Profiles(t.Context(), who); return err }},
		"boots":    {fleet.Viewer, func(who fleet.Actor) error { _, err := c.BootRecords(t.Context(), who, control.Page{}); return err }},
		"settings": {fleet.Viewer, func(who fleet.Actor) error { _, err := c.Settings(t.Context(), who); return err }},
		"approve":  {fleet.Operator, func(who fleet.Actor) error { return c.Approve(t.Context(), who, []string{id}, nil) }},
		"reject":   {fleet.Operator, func(who fleet.Actor) error { return c.Reject(t.Context(), who, []string{id}) }},
		"rename":   {fleet.Operator, func(who fleet.Actor) error { return c.Rename(t.Context(), who, id, "pc-"+string(who.Role)) }},
		"notes":    {fleet.Operator, func(who fleet.Actor) error { return c.SetNotes(t.Context(), who, id, "x") }},
		"values":   {fleet.Operator, func(who fleet.Actor) error { return c.SetValues(t.Context(), who, id, nil) }},
		"group":    {fleet.Operator, func(who fleet.Actor) error { return c.AddGroup(t.Context(), who, "lab", "") }},
		"preview":  {fleet.Operator, func(who fleet.Actor) error { _, err := c.Preview(t.Context(), who, deploy(a)); return err }},
		"profile": {fleet.Operator, func(who fleet.Actor) error {
			return c.PutProfile(t.Context(), who, "lab", []byte("name: pc-{n}\n"))
		}},
		"tag":      {fleet.Operator, func(who fleet.Actor) error { _, err := c.TagImage(t.Context(), who, "lab-pc", "x"); return err }},
		"wake":     {fleet.Operator, func(who fleet.Actor) error { return c.Wake(t.Context(), who, []string{id}) }},
		"rm image": {fleet.Admin, func(who fleet.Actor) error { return c.RemoveImage(t.Context(), who, "lab-pc:v3") }},
		"rule": {fleet.Admin, func(who fleet.Actor) error {
			_, err := c.AddRule(t.Context(), who, fleet.Rule{Name: "dell", Field: "maker", Match: "Dell*"})
			return err
		}},
		"users":  {fleet.Admin, func(who fleet.Actor) error { _, err := c.Users(t.Context(), who); return err }},
		"tokens": {fleet.Admin, func(who fleet.Actor) error { _, err := c.Tokens(t.Context(), who); return err }},
		"audit":  {fleet.Admin, func(who fleet.Actor) error { _, err := c.Audit(t.Context(), who, control.Page{}); return err }},
		"set policy": {fleet.Admin, func(who fleet.Actor) error {
			return c.SetSettings(t.Context(), who, control.Settings{Sticks: control.SticksPending, Pending: 100})
		}},
		"add user": {fleet.Admin, func(who fleet.Actor) error {
			_, err := c.AddUser(t.Context(), who, "u-"+string(who.Role), fleet.Viewer, password)
			return err
		}},
	} {
		for _, who := range []fleet.Actor{{Kind: "agent", Name: "x"}, viewer(), operator(), admin()} {
			err := one.do(who)
			var forbidden *control.ForbiddenError
			if errors.As(err, &forbidden) == who.Role.May(one.need) {
				t.Errorf("%s as %q: %v", name, who.Role, err)
			}
			if who.Role.May(one.need) && err != nil {
				t.Errorf("%s as %q: %v", name, who.Role, err)
			}
		}
	}
}
