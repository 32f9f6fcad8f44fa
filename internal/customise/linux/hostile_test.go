package linux

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/customise/linux/shacrypt"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// bad are values that would break out of the place they go to, were they not
// refused or quoted there.
var bad = []string{
	"a\nb", "a\rb", "a\x00b", "a\x1b[2J", "$(touch /x)", "`touch /x`", "a;b", "a b", "a:b", `a"b`, `a'b`, `a\b`, "..", "../../etc/shadow", "/etc/../..", "a%n", "a#b", "a=b\n[x]", "{a}", "*", "-rf", "ü\u202e",
}

// TestHostileValues: every field of a profile with each bad value. What is taken
// must be nowhere but where it belongs; most are refused, and change nothing.
func TestHostileValues(t *testing.T) {
	fields := map[string]struct {
		set  func(*profile.Settings, string)
		free []string // of the bad values, those that are good here
	}{
		"hostname":  {set: func(s *profile.Settings, v string) { s.Hostname = v }},
		"locale":    {set: func(s *profile.Settings, v string) { s.Locale = v }},
		"keyboard":  {set: func(s *profile.Settings, v string) { s.Keyboard = v }},
		"time zone": {set: func(s *profile.Settings, v string) { s.TimeZone = v }},
		"user":      {set: func(s *profile.Settings, v string) { s.Users = []profile.User{{Name: v}} }},
		"shell":     {set: func(s *profile.Settings, v string) { s.Users = []profile.User{{Name: "eve", Shell: v}} }},
		"group":     {set: func(s *profile.Settings, v string) { s.Users = []profile.User{{Name: "eve", Groups: []string{v}}} }},
		"key":       {set: func(s *profile.Settings, v string) { s.Users = []profile.User{{Name: "eve", Keys: []string{v}}} }},
		"key tail":  {set: func(s *profile.Settings, v string) { s.Linux.RootKeys = []string{testKey + "\n" + v} }},
		"hash":      {set: func(s *profile.Settings, v string) { s.Linux.Root.Hash = profile.Secret(v) }},
		"hash tail": {set: func(s *profile.Settings, v string) { s.Linux.Root.Hash = profile.Secret("$6$salt$01234567" + v) }, free: []string{"..", "../../etc/shadow", "/etc/../..", "-rf"}},
		"interface": {set: func(s *profile.Settings, v string) { s.Network = []profile.Interface{{Name: v, DHCP: true}} }, free: []string{"*"}},
		"MAC":       {set: func(s *profile.Settings, v string) { s.Network = []profile.Interface{{MAC: v, DHCP: true}} }},
		"address": {set: func(s *profile.Settings, v string) {
			s.Network = []profile.Interface{{Name: "e", Addresses: []string{v}}}
		}},
		"gateway": {set: func(s *profile.Settings, v string) { s.Network = []profile.Interface{{Name: "e", Gateway: v}} }},
		"zone": {set: func(s *profile.Settings, v string) {
			s.Network = []profile.Interface{{Name: "e", Gateway: "fe80::1%" + v}}
		}},
		"DNS":      {set: func(s *profile.Settings, v string) { s.Network = []profile.Interface{{Name: "e", DNS: []string{v}}} }},
		"search":   {set: func(s *profile.Settings, v string) { s.Network = []profile.Interface{{Name: "e", Search: []string{v}}} }},
		"path":     {set: func(s *profile.Settings, v string) { s.Files = []profile.File{{Path: v}} }, free: []string{"a:b"}}, /* a drive of Windows */
		"mode":     {set: func(s *profile.Settings, v string) { s.Files = []profile.File{{Path: "/x", Mode: v}} }},
		"owner":    {set: func(s *profile.Settings, v string) { s.Files = []profile.File{{Path: "/x", Owner: v}} }},
		"argument": {set: func(s *profile.Settings, v string) { s.Linux.KernelArgs = []string{v} }, free: []string{"..", "../../etc/shadow", "/etc/../..", "a:b", "a%n", "-rf"}},
		"script": {set: func(s *profile.Settings, v string) {
			s.Scripts = []profile.Script{{Name: v, Content: "no interpreter"}}
		}},
	}
	dir := debianTree.build(t)
	root := open(t, dir)
	before := digest(t, dir)
	for name, f := range fields {
		for _, value := range bad {
			var s profile.Settings
			f.set(&s, value)
			s.Linux.SSHHostKeys = keep
			if _, err := Preview(t.Context(), root, jobFor(s)); (err == nil) != slices.Contains(f.free, value) {
				t.Errorf("%s %q: %v", name, value, err)
			}
		}
	}
	if changed := differing(before, digest(t, dir)); len(changed) > 0 {
		t.Errorf("%v changed", changed)
	}
}

