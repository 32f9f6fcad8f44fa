package answer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/tool"
)

const shell, specialize = "Microsoft-Windows-Shell-Setup", "specialize"

// hostile are values that would break out of where they stand.
func hostile() []string {
	return []string{`"quoted" 'too'`, "]]>", "a & b &amp; <c>", "line\nbreak", "tab\there", "cr\r\nlf", "%PATH%", "</ComputerName><x/>", "<!-- -->", "ü€😀", "", " blank ", "<![CDATA[x]]>"}
}

func TestHostileValues(t *testing.T) {
	f := New()
	for _, v := range hostile() {
		f.Component(specialize, shell, "amd64").Add("Item", "List").Set(v, "Value")
	}
	data := wellFormed(t, f)
	again, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	got := again.Component(specialize, shell, "amd64").Texts("List", "Item", "Value")
	for i, want := range hostile() {
		if i >= len(got) || got[i] != strings.TrimSpace(want) {
			t.Errorf("%q is %q", want, got[i])
		}
	}
	var plain struct {
		Values []string `xml:"settings>component>List>Item>Value"`
	}
	if err := xml.Unmarshal(data, &plain); err != nil {
		t.Fatal(err)
	}
	for i, want := range hostile() {
		if plain.Values[i] != want {
			t.Errorf("%q is %q by encoding/xml", want, plain.Values[i])
		}
	}
}

func TestImpossibleValues(t *testing.T) {
	for _, v := range []string{"a\x00", "\x01", "\x0b", "\x1b[0m", "bad\xff", "\uFFFE", "\uFFFF"} {
		f := New()
		f.Component(specialize, shell, "amd64").Set(v, "OEM", "Name")
		_, err := f.Bytes()
		if err == nil || !strings.Contains(err.Error(), "specialize, "+shell+", OEM/Name") {
			t.Errorf("%q: %v", v, err)
		}
	}
}

// wellFormed returns the bytes of f after xmllint read them.
func wellFormed(t testing.TB, f *File) []byte {
	t.Helper()
	data, err := f.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "unattend.xml")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (tool.Command{Name: "xmllint", Args: []string{"--noout", "--nonet", path}}).Run(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return data
}

const template = `<?xml version="1.0" encoding="utf-8"?>
<!-- ours, since 2019 -->
<unattend xmlns="urn:schemas-microsoft-com:unattend" xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State">
	<settings pass="specialize">
		<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="x86" language="neutral"><ComputerName>old-x86</ComputerName></component>
		<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64" publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS">
			<ComputerName>*</ComputerName> <!-- kept -->
			<CopyProfile>true</CopyProfile>
		</component>
	</settings>
	<settings pass="oobeSystem">
		<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64" publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS">
			<FirstLogonCommands>
				<SynchronousCommand wcm:action="add"><Order>1</Order><CommandLine>cmd /c &quot;echo&quot; &gt; x</CommandLine></SynchronousCommand>
			</FirstLogonCommands>
		</component>
	</settings>
	<cpi:offlineImage cpi:source="wim:c:/install.wim#Pro" xmlns:cpi="urn:schemas-microsoft-com:cpi" />
</unattend>
`

func TestTemplateIsKept(t *testing.T) {
	f, err := Parse([]byte("\xEF\xBB\xBF" + template))
	if err != nil {
		t.Fatal(err)
	}
	if same := string(wellFormed(t, f)); tokens(t, same) != tokens(t, template) {
		t.Errorf("an untouched template changed:\n%s", same)
	}
	c := f.Component(specialize, shell, "amd64")
	c.Set("lab-7", "ComputerName")
	c.Set("Europe", "TimeZone")
	list := f.Component("oobeSystem", shell, "amd64")
	list.Add("SynchronousCommand", "FirstLogonCommands").Set("2", "Order")
	f.Component("auditSystem", "New", "arm64").Set("x", "A", "B")
	data := string(wellFormed(t, f))
	want := template
	for _, r := range []struct{ old, new string }{
		{"<ComputerName>*<", "<ComputerName>lab-7<"},
		{"<CopyProfile>true</CopyProfile>\n\t\t", "<CopyProfile>true</CopyProfile>\n      <TimeZone>Europe</TimeZone>\n    "},
		{"</SynchronousCommand>\n\t\t\t", "</SynchronousCommand>\n        <SynchronousCommand wcm:action=\"add\">\n          <Order>2</Order>\n        </SynchronousCommand>\n      "},
		{"</unattend>", "  <settings pass=\"auditSystem\">\n    <component name=\"New\" processorArchitecture=\"arm64\" publicKeyToken=\"31bf3856ad364e35\" language=\"neutral\" versionScope=\"nonSxS\" xmlns:wcm=\"" + stateSpace + "\">\n      <A>\n        <B>x</B>\n      </A>\n    </component>\n  </settings>\n</unattend>"},
	} {
		want = strings.Replace(want, r.old, r.new, 1)
	}
	want = strings.ReplaceAll(want, "amd64\" publicKeyToken=\"31bf3856ad364e35\" language=\"neutral\" versionScope=\"nonSxS\">", "amd64\" publicKeyToken=\"31bf3856ad364e35\" language=\"neutral\" versionScope=\"nonSxS\" xmlns:wcm=\""+stateSpace+"\">")
	if tokens(t, data) != tokens(t, want) {
		t.Errorf("got\n%s\nwant\n%s", data, want)
	}
}

