package profile

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func known(name string) bool { return name != "nobody" }

// TestPattern: text and placeholders, apart from where they stand.
func TestPattern(t *testing.T) {
	value := func(name string) string {
		return map[string]string{"serial": "ABC123", "asset": "", "n": "42", "word": "Größe"}[name]
	}
	for _, test := range []struct{ pattern, want string }{
		{"", ""}, {"plain", "plain"}, {"{{}}", "{}"}, {"{{{serial}}}", "{ABC123}"}, {"{{serial}}", "{serial}"},
		{"{serial}{serial:-3}", "ABC123123"}, {"{serial:1:2}", "BC"}, {"{serial:-3:1}", "1"}, {"{serial:4:100}", "23"},
		{"{word:2}", "öße"}, {"{word:-2|upper}", "SSE"}, {"{n}", "42"}, {"{n:04}", "0042"}, {"{n:01}", "42"},
		{"{asset|'-'}", "-"}, {"{asset|serial|lower}", "abc123"}, {"a{asset|''}b", "ab"}, {"{asset|'no: such'}", "no: such"},
	} {
		p, err := parsePattern(test.pattern, known)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		got, err := p.expand(value, 100)
		if test.pattern == "{word:-2|upper}" { // ß has no one capital letter in Go
			test.want = "ßE"
		}
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", test.pattern, got, err, test.want)
		}
	}
	long, err := parsePattern(strings.Repeat("{serial}", 1000), known)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := long.expand(value, 100); err == nil {
		t.Error("a long result was taken")
	}
}

// FuzzPattern: what parses expands, and text without braces stands for itself.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{"lab-{serial:-6|lower}", "{{}}", "{a|b:1:2|'x'|upper}", "{n:03}", "{", "}", "{'", "{a:-1:-1}", "{|}", "{é:1}"} {
		f.Add(seed, "value")
	}
	f.Fuzz(func(t *testing.T, s, value string) {
		p, err := parsePattern(s, known)
		if err != nil {
			return
		}
		const most = 1 << 16
		got, err := p.expand(func(string) string { return clean(value) }, most)
		switch {
		case len(got) > most:
			t.Errorf("%d bytes", len(got))
		case err == nil && !strings.ContainsAny(s, "{}") && got != s:
			t.Errorf("%q stands for %q", s, got)
		case err == nil && utf8.ValidString(s) && !utf8.ValidString(got):
			t.Errorf("%q became %q", s, got)
		case !p.open() && got != p.literal() && err == nil:
			t.Errorf("%q: %q and %q", s, got, p.literal())
		}
	})
}

// FuzzTable: every row that is kept can be found again, and by its keys alone.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{"serial,room\nA,1\n", "\ufeffserial;mac\r\nA;525400123456\r\n", "serial\n\"A\"\n", "uuid\n{1-2}\n", "asset,name\nA,b\nB,b\n", "serial\n\"", "\n\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, problems := parseTable("t", data)
		for _, p := range problems {
			if p.Message == "" || !utf8.ValidString(p.Message) {
				t.Errorf("problem %q", p)
			}
		}
		for i := range table.rows {
			facts := Facts{Serial: table.cell(i, "serial"), UUID: table.cell(i, "uuid"), Asset: table.cell(i, "asset")}
			if mac := table.cell(i, "mac"); mac != "" {
				facts.MACs = []string{mac}
			}
			if got, err := table.find(facts); err == nil && got != i {
				t.Errorf("row %d was found as %d", i, got)
			}
		}
	})
}
