package profile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/profile"
)

const tableProfile = "machines: pcs.csv\nname: '{room}-{seat|n|serial}'\n"

// TestTable: what is wrong with tables, and where.
func TestTable(t *testing.T) {
	for _, test := range []struct {
		name, csv string
		want      []string // nothing: it is right
	}{
		{"commas", "serial,room,seat\nA,r1,1\nB,r1,2\n", nil},
		{"semicolons, BOM and CRLF", "\ufeffSerial;Room;Seat\r\nA;r1;1\r\n", nil},
		{"tabs", "serial\troom\tseat\nA\tr1\t1\n", nil},
		{"quotes", "serial,room,seat\n\"A\",\"r\"\"1\",\"1\"\n", nil},
		{"empty lines", "serial,room,seat\n\nA,r1,1\n,,\n", nil},
		{"no lines", "serial,room,seat\n", nil},

		{"empty", "", []string{"pcs.csv: is empty"}},
		{"not UTF-8", "serial,room,seat\nA,b\xfcro,1\n", []string{"pcs.csv:2:4: is not UTF-8"}},
		{"no key", "room,seat\nr1,1\n", []string{"pcs.csv:1:1: has no column that identifies a machine: want one of serial, uuid, mac or asset"}},
		{"column twice", "serial,room,Room,seat\n", []string{`pcs.csv:1:13: the column "Room" is there twice`}},
		{"bad column", "serial,room,seat,two words,1st,größe,\n", []string{":18: the column", ":28: the column", ":32: the column", `the column "" cannot`}},
		{"hiding", "serial,room,seat,model,n\n", []string{"would hide the placeholder {model}", "{n}"}},
		{"serial twice", "serial,room,seat\nA,r1,1\na,r1,2\n", []string{`pcs.csv:3:1: the serial "a" is in line 2 already`}},
		{"mac twice", "mac,room,seat\n52:54:00:12:34:56,r1,1\n52-54-00-12-34-56,r1,2\n", []string{"pcs.csv:3:1: the mac", "in line 2 already"}},
		{"uuid twice", "uuid,room,seat\n4C4C4544-0043-4710-8031-B4C04F334D32,r1,1\n{4c4c4544-0043-4710-8031-b4c04f334d32},r1,2\n", []string{"in line 2 already"}},
		{"bad mac", "mac,room,seat\n52:54,r1,1\n", []string{`pcs.csv:2:1: "52:54" is no MAC address`}},
		{"name column twice", "serial,room,seat,name\nA,r1,1,pc\nB,r1,2,PC\n", []string{`pcs.csv:3:8: the name "PC" is in line 2 already`}},
		{"bad name", "serial,room,seat,name\nA,r1,1,my pc\n", []string{`pcs.csv:2:8: "my pc" is no host name`}},
		{"same host name", "serial,room,seat\nA,r1,1\nB,R1,1\n", []string{`pcs.csv:3:1: the host name "R1-1" is that of line 2 already`}},
		{"host name by another way", "serial,room,seat,name\nA,r1,1,\nB,r1,2,r1-1\n", []string{`pcs.csv:3:1: the host name "r1-1" is that of line 2 already`}},
		{"bad host name", "serial,room,seat\nA,r1,-\n", []string{`pcs.csv:2:1: the host name "r1--" begins or ends with a hyphen`}},
		{"columns", "serial,room,seat\nA,r1\nB,r1,2,3\n", []string{"pcs.csv:2:1: has 2 columns, the header has 3", "pcs.csv:3:1: has 4 columns"}},
		{"no key in a line", "serial,room,seat\n,r1,1\n", []string{"pcs.csv:2:1: says of no machine: fill one of serial"}},
		{"broken quotes", "serial,room,seat\nA,r\"1,1\n", []string{"pcs.csv:2:4: is not CSV here"}},
		{"open quote", "serial,room,seat\nA,\"r1,1\n", []string{"is not CSV here"}},
		{"large cell", "serial,room,seat\nA," + strings.Repeat("x", 5000) + ",1\n", []string{"more than 4096 bytes"}},
		{"many columns", strings.Repeat("a,", 300) + "serial\n", []string{"more than 200 columns"}},
		{"missing column", "serial,room\nA,r1\n", []string{`p.yaml:2:7: name: the placeholder "{seat|n|serial}" is not known`}},
	} {
		_, err := profile.Load(write(t, map[string]string{"p.yaml": tableProfile, "pcs.csv": test.csv}))
		if len(test.want) == 0 && err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", test.name, err, want)
			}
		}
	}
}