// TestHostileText: values that may hold anything stay what they are.
func TestHostileText(t *testing.T) {
	for _, value := range bad {
		if strings.ContainsRune(value, 0) {
			continue
		}
		dir := debianTree.build(t)
		s := profile.Settings{}
		s.Scripts = []profile.Script{{Name: value, Content: "#!/bin/sh\n# " + value}}
		s.Files = []profile.File{{Path: "/etc/x", Content: value}}
		s.Linux.SSHHostKeys = keep
		job := jobFor(s)
		job.Started = value
		apply(t, dir, job)
		if got := read(t, dir, "etc/x"); got != value {
			t.Errorf("%q became %q", value, got)
		}
		for _, name := range []string{"000.name", "deploy"} {
			if got := read(t, dir, pendingDir+"/"+name); strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\x1b\r") || got[0] != '"' {
				t.Errorf("%s of %q is %q", name, value, got)
			}
		}
	}
	dir := debianTree.build(t)
	s := profile.Settings{}
	plain := strings.ReplaceAll(strings.Join(bad, ""), "\x00", "")
	s.Users = []profile.User{{Name: "eve", Password: profile.Password{Plain: profile.Secret(plain)}}}
	s.Linux.SSHHostKeys = keep
	apply(t, dir, jobFor(s))
	shadow := strings.Split(read(t, dir, "etc/shadow"), "\n")
	if len(shadow) != 5 || !shacrypt.Matches(plain, strings.Split(shadow[3], ":")[1]) {
		t.Errorf("shadow:\n%s", shadow)
	}
}

// TestMaliciousImage: whatever the image is, nothing outside of it changes and
// nothing hangs.
func TestMaliciousImage(t *testing.T) {
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "passwd"), []byte("root::0:0::/:/bin/sh\n"), 0o644))
	must(t, os.MkdirAll(filepath.Join(outside, "systemd/system"), 0o755))
	before := digest(t, outside)
	up := strings.Repeat("../", 20) + outside
	for name, change := range map[string]func(dir string) error{
		"etc leads out":        func(dir string) error { return relink(dir, "etc", outside) },
		"etc leads up":         func(dir string) error { return relink(dir, "etc", up) },
		"passwd leads out":     func(dir string) error { return relink(dir, "etc/passwd", outside+"/passwd") },
		"passwd leads up":      func(dir string) error { return relink(dir, "etc/passwd", up+"/passwd") },
		"passwd leads to proc": func(dir string) error { return relink(dir, "etc/passwd", "/proc/self/root/etc/passwd") },
		"ssh leads out":        func(dir string) error { return relink(dir, "etc/ssh", outside) },
		"keys lead out":        func(dir string) error { return relink(dir, "etc/ssh/ssh_host_rsa_key", outside+"/passwd") },
		"skel leads out":       func(dir string) error { return relink(dir, "etc/skel", outside) },
		"home leads out":       func(dir string) error { return relink(dir, "home", outside) },
		"home is .ssh":         func(dir string) error { return os.Symlink(outside, filepath.Join(dir, "etc/skel/.ssh")) },
		"localtime leads out":  func(dir string) error { return relink(dir, "etc/localtime", outside+"/new") },
		"usr local leads out":  func(dir string) error { return relink(dir, "usr/local", outside) },
		"links go round":       func(dir string) error { return relink(dir, "etc/hosts", "hosts") },
		"folders go round":     func(dir string) error { return relink(dir, "etc/default", "default") },
		"passwd is a FIFO":     func(dir string) error { return refifo(dir, "etc/passwd") },
		"hostname is a FIFO":   func(dir string) error { return refifo(dir, "etc/hostname") },
		"seed is a FIFO":       func(dir string) error { return refifo(dir, "var/lib/systemd/random-seed") },
		"skel has a FIFO":      func(dir string) error { return refifo(dir, "etc/skel/fifo") },
		"grub.cfg is a FIFO":   func(dir string) error { return refifo(dir, "boot/grub/grub.cfg") },
		"unit is a folder":     func(dir string) error { return os.MkdirAll(filepath.Join(dir, unitFile), 0o755) },
		"passwd is huge":       func(dir string) error { return os.Truncate(filepath.Join(dir, "etc/passwd"), 1<<40) },
		"seed is huge":         func(dir string) error { return os.Truncate(filepath.Join(dir, "var/lib/systemd/random-seed"), 1<<40) },
		"passwd has zero bytes": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "etc/passwd"), []byte("root:x\x00:0:0"), 0o644)
		},
		"fstab is one line": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "etc/fstab"), []byte(strings.Repeat("UUID="+rootID+",", 30000)+" / ext4\n"), 0o644)
		},
		"fstab is fields": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "etc/fstab"), []byte(strings.Repeat("x ", 1<<20)), 0o644)
		},
		"cloud is deep": func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, "var/lib/cloud/instances"+strings.Repeat("/d", 100)), 0o755)
		},
		"skel is deep": func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, "etc/skel"+strings.Repeat("/d", 100)), 0o755)
		},
		"home is the root": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "etc/passwd"), []byte("root:x:0:0::/../..:/bin/sh\nold:x:0:0::/:/bin/sh\n"), 0o644)
		},
		"host key is shadow": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "etc/ssh/sshd_config"), []byte("HostKey /etc/shadow\nHostKey ../../x\nHostKey \"/etc/a\n"), 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := debianTree.with(tree{"etc/cloud/cloud.cfg": "x"}).build(t)
			must(t, change(dir))
			job := jobFor(full())
			job.Disk = moved("xfs")
			job.Settings.Users[0].Password = profile.Password{}
			if !strings.Contains(name, "key") && !strings.Contains(name, "ssh") { // they take their time
				job.Settings.Linux.SSHHostKeys = keep
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20e9)
			defer cancel()
			report, err := Apply(ctx, open(t, dir), job)
			if (err == nil) == (report == nil) || ctx.Err() != nil {
				t.Errorf("%v, %v", report, err)
			}
			if changed := differing(before, digest(t, outside)); len(changed) > 0 {
				t.Fatalf("%v changed outside", changed)
			}
		})
	}
}

