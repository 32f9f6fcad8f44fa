package dbtest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

func testUsers(t *testing.T, r control.Records) {
	ctx := background(t)
	anna := fleet.User{Name: "anna", Role: fleet.Admin, Hash: "$argon2id$v=19$...", Made: at(1)}
	bert := fleet.User{Name: "bert", Role: fleet.Viewer, Hash: "x", Disabled: true, Made: at(0), LastLogin: at(9)}
	must(t, r.PutUser(ctx, bert))
	must(t, r.PutUser(ctx, anna))
	got(t, []fleet.User{anna, bert})(r.Users(ctx))
	anna.Hash, anna.LastLogin = "other", at(3)
	must(t, r.PutUser(ctx, anna))
	got(t, anna)(r.User(ctx, "anna"))
	session := fleet.Session{ID: "s1", Hash: []byte{1}, User: "anna", Made: at(1), Seen: at(1), Expires: at(100)}
	must(t, r.PutSession(ctx, session))
	must(t, r.RemoveUser(ctx, "anna"))
	_, err := r.User(ctx, "anna")
	absent(t, err)
	_, err = r.SessionByHash(ctx, []byte{1})
	absent(t, err)
	absent(t, r.RemoveUser(ctx, "anna"))
}

func testSessions(t *testing.T, r control.Records) {
	ctx := background(t)
	must(t, r.PutUser(ctx, fleet.User{Name: "anna"}))
	must(t, r.PutUser(ctx, fleet.User{Name: "bert"}))
	var all []fleet.Session
	for i, user := range []string{"anna", "anna", "bert", "anna"} {
		s := fleet.Session{ID: string(rune('a' + i)), Hash: []byte{0, byte(i)}, User: user, Made: at(i), Seen: at(i), Expires: at(100 + i), Addr: "::1", Agent: "Mozilla"}
		must(t, r.PutSession(ctx, s))
		all = append([]fleet.Session{s}, all...)
	}
	got(t, all[1])(r.SessionByHash(ctx, []byte{0, 2}))
	all[1].Seen = at(50)
	must(t, r.PutSession(ctx, all[1]))
	got(t, all)(r.Sessions(ctx, ""))
	got(t, all[1:2])(r.Sessions(ctx, "bert"))
	must(t, r.RemoveSessions(ctx, "anna", "b"))
	left, err := r.Sessions(ctx, "")
	must(t, err)
	if ids := strings.Join(each(left, func(s fleet.Session) string { return s.ID }), ""); ids != "cb" {
		t.Errorf("%q are left", ids)
	}
	must(t, r.RemoveSessions(ctx, "nobody", ""))
	must(t, r.ExpireSessions(ctx, at(0), at(2))) // b was seen at 1
	got(t, all[1:2])(r.Sessions(ctx, ""))
	must(t, r.ExpireSessions(ctx, at(103), at(0))) // c expires at 102
	if left, err := r.Sessions(ctx, ""); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	absent(t, r.RemoveSession(ctx, "c"))
	_, err = r.SessionByHash(ctx, nil)
	absent(t, err)
}

func testTokens(t *testing.T, r control.Records) {
	ctx := background(t)
	a := fleet.Token{ID: "t-b", Name: "ci", Hash: []byte{1, 2}, Role: fleet.Operator, MadeBy: "anna", Made: at(1)}
	b := fleet.Token{ID: "t-a", Name: "ci", Hash: []byte{3}, Role: fleet.Viewer, Made: at(2), Expires: at(99)}
	must(t, r.PutToken(ctx, b))
	must(t, r.PutToken(ctx, a))
	a.Seen = at(7)
	must(t, r.PutToken(ctx, a))
	got(t, []fleet.Token{a, b})(r.Tokens(ctx))
	got(t, a)(r.Token(ctx, a.ID))
	must(t, r.RemoveToken(ctx, a.ID))
	_, err := r.Token(ctx, a.ID)
	absent(t, err)
	absent(t, r.RemoveToken(ctx, a.ID))
}

