package linux

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/boottest"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// TestRealDebian customises a Debian and lets its own programs judge.
func TestRealDebian(t *testing.T) {
	dir := t.TempDir()
	must(t, boottest.Unpack(t.Context(), dir, "./boot", "./usr/lib/modules", "./var/cache", "./var/lib/apt", "./usr/lib/udev", "./usr/share/perl", "./usr/share/doc"))
	// What the smallest Debian does not have.
	for name, text := range map[string]string{
		"etc/ssh/sshd_config":         "UsePAM yes\n",
		"etc/systemd/network/.keep":   "",
		"var/lib/systemd/random-seed": strings.Repeat("x", 512),
	} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	must(t, os.MkdirAll(filepath.Join(dir, "etc/systemd/system/multi-user.target.wants"), 0o755))
	must(t, os.Symlink("/lib/systemd/system/systemd-networkd.service", filepath.Join(dir, "etc/systemd/system/multi-user.target.wants/systemd-networkd.service")))
	s := full()
	s.Locale = "C.UTF-8"
	s.Users = slices.DeleteFunc(s.Users, func(u profile.User) bool { return u.Name == "old" })
	report := apply(t, dir, jobFor(s))
	t.Log(strings.Join(report.Changed, "\n"))

	chroot := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("chroot", append([]string{dir}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	chroot("pwck", "-r", "-q")
	chroot("grpck", "-r")
	if got := chroot("getent", "passwd", "alice"); got != "alice:x:1000:1000:Alice Liddell:/home/alice:/bin/bash\n" {
		t.Errorf("alice is %s", got)
	}
	if got := chroot("id", "-nG", "alice"); got != "alice root sudo\n" {
		t.Errorf("alice is in %s", got)
	}
	if got := chroot("perl", "-e", `print crypt($ARGV[0], (getspnam_hash())) eq getspnam_hash() ? "yes" : "no"; sub getspnam_hash { open my $f, "<", "/etc/shadow"; for (<$f>) { my @f = split /:/; return $f[1] if $f[0] eq "alice" } }`, "wonder\"land'$(x)"); got != "yes" {
		t.Errorf("the C library does not take the password: %s", got)
	}
	if got := chroot("stat", "-c", "%a %U %G", "/home/alice/.ssh/authorized_keys", "/home/alice/.bashrc"); got != "600 alice alice\n644 alice alice\n" {
		t.Errorf("alice's files: %s", got)
	}
	chroot("sh", "-n", runnerFile)
	chroot("bash", "-n", runnerFile)
	if out := chroot("date", "+%Z"); out != "CET\n" && out != "CEST\n" {
		t.Errorf("the time zone is %s", out)
	}
	if out, err := exec.Command("systemd-analyze", "verify", "--root="+dir, "--man=no", unitName).CombinedOutput(); err != nil || strings.Contains(string(out), unitName+":") {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
	firstBoot(t, dir)
}

// firstBoot runs the runner as systemd would, and looks at what it left.
func firstBoot(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("chroot", dir, "/bin/sh", runnerFile).CombinedOutput()
	if err == nil {
		t.Error("a failed script left no trace in the exit code")
	}
	for _, want := range []string{"\nfirst\n", "\nbad\n", "\nlast\n", `ingot: first boot: "bad": failed, exit code 3`, "1 of 3 scripts failed"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the console lacks %q:\n%s", want, out)
		}
	}
	var result struct {
		State, Deploy string
		Failed        int
		Scripts       []struct {
			Name, Outcome, Started, Ended, Log string
			Code                               int
		}
	}
	text := read(t, dir, "var/lib/ingot/firstboot.json")
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if result.State != "failed" || result.Failed != 1 || len(result.Scripts) != 3 || result.Deploy != "lab:1 by ingot test" ||
		result.Scripts[0].Name != "first \"one\"?" || result.Scripts[1].Code != 3 || result.Scripts[2].Outcome != "done" {
		t.Errorf("%+v", result)
	}
	if got := read(t, dir, result.Scripts[1].Log); got != "bad\n" {
		t.Errorf("the log is %q", got)
	}
	for _, name := range []string{pendingDir, unitFile, unitLink, runnerFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is left", name)
		}
	}
}

// TestInterrupted: a script that was cut short is not run again, and the others run.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	pending, state, logs := filepath.Join(dir, "pending"), filepath.Join(dir, "state"), filepath.Join(dir, "logs")
	text := strings.NewReplacer(pendingDir, pending, "/var/lib/ingot", state, "/var/log/ingot", logs, "/etc/", dir+"/etc/", "/usr/local/lib/", dir+"/lib/").Replace(string(runner))
	must(t, os.MkdirAll(pending, 0o755))
	for name, data := range map[string]string{
		"deploy": "\"x\"\n", "000.name": "\"zero\"\n", "000.script": "#!/bin/sh\necho zero\n", "001.name": "\"one\"\n", "001.script": "#!/bin/sh\nkill -KILL $PPID\n",
		"002.name": "\"two\"\n", "002.script": "#!/bin/sh\necho two\n",
	} {
		must(t, os.WriteFile(filepath.Join(pending, name), []byte(data), 0o755))
	}
	run := func() string {
		cmd := exec.Command("sh")
		cmd.Stdin = strings.NewReader(text)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if out := run(); strings.Contains(out, "two") {
		t.Fatalf("it was not killed: %s", out)
	}
	if got := read(t, dir, "state/firstboot.json"); !json.Valid([]byte(got)) || !strings.Contains(got, `"state":"running"`) {
		t.Errorf("the result of a boot that was cut short: %s", got)
	}
	if out := run(); !strings.Contains(out, "\ntwo\n") || strings.Contains(out, "\nzero\n") || !strings.Contains(out, "1 of 3 scripts failed") {
		t.Errorf("the second boot: %s", out)
	}
	got := read(t, dir, "state/firstboot.json")
	if !json.Valid([]byte(got)) || !strings.Contains(got, `"name":"one"`) || !strings.Contains(got, `"outcome":"interrupted"`) {
		t.Errorf("%s", got)
	}
}
