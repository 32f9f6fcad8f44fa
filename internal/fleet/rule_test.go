package fleet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

func TestRuleMatches(t *testing.T) {
	m := fleet.Machine{Inventory: optiplex(), Identity: fleet.IdentityOf(optiplex()), Addr: "10.1.2.3:5678"}
	for _, test := range []struct {
		field, match string
		want         bool
	}{
		{"maker", "dell*", true}, {"maker", "Dell", false}, {"maker", "HP*", false}, {"maker", "", false},
		{"model", "optiplex 70?0", true}, {"model", "*70*", true}, {"model", "**", true}, {"model", "?", false},
		{"serial", "5XK2R9[0-9]", false}, {"serial", "5xk2r93", true}, {"serial", "5xk*9?", true},
		{"asset", "LAB-*", true}, {"mac", "A4-BB-6D-*", true}, {"mac", "a4:bb:6e:*", false},
		{"addr", "10.1.0.0/16", true}, {"addr", "10.2.0.0/16", false}, {"addr", "10.1.2.3", true}, {"addr", "10.1.2.99/24", true}, {"addr", "::/0", false}, {"addr", "no", false},
		{"uuid", "*", false},
	} {
		if got := (fleet.Rule{Field: test.field, Match: test.match}).Matches(m); got != test.want {
			t.Errorf("%s %q: %v", test.field, test.match, got)
		}
	}
	m.Inventory.Serial, m.Addr = "Default string", "fe80::1%eth0"
	if (fleet.Rule{Field: "serial", Match: "*"}).Matches(m) || !(fleet.Rule{Field: "addr", Match: "fe80::/10"}).Matches(m) {
		t.Error("a placeholder is a serial number, or an address with a zone is none")
	}
}

// Patterns come from people, values from firmware: neither may cost time.
func TestGlobIsQuick(t *testing.T) {
	m := fleet.Machine{Inventory: optiplex()}
	m.Inventory.Model = strings.Repeat("a", 200)
	start := time.Now()
	for range 1000 {
		if (fleet.Rule{Field: "model", Match: strings.Repeat("a*", 99) + "b"}).Matches(m) {
			t.Fatal("matched")
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Error(took)
	}
}

func TestRuleProblem(t *testing.T) {
	good := fleet.Rule{Name: "lab serials", Field: "serial", Match: "5XK*", Group: "lab"}
	if field, problem := good.Problem(); field+problem != "" {
		t.Error(field, problem)
	}
	for want, change := range map[string]func(*fleet.Rule){
		"name":  func(r *fleet.Rule) { r.Name = "" },
		"field": func(r *fleet.Rule) { r.Field = "uuid" },
		"match": func(r *fleet.Rule) { r.Match = "" },
		"group": func(r *fleet.Rule) { r.Group = "a/b" },
	} {
		r := good
		change(&r)
		if field, problem := r.Problem(); field != want || problem == "" {
			t.Errorf("%s: %q %q", want, field, problem)
		}
	}
	for match, ok := range map[string]bool{"10.0.0.0/8": true, "10.0.0.1": true, "fd00::/8": true, "10.0.0.0/33": false, "10.*": false, "\x00": false} {
		r := fleet.Rule{Name: "x", Field: "addr", Match: match}
		if _, problem := r.Problem(); (problem == "") != ok {
			t.Errorf("%q: %q", match, problem)
		}
	}
	r := fleet.Rule{Name: "x", Field: "mac", Match: "zz:*"}
	if _, problem := r.Problem(); problem == "" {
		t.Error("zz is in no address")
	}
}