// tokens is a document as encoding/xml sees it, name spaces resolved.
func tokens(t *testing.T, data string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(data))
	var all bytes.Buffer
	e := xml.NewEncoder(&all)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok && len(bytes.TrimSpace(c)) == 0 {
			continue
		}
		if err := e.EncodeToken(token); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestPrefix: elements that are put into a file whose elements have a prefix have
// it too.
func TestPrefix(t *testing.T) {
	f, err := Parse([]byte(`<u:unattend xmlns:u="urn:schemas-microsoft-com:unattend"><u:settings pass="specialize"/></u:unattend>`))
	if err != nil {
		t.Fatal(err)
	}
	f.Component(specialize, shell, "amd64").Set("x", "ComputerName")
	if data := string(wellFormed(t, f)); !strings.Contains(data, "<u:ComputerName>x</u:ComputerName>") || strings.Count(data, "u:settings") != 2 {
		t.Error(data)
	}
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("<a>", maxDepth+1) + strings.Repeat("</a>", maxDepth+1)
	for name, data := range map[string]string{
		"empty": "", "other root": "<settings/>", "doctype": `<!DOCTYPE unattend [<!ENTITY x "y">]><unattend/>`, "two roots": "<unattend/><unattend/>",
		"not closed": "<unattend><a>", "crossed": "<unattend><a></unattend></a>", "prefix": "<unattend><b:a></c:a></unattend>", "entity": "<unattend>&x;</unattend>",
		"deep": "<unattend>" + deep + "</unattend>", "not UTF-8": "<unattend>\xff</unattend>", "text": "x<unattend/>", "other encoding": `<?xml version="1.0" encoding="latin1"?><unattend/>`,
		"large": "<unattend>" + strings.Repeat(" ", MaxSize) + "</unattend>", "end": "</unattend>",
	} {
		if _, err := Parse([]byte(data)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	secret := "<unattend>\n<a>\n hunter2 & </a></unattend>"
	if _, err := Parse([]byte(secret)); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("%v", err)
	}
}

func TestClearAndUnset(t *testing.T) {
	f := New()
	c := f.Component("oobeSystem", shell, "amd64")
	for _, name := range []string{"anna", "Bert", "carl"} {
		c.Add("LocalAccount", "UserAccounts", "LocalAccounts").Set(name, "Name")
	}
	c.Clear("LocalAccount", "Name", func(s string) bool { return strings.EqualFold(s, "bert") }, "UserAccounts", "LocalAccounts")
	if got := c.Texts("UserAccounts", "LocalAccounts", "LocalAccount", "Name"); len(got) != 2 || c.Items("LocalAccount", "UserAccounts", "LocalAccounts") != 2 {
		t.Errorf("%q", got)
	}
	c.Unset("UserAccounts")
	if strings.Contains(string(wellFormed(t, f)), "anna") {
		t.Error("it is still there")
	}
}

// FuzzTemplate puts a value into any answer file: what was read can be written,
// and read again with the value in it and all else as it was.
func FuzzTemplate(f *testing.F) {
	f.Add([]byte(template), "x")
	f.Add([]byte(`<u:unattend xmlns:u="y"><?a b?><u:settings pass="specialize"><!-- c --></u:settings></u:unattend>`), "]]>&")
	f.Fuzz(func(t *testing.T, data []byte, value string) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		file.Component(specialize, shell, "amd64").Set(value, "FuzzedValue")
		first, err := file.Bytes()
		if err != nil {
			return
		}
		again, err := Parse(first)
		if err != nil {
			t.Fatalf("%v\n%q", err, first)
		}
		if got := again.Component(specialize, shell, "amd64").Texts("FuzzedValue"); len(got) == 0 || got[0] != strings.TrimSpace(value) {
			t.Errorf("%q is %q", value, got)
		}
		if second, err := again.Bytes(); err != nil || !bytes.Equal(second, first) {
			t.Errorf("%v\n%q\n%q", err, first, second)
		}
	})
}