func relink(dir, name, target string) error {
	if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
		return err
	}
	return os.Symlink(target, filepath.Join(dir, name))
}

func refifo(dir, name string) error {
	if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
		return err
	}
	return syscall.Mkfifo(filepath.Join(dir, name), 0o644)
}

func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := debianTree.build(t)
	before := digest(t, dir)
	if _, err := Apply(ctx, open(t, dir), jobFor(full())); err == nil {
		t.Error("it went on")
	}
	if changed := differing(before, digest(t, dir)); len(changed) > 0 {
		t.Errorf("%v changed", changed)
	}
}

// TestKeys lets ssh-keygen judge what was made.
func TestKeys(t *testing.T) {
	dir := debianTree.build(t)
	var s profile.Settings
	s.Hostname = "lab-07"
	apply(t, dir, jobFor(s))
	for _, name := range []string{"ssh_host_ed25519_key", "ssh_host_rsa_key"} {
		at := filepath.Join(dir, "etc/ssh", name)
		private, err := exec.Command("ssh-keygen", "-y", "-P", "", "-f", at).Output()
		must(t, err)
		if public := read(t, dir, "etc/ssh/"+name+".pub"); public != string(private) || !strings.HasSuffix(public, " root@lab-07\n") {
			t.Errorf("%s: the halves are\n%s%s", name, private, public)
		}
		out, err := exec.Command("ssh-keygen", "-lf", at).CombinedOutput()
		if err != nil || name == "ssh_host_rsa_key" && !strings.HasPrefix(string(out), "3072 ") {
			t.Errorf("%s: %s %v", name, out, err)
		}
		if info, err := os.Stat(at); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	for _, gone := range []string{"ssh_host_dsa_key", "ssh_host_dsa_key.pub", "ssh_host_rsa_key-cert.pub"} {
		if _, err := os.Lstat(filepath.Join(dir, "etc/ssh", gone)); err == nil {
			t.Errorf("%s is left", gone)
		}
	}
}

// TestRefusals: what cannot be done is said before the first write.
func TestRefusals(t *testing.T) {
	for want, set := range map[string]func(*customise.Job, tree){
		"no time zone Mars/Base": func(j *customise.Job, _ tree) { j.Settings.TimeZone = "Mars/Base" },
		`no group "wheeel"`:      func(j *customise.Job, _ tree) { j.Settings.Users[0].Groups = []string{"wheeel"} },
		`no shell "/bin/zsh"`:    func(j *customise.Job, _ tree) { j.Settings.Users[0].Shell = "/bin/zsh" },
		`no user "nobody2"`:      func(j *customise.Job, _ tree) { j.Settings.Files[0].Owner = "nobody2" },
		"no such file":           func(j *customise.Job, _ tree) { j.Settings.Files[0].Source = "/nowhere" },
		"neither systemd nor":    func(_ *customise.Job, tr tree) { delete(tr, "usr/lib/systemd/systemd 755") },
		"none of NetworkManager": func(_ *customise.Job, tr tree) { delete(tr, "usr/sbin/ifup 755") },
		"has 6 fields and not 7": func(_ *customise.Job, tr tree) { tr["etc/passwd"] = "root:x:0:0:root:/root\n" },
		"already and no regular": func(_ *customise.Job, tr tree) { tr["etc/motd"] = "dir:" },
	} {
		tr := debianTree.with(nil)
		job := jobFor(full())
		job.Settings.Users[0].Password, job.Settings.Linux.SSHHostKeys = profile.Password{}, keep
		set(&job, tr)
		refused(t, tr.build(t), job, want)
	}
}