func testAgents(t *testing.T, r control.Records) {
	ctx := background(t)
	first := fleet.AgentSession{Hash: []byte("1"), Machine: "m-1", Boot: "b1", Made: at(1), Addr: "10.0.0.1:1"}
	next := fleet.AgentSession{Hash: []byte("2"), Machine: "m-1", Boot: "b2", Made: at(2)}
	must(t, r.PutAgentSession(ctx, first))
	got(t, first)(r.AgentSession(ctx, []byte("1")))
	must(t, r.PutAgentSession(ctx, next))
	_, err := r.AgentSession(ctx, []byte("1"))
	absent(t, err)
	got(t, next)(r.AgentSession(ctx, []byte("2")))

	secret := fleet.EnrolSecret{Hash: []byte{0, 9}, MAC: "a4:bb:6d:00:00:01", Made: at(1), Expires: at(10)}
	must(t, r.PutEnrolSecret(ctx, secret))
	secret.Boot = "b1"
	must(t, r.PutEnrolSecret(ctx, secret))
	got(t, secret)(r.EnrolSecret(ctx, []byte{0, 9}))
	must(t, r.ExpireEnrolSecrets(ctx, at(10)))
	got(t, secret)(r.EnrolSecret(ctx, []byte{0, 9}))
	must(t, r.ExpireEnrolSecrets(ctx, at(11)))
	_, err = r.EnrolSecret(ctx, []byte{0, 9})
	absent(t, err)
}

func testAudit(t *testing.T, r control.Records) {
	ctx := background(t)
	for i := range 250 {
		e := fleet.AuditEntry{At: at(i), Actor: fleet.Actor{Kind: "user", Name: "Anna", Role: fleet.Admin, Addr: "10.0.0.1"}, Action: "machine.approve", Object: "machine m-1 (lab-07)", Result: "ok"}
		if i%50 == 0 {
			e.Detail = "100% ÄRGER"
		}
		must(t, r.AddAudit(ctx, e))
	}
	page, err := r.Audit(ctx, control.Page{})
	must(t, err)
	if len(page) != 100 || !page[0].At.Equal(at(249)) || page[0].Actor.Name != "Anna" || page[0].ID <= page[1].ID {
		t.Fatalf("%d entries, %+v", len(page), page[0])
	}
	next, err := r.Audit(ctx, control.Page{Before: page[99].ID, Limit: 200})
	if err != nil || len(next) != 150 || !next[0].At.Equal(at(149)) {
		t.Errorf("%d entries, %v", len(next), err)
	}
	for match, want := range map[string]int{"ärger": 5, "00%": 5, "anna": 200, "M-1": 200, "nobody": 0, "_": 0} {
		found, err := r.Audit(ctx, control.Page{Match: match, Limit: 200})
		if err != nil || len(found) != want {
			t.Errorf("%q: %d entries, want %d; %v", match, len(found), want, err)
		}
	}
}

func testBoots(t *testing.T, r control.Records) {
	ctx := background(t)
	b := fleet.BootRecord{MAC: "a4:bb:6d:00:00:01", UUID: "u", Addr: "10.0.0.2:68", Arch: "UEFI x64", Protocol: "proxydhcp", Asked: "discover of PXEClient",
		Offered: "shimx64.efi", Why: "the machine is unknown", Machine: "m-1"}
	for i := range 300 {
		b.At = at(i)
		must(t, r.AddBoot(ctx, b, 100))
	}
	page, err := r.BootRecords(ctx, control.Page{Limit: 1000, Match: "SHIM"})
	if err != nil || len(page) < 90 || len(page) > 120 {
		t.Fatalf("%d records, %v", len(page), err)
	}
	b.ID = page[0].ID
	if !reflect.DeepEqual(page[0], b) {
		t.Errorf("%+v", page[0])
	}
}

func testSettings(t *testing.T, r control.Records) {
	ctx := background(t)
	must(t, r.PutSetting(ctx, fleet.Setting{Name: "url", Value: "https://a"}))
	must(t, r.PutSetting(ctx, fleet.Setting{Name: "url", Value: "https://b"}))
	got(t, "https://b")(r.Setting(ctx, "url"))
	must(t, r.RemoveSetting(ctx, "url"))
	_, err := r.Setting(ctx, "url")
	absent(t, err)
	absent(t, r.RemoveSetting(ctx, "url"))
}

func testImageNotes(t *testing.T, r control.Records) {
	ctx := background(t)
	a := fleet.ImageNote{Image: "aa", Notes: "with Office", Lint: []byte(`{"findings": []}`), By: "anna", At: at(1)}
	b := fleet.ImageNote{Image: "bb", At: at(2)}
	must(t, r.PutImageNote(ctx, b))
	must(t, r.PutImageNote(ctx, a))
	a.Notes = "without"
	must(t, r.PutImageNote(ctx, a))
	got(t, a)(r.ImageNote(ctx, "aa"))
	got(t, []fleet.ImageNote{a, b})(r.ImageNotes(ctx))
	must(t, r.RemoveImageNote(ctx, "aa"))
	_, err := r.ImageNote(ctx, "aa")
	absent(t, err)
	absent(t, r.RemoveImageNote(ctx, "aa"))
}