// TestMachine: which line is a machine's, and what it is worth.
func TestMachine(t *testing.T) {
	doc := load(t, map[string]string{
		"p.yaml":  "machines: pcs.csv\nname: '{room}-{serial}'\nvalues: {room: spare, floor: '1'}\nfiles: [{path: /a, expand: true, content: '{floor} of it'}]\n",
		"pcs.csv": "serial,mac,uuid,asset,room,name\nA1,,,,r1,\n,52-54-00-12-34-56,,,r2,\nC3,52:54:00:00:00:03,,,r3,special\n,,,T4,r4,\nE5,,,,,\n",
	})
	for _, test := range []struct {
		facts profile.Facts
		want  string // a host name, or with a blank what the error says
	}{
		{profile.Facts{Serial: "a1"}, "r1-a1"},
		{profile.Facts{Serial: "ZZ", MACs: []string{"00:00:00:00:00:01", "52:54:00:12:34:56"}}, "r2-ZZ"},
		{profile.Facts{Serial: "C3"}, "special"},
		{profile.Facts{Serial: "C3", MACs: []string{"52:54:00:00:00:99"}}, "spare-C3"}, // its MAC address is another's
		{profile.Facts{MACs: []string{"525400000003"}}, "special"},
		{profile.Facts{Serial: "X", Asset: "t4"}, "r4-X"},
		{profile.Facts{Serial: "E5"}, "spare-E5"},
		{profile.Facts{Serial: "F6"}, "spare-F6"},
		{profile.Facts{Serial: "A1", Asset: "T4"}, "lines 2 and 5 of pcs.csv are both this machine's"},
		{profile.Facts{Asset: "T4"}, `"{serial}" has no value`},
		{profile.Facts{}, "no line of pcs.csv is this machine's"},
	} {
		s, err := doc.Settings(test.facts, profile.OSLinux, profile.Overrides{})
		if strings.Contains(test.want, " ") {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v: %v, %v, want %s", test.facts, s, err, test.want)
			}
			continue
		}
		if err != nil || s.Hostname != test.want || !strings.HasPrefix(s.Files[0].Content, "1 ") {
			t.Errorf("%v: %v, %v, want %s", test.facts, s, err, test.want)
		}
	}
	if doc.Machines() != 5 {
		t.Errorf("%d machines", doc.Machines())
	}
}

// TestManyMachines: a table of a large site is read quickly, and one without end is
// refused.
func TestManyMachines(t *testing.T) {
	var b strings.Builder
	b.WriteString("serial,room,seat\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, "S%d,r,%d\n", i, i)
	}
	doc := load(t, map[string]string{"p.yaml": tableProfile, "pcs.csv": b.String()})
	s, err := doc.Settings(profile.Facts{Serial: "S19999"}, profile.OSLinux, profile.Overrides{})
	if err != nil || s.Hostname != "r-19999" {
		t.Errorf("%v, %v", s, err)
	}
	for i := range 90_000 {
		fmt.Fprintf(&b, "T%d,t,%d\n", i, i)
	}
	_, err = profile.Load(write(t, map[string]string{"p.yaml": tableProfile, "pcs.csv": b.String()}))
	var wrong *profile.Error
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "more than 99999 machines") {
		t.Errorf("%.200v", err)
	}
}
