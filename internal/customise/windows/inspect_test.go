package windows

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ingot-imaging/ingot/internal/customise/windows/answer"
	"github.com/ingot-imaging/ingot/internal/hive"
	"github.com/ingot-imaging/ingot/internal/profile"
)

func TestInspect(t *testing.T) {
	got, err := Inspect(believable(t, generalized).root(t))
	want := Info{Product: "Windows 10 Pro", Version: "10.0", Build: "22631.3155", Edition: "Professional", Architecture: "amd64", ImageState: generalized, Generalized: true,
		ComputerName: "REFERENCE", TimeZone: "Pacific Standard Time", Languages: []string{"en-US"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestInspectSigns(t *testing.T) {
	const control = `ControlSet002\Control`
	name := "EXAMPLE"
	b := build{
		"WINDOWS/system32/Config/system": systemHive(t, put{`ControlSet002\Services\Tcpip\Parameters`, hive.String("Domain", "")},
			put{control + `\Session Manager`, hive.Strings("PendingFileRenameOperations", `\??\C:\x`)}, put{control + `\BitLocker`, hive.Number("PreventDeviceEncryption", 0)}),
		"WINDOWS/system32/Config/software": softwareHive(t, "", put{`Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending`, hive.Number("", 1)}, put{`Policies\Microsoft\FVE`, hive.Number("x", 1)}),
		"WINDOWS/system32/Config/security": hiveFile(t, 5, put{`Policy\PolPrDmS`, hive.Value{Data: []byte("\x01\x04\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00aaaabbbbcccc")}},
			put{`Policy\PolPrDmN`, hive.Value{Data: append(make([]byte, 8), hive.String("", name).Data...)}}),
		"windows.old/x":                 nil,
		"WINDOWS/setup/state/STATE.INI": []byte("[State]\r\nImageState=" + complete + "\r\n"),
		"WINDOWS/winsxs/pending.xml":    nil,
		"hiberfil.sys":                  []byte("wake" + strings.Repeat("\x00", 5000)),
		"ProgramData/Microsoft/Wlansvc/Profiles/Interfaces/{1}/{a}.xml": []byte(`<?xml version="1.0"?><WLANProfile xmlns="x"><name>Lab &amp; Co</name></WLANProfile>`),
		"ProgramData/Microsoft/Wlansvc/Profiles/Interfaces/{1}/{b}.xml": []byte(`<bad`),
		"ProgramData/Microsoft/Wlansvc/Profiles/Interfaces/{2}/{c}.xml": []byte(`<WLANProfile><name>Home</name></WLANProfile>`),
	}
	b["WINDOWS/system32/Config/system"][4]++
	got, err := Inspect(b.root(t))
	if err != nil {
		t.Fatal(err)
	}
	if !got.DomainMember || got.Domain != name || got.ImageState != complete || got.Generalized || got.Hibernated {
		t.Errorf("%+v", got)
	}
	if len(got.PendingReboot) != 3 || len(got.BitLocker) != 2 || !slices.Equal(got.WiFiProfiles, []string{"Home", "Lab & Co"}) || !slices.Equal(got.Dirty, []string{"/WINDOWS/system32/Config/system"}) {
		t.Errorf("%+v", got)
	}
	if _, err := Inspect(build{"etc/os-release": nil}.root(t)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestTemplate puts a profile into an own answer file.
func TestTemplate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.xml")
	own := `<unattend xmlns="urn:schemas-microsoft-com:unattend" xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State">
<settings pass="specialize"><component name="Microsoft-Windows-UnattendedJoin" processorArchitecture="amd64"><Identification><JoinWorkgroup>OLD</JoinWorkgroup></Identification></component></settings>
<settings pass="oobeSystem"><component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64">
<OOBE><ProtectYourPC>1</ProtectYourPC></OOBE>
<UserAccounts><LocalAccounts><LocalAccount wcm:action="add"><Name>ANNA</Name></LocalAccount><LocalAccount wcm:action="add"><Name>kept</Name></LocalAccount></LocalAccounts></UserAccounts>
<FirstLogonCommands><SynchronousCommand wcm:action="add"><Order>5</Order><CommandLine>theirs</CommandLine></SynchronousCommand></FirstLogonCommands>
</component></settings></unattend>`
	if err := os.WriteFile(path, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	s := lab(t)
	s.Windows.Unattend = path
	b := believable(t, generalized)
	b[answerFile] = []byte("<unattend/>")
	root := b.root(t)
	report := apply(t, root, job(s))
	if !anyHas(report.Notes, "replaced") {
		t.Errorf("%q", report.Notes)
	}
	f, err := answer.Parse([]byte(file(t, root, answerFile)))
	if err != nil {
		t.Fatal(err)
	}
	user, join := f.Component(oobeSystem, shellSetup, "amd64"), f.Component(specialize, joining, "amd64")
	for what, v := range map[string]struct{ got, want []string }{
		"accounts": {user.Texts("UserAccounts", "LocalAccounts", "LocalAccount", "Name"), []string{"kept", "anna", "Müller"}},
		"orders":   {user.Texts("FirstLogonCommands", "SynchronousCommand", "Order"), []string{"5", "6", "7"}},
		"page":     {user.Texts("OOBE", "ProtectYourPC"), []string{"1"}},
		"group":    {join.Texts("Identification", "JoinWorkgroup"), nil},
		"domain":   {join.Texts("Identification", "JoinDomain"), []string{"ad.example.org"}},
	} {
		if !slices.Equal(v.got, v.want) {
			t.Errorf("%s: %q, want %q", what, v.got, v.want)
		}
	}
}

func TestJoin(t *testing.T) {
	blob := filepath.Join(t.TempDir(), "lab.djoin")
	var wide []byte
	for _, u := range utf16.Encode([]rune("\uFEFFARAIAMzM\x00")) { // as djoin writes it
		wide = append(wide, byte(u), byte(u>>8))
	}
	bad := blob + "x"
	for name, data := range map[string][]byte{blob: wide, bad: []byte("<hunter2>")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		windows profile.Windows
		path    []string
		want    string // "": an error
	}{
		"workgroup": {profile.Windows{Workgroup: "LAB"}, []string{"Identification", "JoinWorkgroup"}, "LAB"},
		"blob":      {profile.Windows{Domain: profile.Domain{Blob: blob}}, []string{"Identification", "Provisioning", "AccountData"}, "ARAIAMzM"},
		"bad blob":  {profile.Windows{Domain: profile.Domain{Blob: bad}}, nil, ""},
		"at":        {profile.Windows{Domain: profile.Domain{Name: "ad.example", User: "u@other.example"}}, []string{"Identification", "Credentials", "Domain"}, "other.example"},
		"plain":     {profile.Windows{Domain: profile.Domain{Name: "ad.example", User: "u"}}, []string{"Identification", "Credentials", "Domain"}, "ad.example"},
	}
	for name, test := range tests {
		root := believable(t, generalized).root(t)
		_, err := Apply(t.Context(), root, job(&profile.Settings{Profile: profile.Profile{Windows: test.windows}}))
		if test.want == "" {
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		f, err := answer.Parse([]byte(file(t, root, answerFile)))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Component(specialize, joining, "amd64").Texts(test.path...); !slices.Equal(got, []string{test.want}) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestOldDeploy applies to an image of a machine that was deployed before.
func TestOldDeploy(t *testing.T) {
	b := believable(t, generalized)
	b[setupDone] = []byte("@echo off\r\n" + mark + "\r\nold line\r\n")
	b[setupKept] = []byte("echo image\r\n")
	b[ranOnce] = []byte("begun")
	root := b.root(t)
	apply(t, root, job(&profile.Settings{Hostname: "x1"}))
	if got := file(t, root, setupDone); got != "echo image\r\n" || root.Exists(setupKept) {
		t.Errorf("%q", got)
	}
	apply(t, root, job(&profile.Settings{Profile: profile.Profile{Windows: profile.Windows{SetupComplete: []string{"new line"}}}}))
	if got := file(t, root, setupDone); !strings.Contains(got, "new line") || file(t, root, setupKept) != "echo image\r\n" || root.Exists(ranOnce) {
		t.Errorf("%q", got)
	}
}

// TestLinksOut: folders of the image that lead out lead nowhere.
func TestLinksOut(t *testing.T) {
	outside := t.TempDir()
	b := believable(t, generalized)
	delete(b, "Windows/Panther/setupact.log")
	delete(b, "ProgramData/Microsoft/x")
	root := b.root(t)
	for _, name := range []string{"Windows/Panther", "ProgramData", "lab", "Windows/Setup"} {
		if err := os.Symlink(outside, filepath.Join(root.Dir(), name)); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = Apply(t.Context(), root, job(lab(t)))
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("written outside: %v", left)
	}
}

func TestScripts(t *testing.T) {
	for name, want := range map[string]string{"": "script", "..": "script", "ok-1.x": "ok-1.x", `a"&|<>^%!b`: "a-b", "über": "ber", strings.Repeat("x", 100): strings.Repeat("x", 60)} {
		if got := plain(name); got != want {
			t.Errorf("%q is %q", name, got)
		}
	}
	for _, test := range []struct{ text, ext, want string }{
		{"a\nb\r\n", ".cmd", "a\r\nb\r\n"}, {"ü", ".ps1", "\xEF\xBB\xBFü"}, {"\xEF\xBB\xBFü", ".ps1", "\xEF\xBB\xBFü"}, {"x", ".ps1", "x"}, {"ü", ".cmd", "ü"},
	} {
		if got := string(forWindows([]byte(test.text), test.ext)); got != test.want {
			t.Errorf("%q is %q", test.text, got)
		}
	}
}
