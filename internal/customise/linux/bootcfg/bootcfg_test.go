package bootcfg

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	oldID = "11111111-2222-3333-4444-555555555555"
	newID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
)

func replacer() *Replacer {
	return NewReplacer(map[string]string{oldID: newID, "abcd-1234": "EF01-5678", "0a1b2c3d-02": "99887766-02"}, map[string]string{"root": "new root"})
}

func TestReplace(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"root=UUID=" + oldID + " ro", "root=UUID=" + newID + " ro"},
		{"root=UUID=" + strings.ToUpper(oldID), "root=UUID=" + newID},
		{"'gnulinux-simple-" + oldID + "'", "'gnulinux-simple-" + newID + "'"},
		{"x" + oldID, "x" + oldID},
		{oldID + "0", oldID + "0"},
		{"search --fs-uuid ABCD-1234;abcd-1234", "search --fs-uuid EF01-5678;EF01-5678"},
		{"x-ABCD-1234 ABCD-1234-x ABCD-12345", "x-ABCD-1234 ABCD-1234-x ABCD-12345"},
		{"root=PARTUUID=0a1b2c3d-02", "root=PARTUUID=99887766-02"},
		{"root=PARTUUID=0a1b2c3d-021", "root=PARTUUID=0a1b2c3d-021"},
		{"root=LABEL=root root rootflags", "root=LABEL=new root root rootflags"},
		{"search --label 'root' --set=root", "search --label 'new root' --set=root"},
		{"search.fs_label root root", "search.fs_label new root root"},
		{"MYLABEL=root", "MYLABEL=root"},
	} {
		if got := string(replacer().Replace([]byte(c.text))); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
	if !replacer().Mentions([]byte("\x00root=UUID="+oldID+"\x00")) || replacer().Mentions([]byte("nothing")) {
		t.Error("Mentions")
	}
	swap := NewReplacer(map[string]string{oldID: newID, newID: oldID}, nil)
	if got := string(swap.Replace([]byte(oldID + " " + newID))); got != newID+" "+oldID {
		t.Error(got)
	}
}

func TestAddArgs(t *testing.T) {
	args := []string{"console=ttyS0", "quiet"}
	for _, c := range []struct {
		form       Form
		text, want string
	}{
		{GRUB, "\tlinux\t/vmlinuz-6.1 root=UUID=x ro  quiet\n", "\tlinux\t/vmlinuz-6.1 root=UUID=x ro  quiet console=ttyS0\n"},
		{GRUB, "linuxefi /a root=/dev/x # c\n", "linuxefi /a root=/dev/x console=ttyS0 quiet # c\n"},
		{GRUB, "linux /vmlinuz \\\n root=x\n", "linux /vmlinuz console=ttyS0 quiet \\\n root=x\n"},
		{GRUB, "linux16 /memtest86+.bin\n", "linux16 /memtest86+.bin\n"},
		{GRUB, "#linux /vmlinuz\necho 'linux /vmlinuz'\n", "#linux /vmlinuz\necho 'linux /vmlinuz'\n"},
		{BLS, "title x\noptions root=x\n", "title x\noptions root=x console=ttyS0 quiet\n"},
		{Plain, "root=x\n", "root=x console=ttyS0 quiet\n"},
		{Plain, "", "console=ttyS0 quiet"},
		{Extlinux, "LABEL x\n  APPEND root=x\n", "LABEL x\n  APPEND root=x console=ttyS0 quiet\n"},
		{Refind, "\"Boot\"  \"ro root=x\"\n", "\"Boot\"  \"ro root=x console=ttyS0 quiet\"\n"},
	} {
		got := string(AddArgs([]byte(c.text), c.form, args))
		if got != c.want {
			t.Errorf("%q:\n%q, want\n%q", c.text, got, c.want)
		}
		if again := string(AddArgs([]byte(got), c.form, args)); again != got {
			t.Errorf("again: %q", again)
		}
	}
}

