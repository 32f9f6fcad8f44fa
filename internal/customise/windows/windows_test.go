package windows

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/customise/windows/acl"
	"github.com/ingot-imaging/ingot/internal/customise/windows/answer"
	"github.com/ingot-imaging/ingot/internal/hive"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/tool"
)

const hunter = `hunter2 "&<>]]>%PATH%`

// lab is a profile with everything in it.
func lab(t testing.TB) *profile.Settings {
	dir := t.TempDir()
	source := filepath.Join(dir, "tool")
	for name, text := range map[string]string{"readme.txt": "read me", "sub/b.bin": "\x00\x01"} {
		path := filepath.Join(source, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &profile.Settings{Hostname: "lab-07", Profile: profile.Profile{
		Locale: "de_DE.UTF-8", Keyboard: "de", TimeZone: "Europe/Berlin",
		Users: []profile.User{
			{Name: "anna", FullName: `Anna "A" O'Neil & Co <x>`, Password: profile.Password{Plain: hunter}, Admin: true, Keys: []string{"ssh-ed25519 AAAA"}},
			{Name: "Müller", Groups: []string{"Remote Desktop Users"}},
		},
		Network: []profile.Interface{{MAC: "52:54:00:ab:cd:ef", Addresses: []string{"192.0.2.7/24"}, Gateway: "192.0.2.1", DNS: []string{"192.0.2.53", "192.0.2.54"}, Search: []string{"lab.example"}}, {Name: "en*", DHCP: true}},
		Files: []profile.File{
			{Path: `C:\lab\hello.txt`, Content: "hello\n"}, {Path: `c:/windows/web\wall%paper!.txt`, Content: "x"}, {Path: `C:\lab\tool`, Source: source},
		},
		Scripts: []profile.Script{
			{Name: `evil" & del C:\ %PATH% ^ | < > !x!`, Content: "echo one\n:label\necho two\n"},
			{Name: "zweites", Content: "echo ü\n"},
		},
		Windows: profile.Windows{
			ProductKey: "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", Administrator: profile.Password{Plain: hunter}, Owner: "The <Lab>", Organization: `"Q" & A`,
			Domain:   profile.Domain{Name: "ad.example.org", User: `AD\joiner`, Password: profile.Password{Plain: hunter}, OU: "OU=Lab,DC=ad,DC=example,DC=org"},
			Commands: []string{`cmd /c echo "first" > C:\x & exit`, "second"}, SetupComplete: []string{`echo "setup" >> %TEMP%\x.txt`},
			Registry: []profile.RegistryEdit{
				{Key: `HKLM\SOFTWARE\Policies\Lab "x"`, Name: "text", Value: `a "b" %c% ]]>`}, {Key: `HKLM\system\CurrentControlSet\Services\New`, Name: "Start", Type: "dword", Value: "0x4"},
				{Key: `HKLM\SOFTWARE\Policies\Lab "x"`, Name: "many", Type: "multi-sz", Value: "a\nb"}, {Key: `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`, Name: "UBR", Delete: true},
			},
		},
	}}
}

func TestApplyOnNTFS(t *testing.T) {
	b := believable(t, generalized)
	b["Windows/Setup/Scripts/SetupComplete.cmd"] = []byte("echo of the image\r\n")
	b["Windows/Panther/Unattend/Unattend.xml"] = []byte("<unattend/>")
	b["Drivers/ingot/01-net/a/net.INF"] = []byte("[Version]")
	b["Drivers/ingot/01-net/a/net.sys"] = []byte("MZ")
	b["Windows/System32/config/SYSTEM"] = systemHive(t, put{"Setup", hive.String("UnattendFile", `D:\other.xml`)})
	root := b.onNTFS(t)
	before := digest(t, root)
	settings := lab(t)
	report := apply(t, root, job(settings))
	after := digest(t, root)
	onlyReported(t, before, after, report)
	t.Run("answer file", func(t *testing.T) {
		golden(t, "full.xml", file(t, root, answerFile))
	})
	t.Run("registry", func(t *testing.T) {
		for _, v := range [][4]string{
			{system, "Setup", "UnattendFile", "missing"}, {system, `ControlSet002\Services\New`, "Start", "4"}, {software, `Policies\Lab "x"`, "text", `a "b" %c% ]]>`}, {software, `Policies\Lab "x"`, "many", "a\nb\n"},
			{software, currentVersion, "UBR", "missing"}, {software, `Microsoft\Windows\CurrentVersion`, "DevicePath", `%SystemRoot%\inf;C:\old;C:\Drivers\ingot\01-net\a`},
			{system, `ControlSet002\Control\ComputerName\ComputerName`, "ComputerName", "REFERENCE"}, // Windows Setup changes it
		} {
			if got := reg(t, root, v[0], v[1], v[2]); got != v[3] {
				t.Errorf("%s, %s is %q, want %q", v[1], v[2], got, v[3])
			}
		}
	})
	t.Run("files", func(t *testing.T) {
		for name, want := range map[string]string{
			"lab/hello.txt": "hello\n", "Windows/web/wall%paper!.txt": "x", "lab/tool/readme.txt": "read me", "lab/tool/sub/b.bin": "\x00\x01",
			"Windows/Setup/Scripts/SetupComplete-image.cmd": "echo of the image\r\n", "ProgramData/ingot/firstboot/02-zweites.cmd": "echo ü\r\n",
		} {
			if got := file(t, root, name); got != want {
				t.Errorf("%s holds %q", name, got)
			}
		}
		golden(t, "SetupComplete.cmd", file(t, root, setupDone))
		golden(t, "firstboot.cmd", file(t, root, runner))
	})
	t.Run("access", func(t *testing.T) {
		everyone := "\x01\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"
		for _, name := range []string{answerFile, setupDone, "ProgramData/ingot", runner, "ProgramData/ingot/firstboot/02-zweites.cmd"} {
			d, err := root.Xattr(name, acl.Attribute)
			if err != nil || bytes.Contains(d, []byte(everyone)) || !bytes.Contains(d, []byte("\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00")) {
				t.Errorf("%s: %x, %v", name, d, err)
			}
		}
	})
	t.Run("notes", func(t *testing.T) {
		for _, part := range []string{"SetupComplete.cmd of its own", "OEM", "Panther/Unattend", "UnattendFile", "en*", "no password", "SSH keys", "en-US"} {
			if !anyHas(report.Notes, part) {
				t.Errorf("no note about %s in %q", part, report.Notes)
			}
		}
		if anyHas(report.Notes, "hunter2") || anyHas(report.Changed, "hunter2") {
			t.Error("a secret is in the report")
		}
	})
	t.Run("again", func(t *testing.T) {
		again := apply(t, root, job(settings))
		if got := digest(t, root); !maps.Equal(got, after) || len(again.Changed) > 0 {
			t.Errorf("a second Apply changed %v", again.Changed)
		}
	})
}

// TestAccessIsKept replaces a hive that only the system may use.
func TestAccessIsKept(t *testing.T) {
	root := believable(t, complete).onNTFS(t)
	want := acl.Private(false)
	if err := root.SetXattr(system, acl.Attribute, want); err != nil {
		t.Fatal(err)
	}
	apply(t, root, job(&profile.Settings{Hostname: "new-name"}))
	if got, err := root.Xattr(system, acl.Attribute); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	if got := reg(t, root, system, `ControlSet002\Services\Tcpip\Parameters`, "Hostname"); got != "new-name" {
		t.Error(got)
	}
}

// golden compares with a file of testdata; INGOT_UPDATE=1 rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("INGOT_UPDATE") == "1" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%s differs, %v:\n%s", path, err, got)
	}
	if strings.HasSuffix(name, ".xml") {
		if _, err := (tool.Command{Name: "xmllint", Args: []string{"--noout", "--nonet", path}}).Run(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestNotGeneralized(t *testing.T) {
	settings := &profile.Settings{Hostname: "Lab-7", Profile: profile.Profile{TimeZone: "Europe/Berlin", Windows: profile.Windows{Owner: "me", SetupComplete: []string{"echo x"}}, Scripts: []profile.Script{{Name: "s", Content: "echo\n"}}}}
	root := believable(t, complete).root(t)
	j := job(settings)
	j.Machines = 2
	before := digest(t, root)
	var twins *NotGeneralizedError
	if _, err := Apply(context.Background(), root, j); !errors.As(err, &twins) || !strings.Contains(err.Error(), "KB5070568") {
		t.Errorf("%v", err)
	}
	j.Machines = 1
	settings.Users = []profile.User{{Name: "anna"}}
	var setup *NeedsSetupError
	if _, err := Apply(context.Background(), root, j); !errors.As(err, &setup) || !slices.Equal(setup.Keys, []string{"users"}) {
		t.Errorf("%v", err)
	}
	if !maps.Equal(digest(t, root), before) {
		t.Error("a refused Apply changed something")
	}
	j.Machines, settings.Windows.NotGeneralized = 2, "force"
	report := apply(t, root, j)
	if !anyHas(report.Notes, "users were left out") {
		t.Errorf("%q", report.Notes)
	}
	for _, v := range [][4]string{
		{system, `ControlSet002\Control\ComputerName\ComputerName`, "ComputerName", "LAB-7"}, {system, `ControlSet002\Services\Tcpip\Parameters`, "NV Hostname", "Lab-7"},
		{system, `ControlSet001\Control\ComputerName\ComputerName`, "ComputerName", "NOT-IN-USE"}, {system, `ControlSet002\Control\TimeZoneInformation`, "TimeZoneKeyName", "W. Europe Standard Time"},
		{system, `ControlSet002\Control\TimeZoneInformation`, "StandardName", "@tzres.dll,-322"}, {software, currentVersion, "RegisteredOwner", "me"}, {software, currentVersion + `\Winlogon`, "DefaultDomainName", "Lab-7"},
		{software, `Microsoft\Windows\CurrentVersion\RunOnce`, "ingot", `cmd.exe /d /c ""%ProgramData%\ingot\logon.cmd""`},
	} {
		if got := reg(t, root, v[0], v[1], v[2]); got != v[3] {
			t.Errorf("%s, %s is %q, want %q", v[1], v[2], got, v[3])
		}
	}
	if root.Exists(answerFile) {
		t.Error("an answer file was written that nobody reads")
	}
	if again := apply(t, root, j); len(again.Changed) > 0 {
		t.Errorf("a second Apply changed %v", again.Changed)
	}
}

func TestNothingToDo(t *testing.T) {
	root := believable(t, complete).root(t)
	before := digest(t, root)
	report := apply(t, root, job(nil))
	if len(report.Changed) > 0 || !maps.Equal(digest(t, root), before) {
		t.Errorf("%v", report.Changed)
	}
}

func TestRefused(t *testing.T) {
	dirty := systemHive(t)
	dirty[4]++
	with := func(change func(p *profile.Settings)) *profile.Settings {
		p := &profile.Settings{Hostname: "ok"}
		change(p)
		return p
	}
	tests := map[string]struct {
		tree     build
		settings *profile.Settings
		want     string
	}{
		"hibernated": {tree: build{"hiberfil.sys": []byte("HIBR" + strings.Repeat("x", 5000))}, want: "hibernated"},
		"dirty hive": {tree: build{"Windows/System32/config/SYSTEM": dirty}, settings: with(func(p *profile.Settings) {
			p.Windows.Registry = []profile.RegistryEdit{{Key: `HKLM\SYSTEM\x`, Name: "v"}}
		}), want: "SYSTEM: the hive was not closed in order"},
		"no Windows":     {tree: build{"Windows/System32/config/SYSTEM": nil}, want: "look at the Windows"},
		"long name":      {settings: with(func(p *profile.Settings) { p.Hostname = "sixteen-letters-" }), want: "15 letters"},
		"name of digits": {settings: with(func(p *profile.Settings) { p.Hostname = "12345" }), want: "digits"},
		"evil name":      {settings: with(func(p *profile.Settings) { p.Hostname = "a</b>" }), want: "cannot be the name"},
		"zone":           {settings: with(func(p *profile.Settings) { p.TimeZone = "Antarctica/Troll" }), want: "windows.timezone"},
		"locale":         {settings: with(func(p *profile.Settings) { p.Locale = "xx_XX" }), want: "locale"},
		"keyboard":       {settings: with(func(p *profile.Settings) { p.Keyboard = "xx" }), want: "windows.keyboard"},
		"hash": {settings: with(func(p *profile.Settings) {
			p.Users = []profile.User{{Name: "a", Password: profile.Password{Hash: "$6$hunter2"}}}
		}), want: "hash"},
		"control in XML": {settings: with(func(p *profile.Settings) { p.Windows.Owner = "hunter2\x01" }), want: "RegisteredOwner: character 8"},
		"command":        {settings: with(func(p *profile.Settings) { p.Windows.Commands = []string{"ok", "hunter2\nx"} }), want: "command 2"},
		"setup line":     {settings: with(func(p *profile.Settings) { p.Windows.SetupComplete = []string{"ok", "hunter2\r\nx"} }), want: "line 2"},
		"path":           {settings: with(func(p *profile.Settings) { p.Files = []profile.File{{Path: `D:\x`}} }), want: "drive C:"},
		"dots":           {settings: with(func(p *profile.Settings) { p.Files = []profile.File{{Path: `C:\a\..\..\x`}} }), want: "no name"},
		"stream":         {settings: with(func(p *profile.Settings) { p.Files = []profile.File{{Path: `C:\a:b`}} }), want: "character"},
		"device":         {settings: with(func(p *profile.Settings) { p.Files = []profile.File{{Path: `C:\lab\aux.txt`}} }), want: "DOS"},
		"trailing dot":   {settings: with(func(p *profile.Settings) { p.Files = []profile.File{{Path: `C:\lab\x.`}} }), want: "dot"},
		"hive SAM":       {settings: with(func(p *profile.Settings) { p.Windows.Registry = []profile.RegistryEdit{{Key: `HKLM\SAM\x`}} }), want: "SOFTWARE and SYSTEM"},
		"no key":         {settings: with(func(p *profile.Settings) { p.Windows.Registry = []profile.RegistryEdit{{Key: `HKLM\SOFTWARE`}} }), want: "no key"},
		"bad number": {settings: with(func(p *profile.Settings) {
			p.Windows.Registry = []profile.RegistryEdit{{Key: `HKLM\SOFTWARE\x`, Type: "dword", Value: "hunter2"}}
		}), want: "number"},
		"null in text": {settings: with(func(p *profile.Settings) {
			p.Windows.Registry = []profile.RegistryEdit{{Key: `HKLM\SOFTWARE\x`, Value: "hunter2\x00"}}
		}), want: "null"},
		"missing unattend": {settings: with(func(p *profile.Settings) { p.Windows.Unattend = "/none/unattend.xml" }), want: "/none/unattend.xml"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := believable(t, generalized)
			for n, data := range test.tree {
				if b[n] = data; data == nil {
					delete(b, n)
				}
			}
			_, err := Apply(context.Background(), b.root(t), job(test.settings))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestHostileValues puts each value through all texts of the answer file.
func TestHostileValues(t *testing.T) {
	for _, v := range []string{`"quoted" 'too'`, "]]>", "a & b &amp; <c>", "%PATH%", "</ComputerName><x/>", "<!-- -->", "ü€😀", "${x}", "`x`", "..", `C:\..\x`} {
		s := lab(t)
		s.Users[0].Name, s.Users[0].FullName, s.Users[0].Password.Plain = v, v, profile.Secret(v)
		s.Windows.Owner, s.Windows.Organization, s.Windows.Commands = v, v, []string{v}
		s.Windows.Domain.User, s.Windows.Domain.Password.Plain, s.Windows.Administrator.Plain = "joiner", profile.Secret(v), profile.Secret(v)
		root := believable(t, generalized).root(t)
		apply(t, root, job(s))
		f, err := answer.Parse([]byte(file(t, root, answerFile)))
		if err != nil {
			t.Fatal(err)
		}
		setup, user, join := f.Component(specialize, shellSetup, "amd64"), f.Component(oobeSystem, shellSetup, "amd64"), f.Component(specialize, joining, "amd64")
		for what, got := range map[string][]string{
			"owner": setup.Texts("RegisteredOwner"), "organization": setup.Texts("RegisteredOrganization"), "command": user.Texts("FirstLogonCommands", "SynchronousCommand", "CommandLine"),
			"user": user.Texts("UserAccounts", "LocalAccounts", "LocalAccount", "Name")[:1], "full name": user.Texts("UserAccounts", "LocalAccounts", "LocalAccount", "DisplayName"),
			"password": revealed(t, user.Texts("UserAccounts", "LocalAccounts", "LocalAccount", "Password", "Value"), "Password"), "administrator": revealed(t, user.Texts("UserAccounts", "AdministratorPassword", "Value"), "AdministratorPassword"),
			"joining": join.Texts("Identification", "Credentials", "Password"),
		} {
			if len(got) != 1 || got[0] != v {
				t.Errorf("%s: %q is %q", what, v, got)
			}
		}
	}
}

// revealed undoes what obscured does.
func revealed(t *testing.T, texts []string, element string) []string {
	t.Helper()
	var all []string
	for _, text := range texts {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		plain, ok := strings.CutSuffix(string(utf8Of(append([]byte{0xFF, 0xFE}, b...))), element)
		if !ok {
			t.Errorf("%q has no %s behind it", plain, element)
		}
		all = append(all, plain)
	}
	return all
}

func TestObscured(t *testing.T) {
	// As Windows SIM writes it.
	if got := obscured("pw", "Password"); got != "cAB3AFAAYQBzAHMAdwBvAHIAZAA=" {
		t.Error(got)
	}
}
