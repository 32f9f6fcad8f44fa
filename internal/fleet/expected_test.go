package fleet_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

func TestReadExpected(t *testing.T) {
	const text = "\ufeffSerial Number;Maker;MAC;Asset Tag;Name;Group;Hostname;room;desk\r\n" +
		"5XK2R93;Dell Inc.;;;lab-07;lab;LAB07;3.14;\"a \"\"b\"\"\"\r\n" +
		";;A4-BB-6D-11-22-34;;;;;;\r\n" +
		";;;;;;;;\r\n" +
		"\r\n" +
		" 5xk 2r94 ;;;INV-0815;\"lab-08\";;;\" 3.15\u202e\";\r\n"
	got, problems := fleet.ReadExpected([]byte(text))
	want := []fleet.Expected{
		{Line: 2, Identity: fleet.Identity{Serial: "Dell Inc./5XK2R93"}, Name: "lab-07", Group: "lab", Hostname: "LAB07", Values: fleet.Values{"room": "3.14", "desk": `a "b"`}},
		{Line: 3, Identity: fleet.Identity{MACs: []string{"a4:bb:6d:11:22:34"}}},
		{Line: 6, Identity: fleet.Identity{Serial: "/5xk 2r94", Asset: "INV-0815"}, Name: "lab-08", Values: fleet.Values{"room": "3.15"}},
	}
	if !reflect.DeepEqual(got, want) || len(problems) > 0 {
		t.Errorf("%+v\n%+v", got, problems)
	}
	_, sure, _ := fleet.Match(fleet.IdentityOf(optiplex()), []fleet.Machine{{Identity: got[0].Identity}})
	if !sure {
		t.Error("the machine is not the one that the list names")
	}
}

func TestReadExpectedProblems(t *testing.T) {
	for text, want := range map[string]string{
		"":                                               "0: the list is empty",
		"name,group\n":                                   "1: no column tells machines apart",
		"serial,serial\n":                                `1: the column "serial" is there twice`,
		"serial,Raum 3\n":                                `1: the column "Raum 3" cannot be a placeholder`,
		"serial,model\n":                                 "1: the column \"model\" would hide",
		"serial\n\xff\n":                                 "2: is not UTF-8",
		"serial,name\nA\"BCD,x\n5XK2R93,y\n":             "2: is not CSV",
		"serial\n5XK2R93\n5xk2r93\n":                     `3: the serial "5xk2r93" is in line 2 already`,
		"serial,name\n5XK2R93,a\n5XK2R94,A\n":            `3: the name "a" is in line 2 already`,
		"serial,name\n5XK2R93\n":                         "2: has 1 columns, the header has 2",
		"serial,name\n,lab-1\n":                          "2: names no machine: fill one of serial, uuid, mac, asset",
		"serial\nTo be filled by O.E.M.\n":               "2: the serial number",
		"serial\n0\n":                                    "2: the serial number \"0\" is too short",
		"uuid\n1234\n":                                   `2: "1234" is no UUID`,
		"mac\n00:11:22:33:44:55\n":                       `2: "00:11:22:33:44:55" is no MAC address, or one that many machines have`,
		"mac\n5.25E+11\n":                                `2: "5.25E+11" is no MAC address`,
		"asset\nNo Asset Tag\n":                          "2: the asset tag",
		"serial,hostname\n5XK2R93,lab_1\n":               `2: the hostname "lab_1" cannot be: a host name has only letters`,
		"serial,group\n5XK2R93,a/b\n":                    `2: the group "a/b" cannot be`,
		"serial,x\n5XK2R93," + strings.Repeat("x", 2000): "2: the column x has more than 1000 characters",
	} {
		got, problems := fleet.ReadExpected([]byte(text))
		said := fmt.Sprint(problems)
		if len(problems) > 0 {
			said = fmt.Sprintf("%d: %s", problems[0].Line, problems[0].Message)
		}
		if len(problems) != 1 || !strings.HasPrefix(said, want) || len(got) > 1 {
			t.Errorf("%q: %q, %d problems, %d machines", text, said, len(problems), len(got))
		}
	}
}

func TestReadExpectedBounds(t *testing.T) {
	var text strings.Builder
	text.WriteString("serial,name\n")
	for i := range 10_500 {
		fmt.Fprintf(&text, "SERIAL%06d,lab-%d\n", i, i)
	}
	start := time.Now()
	got, problems := fleet.ReadExpected([]byte(text.String()))
	if len(got) != 10_000 || len(problems) != 1 || time.Since(start) > 2*time.Second {
		t.Errorf("%d machines, %v, %v", len(got), problems, time.Since(start))
	}
	if got, problems := fleet.ReadExpected([]byte("serial\n" + strings.Repeat("1\n", 10_000))); len(got) != 0 || len(problems) != 101 {
		t.Errorf("%d machines, %d problems", len(got), len(problems))
	}
	if _, problems := fleet.ReadExpected(make([]byte, fleet.MaxExpected+1)); len(problems) != 1 {
		t.Errorf("%v", problems)
	}
}

func FuzzReadExpected(f *testing.F) {
	f.Add([]byte("\ufeffserial;name;room\r\n5XK2R93;lab-07;\"3\"\"\"\r\n"))
	f.Add([]byte("mac,uuid\tasset\nA4-BB-6D-11-22-34,{4c4c4544-0058-4b10-8032-b5c04f523933},x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		machines, problems := fleet.ReadExpected(data)
		if len(machines) > 10_000 || len(problems) > 103 {
			t.Fatalf("%d machines, %d problems", len(machines), len(problems))
		}
		for _, p := range problems {
			if p.Message == "" || len(p.Message) > 1000 || !utf8.ValidString(p.Message) {
				t.Errorf("%+v", p)
			}
		}
		for _, m := range machines {
			if m.Identity.Empty() || m.Line < 2 || m.Name != "" && fleet.NameProblem(m.Name) != "" {
				t.Errorf("%+v", m)
			}
			if !fleet.Compare(m.Identity, m.Identity).Sure() {
				t.Errorf("%+v is not itself", m.Identity)
			}
		}
	})
}