func TestDropRootArgs(t *testing.T) {
	for text, want := range map[string]string{
		"options root=UUID=x rootflags=subvol=root ro quiet\n": "options root=UUID=x ro quiet\n",
		"A=\"rootflags=subvol=@ quiet\"\n":                     "A=\"quiet\"\n",
		"linux /v root=x rootfstype=btrfs\n":                   "linux /v root=x \n",
		"xrootflags=1 rootflagsx=2":                            "xrootflags=1 rootflagsx=2",
	} {
		if got := string(DropRootArgs([]byte(text))); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestCheckArgs(t *testing.T) {
	for _, bad := range []string{"", "a b", "a\nb", `a"b`, "a'b", "$(x)", "`x`", "a;b", "a\\", "a{b", "a#b", "\x1b", "a*", "a&b", "a|b", "a>b"} {
		if CheckArgs([]string{bad}) == nil {
			t.Errorf("%q is an argument", bad)
		}
	}
	if err := CheckArgs([]string{"console=ttyS0,115200n8", "ip=192.0.2.1::192.0.2.2:255.0.0.0::eth0:off", "rd.luks.name=1-2=x", "-x", "a%b"}); err != nil {
		t.Error(err)
	}
}

// TestGrubenv lets grub-editenv judge.
func TestGrubenv(t *testing.T) {
	name := filepath.Join(t.TempDir(), "grubenv")
	for _, args := range [][]string{{name, "create"}, {name, "set", "saved_entry=a#b", "kernelopts=root=UUID=abcd-1234 ro "}} {
		if out, err := exec.Command("grub-editenv", args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
	}
	block, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	edited, err := EditGrubenv(block, func(body []byte) []byte { return AddEnvArgs(replacer().Replace(body), []string{"panic=10"}) })
	if err != nil || len(edited) != len(block) {
		t.Fatalf("%d bytes, %v", len(edited), err)
	}
	if err := os.WriteFile(name, edited, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("grub-editenv", name, "list").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "kernelopts=root=UUID=EF01-5678 ro panic=10\n") && !strings.Contains(string(out), "kernelopts=root=UUID=EF01-5678 ro panic=10 \n") || !strings.Contains(string(out), "saved_entry=a#b\n") {
		t.Errorf("grub-editenv: %s, %v", out, err)
	}
	if _, err := EditGrubenv(block, func([]byte) []byte { return make([]byte, 2000) }); err == nil {
		t.Error("more than fits was written")
	}
	if got, err := EditGrubenv([]byte("other"), nil); err != nil || string(got) != "other" {
		t.Error("what is no environment was edited")
	}
}

// TestGRUBStillParses lets grub-script-check judge.
func TestGRUBStillParses(t *testing.T) {
	text := "menuentry 'x' {\n\tsearch --no-floppy --fs-uuid --set=root ABCD-1234\n\tlinux\t/vmlinuz root=UUID=" + oldID + " ro quiet\n\tinitrd /i\n}\n"
	edited := AddArgs(replacer().Replace([]byte(text)), GRUB, []string{"console=ttyS0,115200n8", "a=~b^c!d%e@f+g-h", "x=y:z/1"})
	name := filepath.Join(t.TempDir(), "grub.cfg")
	if err := os.WriteFile(name, edited, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("grub-script-check", name).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", out, err, edited)
	}
}

func FuzzEdit(f *testing.F) {
	f.Add("linux /vmlinuz root=UUID="+oldID+" \\\nsearch --label root\n", 0)
	f.Add("options root=LABEL='root' #\n", 1)
	f.Add("\"a\" \"b\"\n\"\" \"\"\n\"", 4)
	f.Add(grubenvHeader+"kernelopts=x\n####", 3)
	f.Fuzz(func(t *testing.T, text string, form int) {
		r := replacer()
		got := string(r.Replace([]byte(text)))
		if strings.Count(got, "\n") != strings.Count(text, "\n") {
			t.Fatalf("%q has other lines now: %q", text, got)
		}
		args := []string{"k=v"}
		once := AddArgs([]byte(text), Form(form%5), args)
		if strings.Count(string(once), "\n") != strings.Count(text, "\n") {
			t.Fatalf("%q has other lines now: %q", text, once)
		}
		if block, err := EditGrubenv([]byte(text), func(b []byte) []byte { return AddEnvArgs(r.Replace(b), args) }); err == nil && len(block) != len(text) {
			t.Fatalf("a block of %d bytes has %d now", len(text), len(block))
		}
	})
}
