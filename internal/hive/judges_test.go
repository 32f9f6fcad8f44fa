package hive

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// content is what a hive holds: "key\path" or "key\path\x00value" to type and
// data in hex.
type content map[string]string

func contentOf(t testing.TB, h *Hive) content {
	t.Helper()
	all := content{}
	var add func(path string, k Key)
	add = func(path string, k Key) {
		all[path] = "key"
		values, err := k.Values()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			all[path+"\x00"+v.Name] = fmt.Sprintf("%x:%x", uint32(v.Type), v.Data)
		}
		keys, err := k.Keys()
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			add(path+`\`+key.Name(), key)
		}
	}
	add("", h.Root())
	return all
}

// harmless are warnings of judges about how they print what they read.
var harmless = regexp.MustCompile("Wide character in print|While quoting value|converting .* to encoding US-ASCII")

// judge runs a program that reads hives and returns what it prints.
func judge(t testing.TB, name tool.Name, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	r, err := tool.Command{Name: name, Args: args, Out: &out}.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(r.Output) { // of standard error
		if !harmless.MatchString(line) {
			t.Errorf("%s: %s", name, line)
		}
	}
	return out.String()
}

func save(t testing.TB, file []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "hive")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// byHivex is the content of a hive as hivexregedit sees it.
func byHivex(t testing.TB, path string) content {
	t.Helper()
	all := content{}
	key := ""
	text := strings.ReplaceAll(judge(t, "hivexregedit", "--export", path, `\`), "\\\n", "")
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if !utf8.ValidString(line) { // Perl prints Latin-1 when it can
			line = decodeName([]byte(line), true).String()
		}
		switch {
		case line == "" || strings.HasPrefix(line, "Windows Registry"):
		case strings.HasPrefix(line, "["):
			key = strings.TrimSuffix(strings.TrimPrefix(line, "["), "]")
			key = strings.TrimSuffix(key, `\`)
			all[key] = "key"
		default:
			name, data := exported(t, line)
			all[key+"\x00"+name] = data
		}
	}
	return all
}

// exported reads a line "name"=type:data of an export.
func exported(t testing.TB, line string) (name, data string) {
	t.Helper()
	rest, ok := strings.CutPrefix(line, "@=")
	if !ok {
		quoted := line[1:]
		i := 0
		for ; quoted[i] != '"'; i++ {
			if quoted[i] == '\\' {
				i++
			}
		}
		name = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(quoted[:i])
		rest = strings.TrimPrefix(quoted[i+1:], "=")
	}
	if n, ok := strings.CutPrefix(rest, "dword:"); ok {
		v, err := strconv.ParseUint(n, 16, 32)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		return name, fmt.Sprintf("4:%x", Number("", uint32(v)).Data)
	}
	kind, digits, _ := strings.Cut(rest, ":")
	kind = strings.Trim(strings.TrimPrefix(kind, "hex"), "()")
	if kind == "" {
		kind = "3"
	}
	b, err := hex.DecodeString(strings.NewReplacer(",", "", " ", "").Replace(digits))
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return name, fmt.Sprintf("%s:%x", kind, b)
}

// byReglookup is how many keys and values reglookup sees.
func byReglookup(t testing.TB, path string) (keys, values int) {
	t.Helper()
	for line := range strings.Lines(judge(t, "reglookup", "-H", path)) {
		if strings.Contains(line, ",KEY,") {
			keys++
		} else {
			values++
		}
	}
	return keys, values
}

// judged checks a hive by all judges and by the auditor.
func judged(t *testing.T, file []byte, want content) {
	t.Helper()
	audit(t, file)
	path := save(t, file)
	differ(t, "hivex", byHivex(t, path), want)
	judge(t, "regfinfo", path)
	if file[24] == 4 {
		return // reglookup knows no big data there, which Windows has since 1.4
	}
	keys, values := byReglookup(t, path)
	wantKeys := 0
	for _, v := range want {
		if v == "key" {
			wantKeys++
		}
	}
	if keys != wantKeys || values != len(want)-wantKeys {
		t.Errorf("reglookup sees %d keys and %d values, want %d and %d", keys, values, wantKeys, len(want)-wantKeys)
	}
}

func differ(t *testing.T, who string, got, want content) {
	t.Helper()
	for name, v := range want {
		if g, ok := got[name]; !ok || g != v {
			t.Errorf("%s: %q is %.80q, want %.80q", who, name, g, v)
		}
	}
	for name, v := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %q is there: %.80q", who, name, v)
		}
	}
}
