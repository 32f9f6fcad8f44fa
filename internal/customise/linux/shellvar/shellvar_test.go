package shellvar

import (
	"os/exec"
	"strings"
	"testing"
)

func TestGet(t *testing.T) {
	text := []byte("# A=no\nA=one\nexport B='two words' # c\nC=\"a \\\"b\\\" \\$x\"\nA=\"three\"\nD=\"over\nA=lines\"\nE=x\\ y;F=1\n")
	for name, want := range map[string]string{"A": "three", "B": "two words", "C": `a "b" $x`, "D": "over\nA=lines", "E": "x y"} {
		if got, ok := Get(text, name); !ok || got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, ok := Get(text, "G"); ok {
		t.Error("G is set")
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct{ text, name, value, want string }{
		{"", "LANG", "de_DE.UTF-8", "LANG=de_DE.UTF-8\n"},
		{"A=1", "LANG", "x y", "A=1\nLANG=\"x y\"\n"},
		{"A=1\nLANG=\"en\" # c\nB=2\n", "LANG", "de", "A=1\nLANG=\"de\" # c\nB=2\n"},
		{"LANG=en\n", "LANG", "$(x)\nEVIL=1", "LANG=\"\\$(x)\"\n"},
		{"LANG=en\nLANG=fr\n", "LANG", "de", "LANG=en\nLANG=de\n"},
		{"LANG=\"de\"\n", "LANG", "de", "LANG=\"de\"\n"},
	} {
		if got := string(Set([]byte(c.text), c.name, c.value)); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
	if got := string(Unset([]byte("A=1\nLC_ALL=\"x\ny\"\nB=2\nLC_ALL=z"), func(n string) bool { return n == "LC_ALL" })); got != "A=1\nB=2\n" {
		t.Errorf("%q", got)
	}
}

func TestAddWords(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "L=\"a b=1\"\n"},
		{"L=\"\"\n", "L=\"a b=1\"\n"},
		{"L=\"quiet a\" # c\n", "L=\"quiet a b=1\" # c\n"},
		{"L='quiet'\n", "L='quiet a b=1'\n"},
		{"L=quiet\n", "L=quiet\" a b=1\"\n"},
		{"L=\"$M x\"'y'\n", "L=\"$M x\"'y'\" a b=1\"\n"},
		{"L=\n", "L=\"a b=1\"\n"},
		{"L=\"b=1 a\"\n", "L=\"b=1 a\"\n"},
		{"L=\"x\\\"\"\n", "L=\"x\\\"\"\" a b=1\"\n"},
	} {
		got := AddWords([]byte(c.text), "L", []string{"a", "b=1"})
		if string(got) != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
		if again := AddWords(got, "L", []string{"a", "b=1"}); string(again) != string(got) {
			t.Errorf("again: %q", again)
		}
	}
}

// shell asks a shell what a variable is.
func shell(t *testing.T, text, name string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", `. /dev/stdin; printf %s "$`+name+`"`)
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(out)
}

func TestShellAgrees(t *testing.T) {
	for _, value := range []string{"plain", "two words", `quo"tes'`, "$(touch /x)", "`x`", `back\slash`, "a;b", "%s", "..", "ü", "#x", "!x", "*"} {
		text := string(Set([]byte("A='old value'\nB=1\n"), "A", value))
		if got := shell(t, text, "A"); got != value {
			t.Errorf("%q is %q to a shell: %s", value, got, text)
		}
		if got, _ := Get([]byte(text), "A"); got != value {
			t.Errorf("%q is %q when read", value, got)
		}
	}
	for _, text := range []string{"L=\"a b\"", "L='a'\"b\"c", "L=x", "M=1\nL=\"$M\"", "L=\"a\\\"b\""} {
		before := shell(t, text+"\n", "L")
		after := shell(t, string(AddWords([]byte(text+"\n"), "L", []string{"k=v"})), "L")
		if after != before+" k=v" {
			t.Errorf("%s: %q became %q", text, before, after)
		}
	}
}

func FuzzEdit(f *testing.F) {
	f.Add("A=1\nB=\"x\ny\"\n", "v")
	f.Add("export A='\\", "\"")
	f.Fuzz(func(t *testing.T, text, value string) {
		set := Set([]byte(text), "A", value)
		want, _, _ := strings.Cut(value, "\n")
		got, ok := Get(set, "A")
		if quoted := strings.ContainsAny(text, "'\"\\"); !quoted && (!ok || got != want) { // what is in quotes may not be ended
			t.Fatalf("%q set to %q is %q in %q", text, value, got, set)
		}
		words := AddWords([]byte(text), "A", []string{"k=v"})
		if len(words) < len(text) {
			t.Fatalf("%q became %q", text, words)
		}
		Unset([]byte(text), func(string) bool { return true })
	})
}
