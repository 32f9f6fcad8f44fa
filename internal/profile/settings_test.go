package profile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/profile"
)

func pc() profile.Facts {
	return profile.Facts{
		Maker: "Dell Inc.", Model: "OptiPlex 7090", SKU: "0A52", Serial: " 5CG1234XYZ ", UUID: "4C4C4544-0043-4710-8031-B4C04F334D32",
		Board: "/5CG/CN1", Asset: "", MACs: []string{"52:54:00:12:34:56", "52:54:00:ab:cd:ef"},
	}
}

// write puts a profile and what it refers to into a folder.
func write(t *testing.T, files map[string]string) (path string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "p.yaml")
}

func load(t *testing.T, files map[string]string) *profile.Document {
	t.Helper()
	doc, err := profile.Load(write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestHostname: patterns of names, on both systems.
func TestHostname(t *testing.T) {
	for _, test := range []struct {
		pattern string
		os      profile.OS
		want    string // a host name, or with a blank what the error says
	}{
		{"lab", profile.OSLinux, "lab"},
		{"lab-{serial:-6}", profile.OSWindows, "lab-234XYZ"},
		{"{serial|lower}", profile.OSWindows, "5cg1234xyz"},
		{"{serial:0:3|lower}-{n:03}", profile.OSWindows, "5cg-007"},
		{"{serial:3}", profile.OSWindows, "1234XYZ"},
		{"{serial:-100}", profile.OSWindows, "5CG1234XYZ"},
		{"{serial:-6:2}x", profile.OSWindows, "23x"},
		{"{asset|serial:-3}", profile.OSWindows, "XYZ"},
		{"{asset|'spare'|upper}-{n}", profile.OSWindows, "SPARE-7"},
		{"pc{asset|''}", profile.OSWindows, "pc"},
		{"{mac:-6}a", profile.OSWindows, "123456a"},
		{"{model}", profile.OSWindows, "OptiPlex7090"},
		{"{maker:0:4|lower}-{sku}", profile.OSWindows, "dell-0A52"},
		{"{board}", profile.OSLinux, "5CGCN1"},
		{"u{uuid:0:8}", profile.OSLinux, "u4c4c4544"},
		{"{room}-{seat}", profile.OSLinux, "r12-3"},

		{"{asset}", profile.OSLinux, `the machine with serial 5CG1234XYZ: "{asset}" has no value`},
		{"lab-{asset:-6}", profile.OSLinux, `"{asset:-6}" has no value`},
		{"{serial:20}", profile.OSLinux, `"{serial:20}" has no value`},
		{"{model}-{serial}", profile.OSWindows, "has 23 characters, Windows takes 15"},
		{"{model}-{serial}", profile.OSLinux, "OptiPlex7090-5CG1234XYZ"},
		{"{uuid}-{uuid}", profile.OSLinux, "has 73 characters, DNS takes 63"},
		{"{mac:-6}", profile.OSLinux, "has digits only"},
		{"{serial:-3}-{missing}", profile.OSLinux, `"{missing}" has no value`},
		{"{uuid:8:5}x", profile.OSLinux, "begins or ends with a hyphen"},
		{"local{host}", profile.OSLinux, "stands for every machine"},
	} {
		doc := load(t, map[string]string{"p.yaml": fmt.Sprintf("name: %q\nvalues: {room: r12, seat: \"\", missing: \"\", host: host}\n", test.pattern)})
		s, err := doc.Settings(pc(), test.os, profile.Overrides{Counter: 7, Values: map[string]string{"seat": "3"}})
		var wrong *profile.Error
		switch {
		case strings.Contains(test.want, " "):
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) || wrong.Problems[0].Line != 1 {
				t.Errorf("%s on %s: %v, %v, want %s", test.pattern, test.os, s, err, test.want)
			}
		case err != nil || s.Hostname != test.want:
			t.Errorf("%s on %s: %v, %v, want %s", test.pattern, test.os, s, err, test.want)
		}
	}
}

// TestExpand: what is in patterns is checked again when it is known, with the place
// of the pattern.
func TestExpand(t *testing.T) {
	for _, test := range []struct {
		yaml string // v is the value below
		os   profile.OS
		v    string
		want string // "": right
	}{
		{"users: [{name: '{v}'}]", profile.OSLinux, "anna", ""},
		{"users: [{name: '{v}'}]", profile.OSLinux, "anna; rm -rf /", "users[0].name: for a machine of which nothing is known: \"anna; rm"},
		{"users: [{name: '{v}'}]", profile.OSLinux, "root", "linux.root"},
		{"users: [{name: '{v}'}]", profile.OSLinux, "daemon", "of the system itself"},
		{"users: [{name: '{v}'}]", profile.OSWindows, "Administrator", "windows.administrator"},
		{"users: [{name: '{v}'}]", profile.OSWindows, "a<b", "which Windows refuses"},
		{"users: [{name: '{v}'}]", profile.OSWindows, strings.Repeat("x", 21), "longer than 20"},
		{"users: [{name: '{v}'}]\nname: PC1", profile.OSWindows, "pc1", "the name of the machine"},
		{"users: [{name: '{v}'}, {name: anna}]", profile.OSLinux, "anna", "given twice"},
		{"users: [{name: a, password: {file: '{v}'}}]", profile.OSLinux, "pw", ""},
		{"users: [{name: a, password: {file: '{v}'}}]", profile.OSLinux, "../pw", "leads out"},
		{"users: [{name: a, password: {file: '{v}'}}]", profile.OSLinux, "/etc/shadow-not-there", "does not exist"},
		{"users: [{name: a, password: {hash: '$5$saltsalt$0rl.MZtoLLPP3X0Rdl8riRnphIcAXJY27/aOAyK2hB5'}}]", profile.OSWindows, "", "takes no hashes"},
		{"network: [{name: eth0, addresses: ['{v}/24'], gateway: 192.0.2.1}]", profile.OSLinux, "192.0.2.7", ""},
		{"network: [{name: eth0, addresses: ['{v}/24'], gateway: 192.0.2.1}]", profile.OSLinux, "192.0.3.7", "in the network of none"},
		{"network: [{name: eth0, addresses: ['{v}/24']}]", profile.OSLinux, "192.0.2.0", "address of the network itself"},
		{"network: [{mac: '{v}', dhcp: true}]", profile.OSLinux, "525400123456", ""},
		{"network: [{mac: '{v}', dhcp: true}]", profile.OSLinux, "nonsense", "want six bytes"},
		{"network: [{name: Ethernet 2, dhcp: true}]", profile.OSLinux, "", "has a blank"},
		{"network: [{name: Ethernet 2, dhcp: true}]", profile.OSWindows, "", ""},
		{"network: [{name: eth0, dhcp: true, search: ['{v}']}]", profile.OSLinux, "a b", "no domain name"},
		{"files: [{path: /a, expand: true, content: '<{v}>'}]", profile.OSLinux, "]]>\"'%", ""},
		{"files: [{path: /a, content: ''}]", profile.OSWindows, "", "no path of Windows"},
		{"files: [{path: 'C:\\a', content: ''}]", profile.OSLinux, "", "the image holds Linux"},
		{"files: [{path: /a, source: '{v}'}]", profile.OSLinux, "pw", ""},
		{"files: [{path: /a, source: '{v}'}]", profile.OSLinux, "..", "leads out"},
		{"scripts: [{content: 'echo off'}]", profile.OSLinux, "", "does not begin with #!"},
		{"scripts: [{content: '#!/bin/sh'}]", profile.OSWindows, "", "begins with #!"},
		{"scripts: [{source: pw}]", profile.OSWindows, "", ".cmd, .bat or .ps1"},
		{"scripts: [{source: pw}]", profile.OSLinux, "", "does not begin with #!"},
		{"windows: {product-key: '{v}'}", profile.OSWindows, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", ""},
		{"windows: {product-key: '{v}'}", profile.OSWindows, "AAAAA", "want five groups"},
		{"windows: {owner: '{v}'}", profile.OSWindows, strings.Repeat("x", 300), "too long"},
		{"windows: {domain: {blob: '{v}.djoin'}}", profile.OSWindows, "pc1", "\"pc1.djoin\" does not exist"},
		{"windows: {domain: {blob: '{v}'}}", profile.OSWindows, "empty", "is empty"},
		{"windows: {domain: {name: '{v}', user: a, password: {plain: b}}}", profile.OSWindows, "a..b", "no domain name"},
		{"name: '{name}'\nusers: [{name: a}]", "", "", ""}, // refused before
	} {
		path := write(t, map[string]string{"p.yaml": test.yaml + "\nvalues: {v: \"\"}\n", "pw": "correct horse\n", "empty": "\n"})
		doc, err := profile.Load(path)
		if err != nil {
			if test.os != "" {
				t.Errorf("%s: %v", test.yaml, err)
			}
			continue
		}
		_, err = doc.Settings(profile.Facts{}, test.os, profile.Overrides{Values: map[string]string{"v": test.v}})
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s with %.20s on %s: %v, want %q", test.yaml, test.v, test.os, err, test.want)
		}
	}
}

// TestHostileFacts: firmware says what it likes.
func TestHostileFacts(t *testing.T) {
	doc := load(t, map[string]string{"p.yaml": "name: 'pc-{serial:-8}'\nfiles: [{path: /a, expand: true, content: 'S={serial}'}]\n"})
	for serial, want := range map[string]string{
		"A\x00B\x1b[2J\n\xff": "pc-AB2J",
		"$(reboot)`id`":       "pc-rebootid",
		"../../../etc":        "pc-etc",
		"ＡＢＣ":                 "", // not of DNS
	} {
		s, err := doc.Settings(profile.Facts{Serial: serial}, profile.OSLinux, profile.Overrides{})
		if want == "" {
			if err == nil {
				t.Errorf("%q: %v, want an error", serial, s.Hostname)
			}
			continue
		}
		if err != nil || s.Hostname != want || strings.ContainsAny(s.Files[0].Content, "\x00\x1b\n") {
			t.Errorf("%q: %v, %v, want %s", serial, s, err, want)
		}
	}
}

func TestOverrides(t *testing.T) {
	doc := load(t, map[string]string{"p.yaml": "name: lab\nvalues: {room: a}\n"})
	s, err := doc.Settings(pc(), profile.OSLinux, profile.Overrides{Hostname: "other"})
	if err != nil || s.Hostname != "other" {
		t.Errorf("%v, %v", s, err)
	}
	for _, o := range []profile.Overrides{{Hostname: "a b"}, {Values: map[string]string{"roon": "x"}}} {
		if _, err := doc.Settings(pc(), profile.OSLinux, o); err == nil {
			t.Errorf("%v was taken", o)
		}
	}
	// Nothing is said, so nothing is changed.
	doc = load(t, map[string]string{"p.yaml": "{}"})
	if s, err = doc.Settings(profile.Facts{}, profile.AnyOS, profile.Overrides{}); err != nil || s.Hostname != "" {
		t.Errorf("%v, %v", s, err)
	}
}

func TestNames(t *testing.T) {
	doc := load(t, map[string]string{"p.yaml": "name: \"lab-{serial:-2}{asset|n|''}\"\n"})
	names, err := doc.Names([]profile.Facts{{Serial: "A11"}, {Serial: "A12"}}, profile.OSLinux, 0)
	if err != nil || names[0] != "lab-11" || names[1] != "lab-12" {
		t.Errorf("%v, %v", names, err)
	}
	names, err = doc.Names([]profile.Facts{{Serial: "A11"}, {Serial: "B11"}}, profile.OSLinux, 3)
	if err != nil || names[0] != "lab-113" || names[1] != "lab-114" {
		t.Errorf("%v, %v", names, err)
	}
	_, err = doc.Names([]profile.Facts{{Serial: "A1a"}, {Serial: "B1A"}, {}}, profile.OSLinux, 0)
	if err == nil || !strings.Contains(err.Error(), `"lab-1A" is that of the machine with serial A1a as well`) || !strings.Contains(err.Error(), "has no value") {
		t.Error(err)
	}
}

// TestSecrets: a secret is where it is used, and nowhere else.
func TestSecrets(t *testing.T) {
	doc := load(t, map[string]string{
		"p.yaml": "users: [{name: a, password: {file: pw}}]\nlinux: {root: {plain: hunter2}}\nwindows: {domain: {name: a.org, user: b, password: {plain: hunter2}}}",
		"pw":     "\ufeffhunter2\r\nhunter3\n",
	})
	s, err := doc.Settings(profile.Facts{}, profile.OSLinux, profile.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Users[0].Password.Plain.Reveal(); got != "hunter2" {
		t.Errorf("the password is %q", got)
	}
	if len(s.Warnings) > 0 {
		t.Errorf("warnings: %v", s.Warnings)
	}
	text, err1 := s.YAML()
	js, err2 := json.Marshal(s)
	pjs, err3 := json.Marshal(doc.Profile)
	if errors.Join(err1, err2, err3) != nil {
		t.Fatal(errors.Join(err1, err2, err3))
	}
	all := fmt.Sprint(string(text), string(js), string(pjs), fmt.Sprintf("%v %+v %#v", s, *s, *s), doc.Profile)
	if strings.Contains(all, "hunter") || strings.Count(string(js), "(hidden)") != 3 {
		t.Error(all)
	}
}
